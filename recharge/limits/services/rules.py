"""What may be ordered: one home for the rules, which placing, lines of a sheet and repetitions of failed orders ask."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from oilcards.models import OilCard
from oilcards.services.availability import can_recharge
from oilcards.services.errors import NotRechargeable
from portal.kit.lists import listed
from recharge.choices import NumberVerdict, Product, Speed
from recharge.core import phone_numbers
from recharge.models import PROVABLY_UNSPENT, Batch, Order, OrderQuerySet
from recharge.numbers.services import judging as numbers

from . import slow_guard

DUPLICATE_WINDOW = dt.timedelta(hours=24)
Target = tuple[str, int | None, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an order may not be placed; `field` names what of it is wrong."""

    field: str
    message: str


def face_values(product: str) -> list[int]:
    """Return the values, in yuan, that may be ordered."""
    return settings.OIL_FACE_VALUES if product == Product.OIL else settings.FACE_VALUES


def speeds(product: str) -> list[Speed]:
    """Return the speeds that may be ordered, the usual one first."""
    return [Speed(speed) for speed in settings.OIL_SPEEDS] if product == Product.OIL else [Speed.FAST, Speed.SLOW]


def problems(order: Order, card: OilCard | None = None) -> list[Problem]:
    """Say all that keeps an order from being placed, as far as the order alone tells.

    Args:
        order: not saved yet.
        card: its oil card as it is now; by default as the order has it.
    """
    return [*_problems_of_target(order, card), *_problems_of_value(order), *_problems_of_speed(order), *_missing(order)]


def doubt(order: Order) -> numbers.Judgement | None:
    """Return what a person has to confirm of an order's number before it is placed; None where that is nothing."""
    judged = numbers.judge(order.mobile) if order.product == Product.MOBILE else numbers.FINE
    return judged if judged.verdict == NumberVerdict.WARN else None


def target(order: Order) -> Target:
    """Return what makes two orders the same."""
    return order.mobile, order.oil_card_id, order.face_value


def earlier_ones(
    orders: Collection[Order],
    *,
    since: int | None = None,
    apart_from: OrderQuerySet | None = None,
    besides: Batch | None = None,
) -> dict[Target, Order]:
    """Return, by their targets, the latest orders that some new ones would repeat.

    Args:
        orders: the new ones.
        since: as in `may_have_spent`.
        apart_from: orders that are judged otherwise: the attempts that a replacement stands in for.
        besides: a batch that they belong to, whose own orders don't count.
    """
    same = Q(mobile__in={order.mobile for order in orders if order.mobile})
    same |= Q(oil_card__in={order.oil_card_id for order in orders if order.oil_card_id})
    others = Q(batch=None) | ~Q(batch=besides) if besides else Q()
    found = may_have_spent(Order.objects.filter(same, others), since=since).order_by("id")
    if apart_from is not None:
        found = found.exclude(pk__in=apart_from.order_by().values("pk"))
    return {target(order): order for order in found.only("order_no", "mobile", "oil_card", "face_value")}


def may_have_spent(orders: OrderQuerySet, *, since: int | None = None) -> OrderQuerySet:
    """Of some orders, those that a repetition would be a duplicate of.

    They were placed or handed over within 24 hours, or are open: an outage of two days is no reason to forget what
    still waits.

    Args:
        orders: the orders.
        since: the key of a dead order that is to be replaced: what came after it may have stood in for it, at any age.
    """
    day_ago = timezone.now() - DUPLICATE_WINDOW
    lately = Q(placed_at__gte=day_ago) | Q(submitted_at__gte=day_ago) | Q(settled_at=None)
    if since:
        lately |= Q(pk__gt=since)
    return orders.filter(lately).exclude(PROVABLY_UNSPENT)


def _problems_of_target(order: Order, card: OilCard | None) -> Iterable[Problem]:
    if order.product == Product.OIL:
        card = card or order.oil_card
        if card is None:
            yield Problem("oil_card", _("This card is not in the card book."))
        elif not can_recharge(card):
            yield Problem("oil_card", str(NotRechargeable(card)))
        return
    try:
        if phone_numbers.normalize(order.mobile) != order.mobile:
            yield Problem("mobile", _("A mobile number has 11 digits and begins with 13 to 19."))
    except phone_numbers.InvalidMobile as error:
        yield Problem("mobile", str(error))
    else:
        judged = numbers.judge(order.mobile)
        if judged.verdict == NumberVerdict.REFUSE:
            yield Problem("mobile", judged.message)


def _problems_of_value(order: Order) -> Iterable[Problem]:
    offered = face_values(order.product)
    if order.face_value not in offered:
        yield Problem("face_value", _("The face value must be one of %(listed)s.") % {"listed": listed(offered)})


def _problems_of_speed(order: Order) -> Iterable[Problem]:
    if order.speed not in speeds(order.product):
        yield Problem("speed", _("Oil cards can't be recharged at this speed."))


def _missing(order: Order) -> Iterable[Problem]:
    return (Problem(field, sentence) for field, sentence in slow_guard.missing(order))
