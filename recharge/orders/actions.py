"""What a person may do with an order: each action is shown for confirmation first, and done by a POST."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.gateway import GatewayError, NotSent, Rejected
from portal.web.actions import Button, Confirmation, Room, Said
from recharge.choices import MarkKind, Submission
from recharge.core import wording
from recharge.core.errors import InvalidOrder, Outdated, ServiceError
from recharge.core.masking import hide_mobile
from recharge.models import Order

from .forms import NoteForm, PlatformNumberForm, VendorWordsForm
from .services import declaring, interventions
from .views import unknown


def _in_words(error: ServiceError | GatewayError, order: Order, actor: User) -> str:
    if isinstance(error, Rejected):
        refused = gettext("The platform refused: %(message)s (code %(code)s)")
        return hide_mobile(refused % {"message": error.message, "code": error.code}, order, actor)
    if isinstance(error, NotSent):
        return gettext("The platform can't be reached. Nothing was sent; try again later.")
    if isinstance(error, GatewayError):
        return gettext("The platform gave no clear answer. The next query will tell what became of the order.")
    return str(error)


ROOM = Room[Order](
    noun="order",
    template="recharge/orders/confirm.html",
    find=lambda order_no: Order.objects.with_people_and_cards().with_last_event().filter(order_no=order_no).first(),
    unknown=unknown,
    address=lambda order: reverse("order_detail", args=[order.order_no]),
    refusals=(ServiceError, GatewayError),
    on_form=lambda form, error: isinstance(error, Outdated | InvalidOrder),
    in_words=_in_words,
)


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Ask the platform now?"),
        _("A query costs nothing. The platform is asked about an order at most once a minute."),
        Button(_("Ask the platform now"), autofocus=True),
    ),
)
def ask(order: Order, said: Said, actor: User) -> str:
    """Ask the platform about the order, as soon as the spacing of queries allows."""
    order = interventions.ask_now(order_id=order.pk, actor=actor)
    at = formats.time_format(timezone.localtime(order.next_check_at), "H:i:s")
    return gettext("The platform is asked at %(time)s; the answer will appear here.") % {"time": at}


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Cancel at the platform?"),
        _(
            "The platform decides whether it can still be cancelled. Until it reports a refund, the order counts as in "
            "progress."
        ),
        Button(_("Cancel at the platform"), "danger"),
    ),
)
def cancel(order: Order, said: Said, actor: User) -> str:
    """Ask the platform to cancel the order."""
    interventions.cancel_at_platform(order_id=order.pk, actor=actor)
    return gettext(
        "The platform has accepted the request to cancel. A later status will show whether it was cancelled."
    )


def _withdrawing(order: Order) -> Confirmation:
    heading = _("Withdraw this order?")
    if not interventions.can_withdraw(order):
        return Confirmation(heading, _("The order is no longer queued: it may have reached the platform."), None)
    consequence = _("It has not been sent yet. Once withdrawn it never will be, and nothing is spent.")
    return Confirmation(heading, consequence, Button(_("Withdraw"), "danger"))


@ROOM.action("recharge.change_order", _withdrawing)
def withdraw(order: Order, said: Said, actor: User) -> str:
    """Take back an order that was not sent."""
    interventions.withdraw(order_id=order.pk, actor=actor)
    return gettext("Withdrawn. Nothing was spent.")


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Enter the platform's number"),
        _(
            "Look for the order in the vendor's console. The platform is asked for the order with this number, and it "
            "is taken only if it is this very order."
        ),
        Button(_("Ask the platform for it")),
    ),
    form=lambda data, order: PlatformNumberForm(data),
)
def enter_number(order: Order, said: Said, actor: User) -> str:
    """Give an order the number that the vendor's console shows for it."""
    number = said["platform_number"]
    order = interventions.look_up_by_number(order_id=order.pk, platform_number=number, actor=actor)
    if order.submission == Submission.ACCEPTED:
        return gettext("The platform has the order; it is under way again.")
    return ""


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("The vendor confirms that it never arrived"),
        _(
            "Only for what the vendor has said of this very order. A second person has to agree; then it counts as "
            "never arrived, marked as declared, and can be placed again. Nothing changes before."
        ),
        Button(_("Declare")),
    ),
    form=lambda data, order: VendorWordsForm(data),
)
def declare(order: Order, said: Said, actor: User) -> str:
    """Declare what the vendor says of an order that the platform doesn't find."""
    declaring.declare(order_id=order.pk, actor=actor, words=said["words"])
    return gettext("Declared. Another person has to agree.")


def _marks(order: Order) -> Confirmation:
    return Confirmation(
        _("Mark as dealt with?"),
        _(
            "This only closes the mark. It is no proof, so it doesn't allow the order to be placed again; only "
            "evidence from the platform does. If the same top-up is needed once more, place a new order and say why."
        ),
        Button(_("Mark as dealt with")),
        details="recharge/orders/_open_marks.html",
        context={"marks": wording.open_marks(order)},
        seen={"seen": cast(Any, order).last_event},
    )


@ROOM.action("recharge.change_order", _marks, form=lambda data, order: NoteForm(data, open_marks=order.marked_as))
def acknowledge(order: Order, said: Said, actor: User) -> str:
    """Mark what needed attention as dealt with, with a note."""
    kinds = [MarkKind(kind) for kind in said.get("marks", [])]
    interventions.acknowledge(order_id=order.pk, actor=actor, note=said["note"], last_seen=said["seen"], kinds=kinds)
    return gettext("Marked as dealt with.")
