"""What is told of an order to people outside: the customer who paid for it, and the vendor's support.

Both read Chinese, whatever language the one who copies it works in.
"""

import datetime as dt

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from recharge.choices import NOT_HANDED_OVER, MarkKind, Submission, bits_of
from recharge.core import phone_numbers
from recharge.core.masking import hide_mobile, may_see
from recharge.core.wording import Group, is_only_reported, of_order
from recharge.models import Order
from recharge.status import Status

THEIR_LANGUAGE = "zh-hans"

KNOWN_ALL_THE_SAME = bits_of([MarkKind.REVERSED, MarkKind.PARTLY_ARRIVED, MarkKind.OVERDUE, MarkKind.SUSPENDED])
"""Marks that call for a person, and leave no doubt about what is known."""

CHECKING = _("we are checking the result; please wait a little")
TO_CUSTOMER: dict[Group, str | Promise] = {
    Group.SUCCEEDED: _("it arrived on %(settled)s; please have a look"),
    Group.IN_PROGRESS: _("it is under way; please wait a little"),
    Group.UNKNOWN: _("we are asking the operator whether it has arrived; please don't pay elsewhere yet"),
    Group.FAILED: _("it did not go through; we are settling it"),
    Group.NOT_SPENT: _("it was not carried out; we are settling it"),
}
"""What a customer may be told, in words that promise nothing the platform hasn't confirmed."""

TO_CUSTOMER_OF_STATUS: dict[int, str | Promise] = {
    Status.REVERSED: _("it had arrived, and the operator took it back afterwards; we are settling it"),
    Status.PARTLY_ARRIVED: _("only a part has arrived; we are settling the rest"),
}

TO_VENDOR: dict[Group, str | Promise] = {
    Group.SUCCEEDED: _("You report %(status)s since %(since)s. Please send the proof if the customer misses it."),
    Group.IN_PROGRESS: _("You report %(status)s since %(since)s. Please see to it, and tell us the result."),
    Group.UNKNOWN: _("We got no clear answer when we handed it over. Please check whether you have it."),
    Group.FAILED: _("You report %(status)s since %(since)s, and the money has not come back. Please return it soon."),
    Group.NOT_SPENT: _("You refused it: %(refusal)s. Please tell us why."),
}
"""What the vendor is asked, by what is known of the order."""


def is_in_doubt(order: Order) -> bool:
    """Say whether what is known of the order contradicts itself, or is hearsay that an answer may still confirm."""
    if order.is_provably_unspent:
        return False
    return bool(order.open_marks & ~KNOWN_ALL_THE_SAME) or _is_hearsay(order)


def _is_hearsay(order: Order) -> bool:
    """Say whether only a callback tells of the outcome; with one witness only, nothing else ever will."""
    return is_only_reported(order) and order.settled_at is None


def can_have_receipt(order: Order) -> bool:
    """Say whether a customer may get it in writing that the money has arrived."""
    return order.status == Status.SUCCEEDED and order.settled_at is not None and not is_in_doubt(order)


def for_customer(order: Order, newest: Order | None = None) -> str:
    """Return a sentence about an order to be copied for the customer; the number is masked.

    Args:
        order: the one that he asks about.
        newest: the last attempt of its chain of replacements, where there are others.
    """
    with override(THEIR_LANGUAGE):
        state = _to_customer(order)
        failed = of_order(order).group in (Group.FAILED, Group.NOT_SPENT)
        if newest and newest.pk != order.pk and failed and not is_in_doubt(order):
            again = gettext("it did not go through; we placed it once more on %(when)s, and %(state)s")
            state = again % {"when": _day(newest.placed_at), "state": _to_customer(newest)}
        words = gettext("Hello, about the ¥ %(value)d for %(target)s that you ordered on %(when)s: %(state)s.")
        return words % {
            "value": order.face_value,
            "target": _masked(order),
            "when": _day(order.placed_at),
            "state": state,
        }


def _to_customer(order: Order) -> str:
    if is_in_doubt(order):
        return str(CHECKING)
    if order.status == Status.PARTLY_ARRIVED and order.credited_amount:
        amount = f"{order.credited_amount.normalize():f}"
        return gettext("only ¥ %(amount)s have arrived; we are settling the rest") % {"amount": amount}
    words = TO_CUSTOMER_OF_STATUS.get(order.status or 0) or TO_CUSTOMER[of_order(order).group]
    return str(words) % {"settled": _day(order.status_at or order.placed_at)}


def for_vendor(order: Order, viewer: User) -> str:
    """Return a text about an order to be copied for the vendor's support, "" where he can know nothing of it.

    Args:
        order: the order.
        viewer: the person; who may not see the number whole gets it masked.
    """
    if order.submission in (*NOT_HANDED_OVER, Submission.WITHDRAWN):
        return ""
    with override(THEIR_LANGUAGE):
        words = gettext(
            "Hello, please look at this order: order number %(order_no)s, platform number %(platform_number)s, "
            "%(target)s, face value ¥ %(value)d, handed over on %(when)s. %(request)s"
        )
        return words % {
            "order_no": order.order_no,
            "platform_number": order.gateway_order_no or gettext("unknown"),
            "target": order.mobile if order.mobile and may_see(order, viewer) else _masked(order),
            "value": order.face_value,
            "when": _day(order.submitted_at or order.placed_at),
            "request": _request(order, viewer),
        }


def _request(order: Order, viewer: User) -> str:
    if is_in_doubt(order) and not _is_hearsay(order):
        return gettext("What you reported of it contradicts itself. Please tell us the result.")
    if is_in_doubt(order):
        words = gettext("Your callback says %(status)s, and no query confirms it so far. Please tell us the result.")
        return words % {"status": of_order(order).label}
    if MarkKind.SUSPENDED in order.marked_as:
        return gettext("The number was suspended after the money had arrived. Please find out why, and tell us.")
    if order.submission == Submission.NOT_RECEIVED:
        return gettext("You answered several times that you don't have it. Please confirm that.")
    if order.status == Status.PARTLY_ARRIVED:
        return gettext("You report that only a part arrived. Please top up or return the rest.")
    group = of_order(order).group
    if group == Group.FAILED and not order.owes_refund:
        return gettext("You report that it was refunded, which your answer confirms; for your information.")
    if order.status is None and group == Group.IN_PROGRESS:
        return gettext("You accepted it, and said nothing more. Please see to it, and tell us the result.")
    refusal = hide_mobile(order.refusal, order, viewer)
    since = _day(order.status_at or order.placed_at)
    return str(TO_VENDOR[group]) % {"status": of_order(order).label, "since": since, "refusal": refusal or "–"}


def _masked(order: Order) -> str:
    """Return the number with its middle hidden, or the card by its last digits."""
    if order.oil_card:
        return gettext("the oil card ending in %(end)s") % {"end": order.oil_card.last_four}
    return phone_numbers.masked(order.mobile)


def _day(moment: dt.datetime) -> str:
    local = timezone.localtime(moment)
    parts = {"year": local.year, "month": local.month, "day": local.day, "time": f"{local:%H:%M}"}
    if local.year != timezone.localtime().year:
        return gettext("%(year)d-%(month)d-%(day)d %(time)s") % parts
    return gettext("%(month)d/%(day)d %(time)s") % parts
