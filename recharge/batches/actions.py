"""What a person may do with a batch: each action is shown for confirmation first, and done by a POST."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal.web.actions import Button, Confirmation, Room, Said
from recharge.batches.services.assembling import failed_orders
from recharge.batches.services.making import make_again
from recharge.choices import NOT_YET_SENT
from recharge.core.errors import Outdated, ServiceError
from recharge.core.forms import DAMAGED
from recharge.fulfilment.services.replacing import count_to_be_held
from recharge.models import Batch
from recharge.models.orders import OrderQuerySet

from .forms import AgainForm, RemarkForm, RescheduleForm, ResumeForm
from .services import managing, scheduling
from .views import unknown
from .wording import ADVICE

ROOM = Room[Batch](
    noun="batch",
    template="recharge/batches/confirm.html",
    find=lambda batch_id: Batch.objects.select_related("made_by").with_last_event().filter(pk=batch_id).first(),
    unknown=unknown,
    address=lambda batch: reverse("batch_detail", args=[batch.pk]),
    refusals=(ServiceError,),
    on_form=lambda form, error: isinstance(error, Outdated) or isinstance(form, AgainForm),
)


def _totals(orders: OrderQuerySet) -> dict[str, Any]:
    return orders.order_by().aggregate(orders=Count("pk"), money=Sum("face_value"))


def _left(batch: Batch) -> dict[str, Any]:
    return {"left": _totals(batch.orders.filter(submission__in=NOT_YET_SENT))}


def _ask_why(data: Any, batch: Batch) -> RemarkForm:
    return RemarkForm(data, label=_("Why? Everybody sees it in the history."))


@ROOM.action(
    "recharge.change_batch",
    Confirmation(
        _("Pause this batch?"),
        _(
            "Orders that are being handed over right now are not held back; nothing else goes out until somebody lets "
            "the batch go on."
        ),
        Button(_("Pause"), "warning", icon="player-pause"),
    ),
    form=_ask_why,
)
def pause(batch: Batch, said: Said, actor: User) -> str:
    """Let no further order of the batch go out."""
    managing.pause(batch_id=batch.pk, actor=actor, reason=said["reason"])
    return gettext("Paused. No further order goes out.")


def _brake(batch: Batch) -> Confirmation:
    advice, to_be_held = ADVICE.get(batch.brake, ""), count_to_be_held(batch.orders.all())
    return Confirmation(
        _("Let this batch go on?"),
        "",
        Button(_("Let it go on"), icon="player-play"),
        details="recharge/batches/_brake.html",
        context={"advice": advice, "to_be_held": to_be_held, **_left(batch)},
        seen={"seen": cast(Any, batch).last_event},
    )


@ROOM.action(
    "recharge.change_batch",
    _brake,
    form=lambda data, batch: ResumeForm(data, label=_("What did you find, why may it go on?")),
)
def resume(batch: Batch, said: Said, actor: User) -> str:
    """Let a paused batch go on."""
    managing.resume(batch_id=batch.pk, actor=actor, last_seen=said["seen"], reason=said["reason"])
    return gettext("The batch goes on.")


@ROOM.action(
    "recharge.change_batch",
    lambda batch: Confirmation(
        _("Withdraw the rest of this batch?"),
        _("Once withdrawn they never will be, and nothing is spent on them. This can't be undone."),
        Button(_("Withdraw the rest"), "danger", icon="arrow-back-up"),
        details="recharge/batches/_left.html",
        context=_left(batch),
    ),
    form=_ask_why,
)
def withdraw(batch: Batch, said: Said, actor: User) -> str:
    """Take back what was not sent."""
    withdrawn = managing.withdraw_rest(batch_id=batch.pk, actor=actor, reason=said["reason"])
    words = ngettext(
        "%(orders)s order was withdrawn. Nothing was spent on it.",
        "%(orders)s orders were withdrawn. Nothing was spent on them.",
        withdrawn,
    )
    return words % {"orders": f"{withdrawn:,}"}


@ROOM.action(
    "recharge.approve_order",
    lambda batch: Confirmation(
        _("Let all orders follow at once?"),
        _(
            "The first orders have not all been accepted yet. If something is wrong with this batch, more money is at "
            "stake."
        ),
        Button(_("Don't wait for the first ones"), "danger", icon="player-skip-forward"),
        details="recharge/batches/_left.html",
        context=_left(batch),
    ),
)
def skip_canary(batch: Batch, said: Said, actor: User) -> str:
    """Let all orders follow without waiting for the first ones."""
    managing.skip_canary(batch_id=batch.pk, actor=actor)
    return gettext("All orders follow now.")


def _when(batch: Batch) -> Confirmation:
    return Confirmation(
        _("When does this batch go out?"),
        _("Empty fields mean: at once, and at any hour. What is being handed over at this moment is not held back."),
        Button(_("Save"), icon="clock"),
        details="recharge/batches/_schedule.html",
        context={"goes_out": scheduling.schedule_of(batch)},
        seen={"seen": cast(Any, batch).last_event},
    )


def _ask_when(data: Any, batch: Batch) -> RescheduleForm:
    schedule = scheduling.schedule_of(batch)
    return RescheduleForm(
        data,
        initial={
            "starts_at": schedule.starts_at,
            "hours_from": schedule.hours_from,
            "hours_until": schedule.hours_until,
        },
    )


@ROOM.action("recharge.change_batch", _when, form=_ask_when)
def schedule(batch: Batch, said: Said, actor: User) -> str:
    """Let the batch wait for a moment, keep to hours, or do neither any more."""
    wanted = scheduling.Schedule(said["starts_at"], said["hours_from"], said["hours_until"])
    scheduling.set_schedule(batch_id=batch.pk, actor=actor, last_seen=said["seen"], schedule=wanted)
    return gettext("It goes out: %(when)s.") % {"when": wanted}


def _failed(batch: Batch) -> Confirmation:
    failed = _totals(failed_orders(batch))
    return Confirmation(
        _("New batch from the failed ones?"),
        "",
        Button(_("Make the new batch"), icon="repeat") if failed["orders"] else None,
        details="recharge/batches/_failed.html",
        context={"failed": failed, "goes_out": scheduling.hours_of(batch) if batch.hours_from else None},
        seen={"orders_seen": failed["orders"], "money_seen": failed["money"] or 0},
    )


@ROOM.action("recharge.add_batch", _failed, form=lambda data, batch: AgainForm(data), damaged=DAMAGED)
def make_anew(batch: Batch, said: Said, actor: User) -> HttpResponse:
    """Make a new batch of the orders that are proven to have failed."""
    return redirect("batch_detail", make_again(batch_id=batch.pk, made_by=actor, **said).pk)
