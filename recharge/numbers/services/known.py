"""What is known of phone numbers: what the platform said lately, kept for some days, else their first digits."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.gateway import MobileInfo
from portal.kit.database import from_now
from recharge.choices import Carrier, KnownFrom, NumberVerdict
from recharge.core import phone_numbers
from recharge.core.events import clean
from recharge.models import NumberInfo, NumberOffer, Order

from .judging import Judgement

PLACE_LIMIT = 20
WORDS_LIMIT = 200
PORTED, UNABLE = "ported", "unable"
"""What names a doubt, so that a person confirms what was shown."""

Offer = tuple[str, int, int]
"""Number, value in yuan, and speed."""


def describe(orders: Iterable[Order]) -> None:
    """Write onto orders what is known of their numbers at this moment: statistics ask for it later.

    Args:
        orders: not saved yet; those of oil cards are left alone.
    """
    with_numbers = [order for order in orders if order.mobile]
    told = infos({order.mobile for order in with_numbers})
    for order in with_numbers:
        order.carrier, order.province = phone_numbers.first_given_to(order.mobile)
        order.known_from = KnownFrom.HINT if order.carrier or order.province else ""
        info = told.get(order.mobile)
        if info and info.carrier:
            order.carrier, order.ported, order.known_from = info.carrier, info.ported, KnownFrom.PLATFORM
            order.province = info.province or order.province


def infos(mobiles: Iterable[str]) -> Mapping[str, NumberInfo]:
    """Return what the platform said lately of some numbers, by the numbers; nothing where it is never asked."""
    if not settings.NUMBER_INFO:
        return {}
    found = NumberInfo.objects.filter(mobile__in=set(mobiles), told_at__gte=_since())
    return {info.mobile: info for info in found}


def offers(orders: Iterable[Order]) -> Mapping[Offer, NumberOffer]:
    """Return what the platform said lately of topping numbers up as some orders do; nothing where it is never asked."""
    if not settings.NUMBER_VERIFY:
        return {}
    found = NumberOffer.objects.filter(mobile__in={order.mobile for order in orders}, told_at__gte=_since())
    return {(offer.mobile, offer.face_value, offer.speed): offer for offer in found}


def doubts(orders: Collection[Order]) -> Mapping[Offer, Judgement]:
    """Return what of the platform's lately given answers a person should confirm before some orders are placed.

    No answer is no doubt. Whether a number can be topped up, the answer about just that decides; where there is none,
    that a number was ported speaks against it.

    Args:
        orders: not saved yet; those of oil cards raise none.
    """
    with_numbers = [order for order in orders if order.mobile]
    told, verified = infos({order.mobile for order in with_numbers}), offers(with_numbers)
    found = {}
    for order in with_numbers:
        key = offer_of(order)
        if doubt := doubt_of(told.get(order.mobile), verified.get(key)):
            found[key] = doubt
    return found


def offer_of(order: Order) -> Offer:
    """Return what the platform is asked about an order."""
    return order.mobile, order.face_value, order.speed


def doubt_of(info: NumberInfo | None, offer: NumberOffer | None) -> Judgement | None:
    """Return what a person should confirm of the platform's answers about a number; None where that is nothing."""
    if offer and not offer.able:
        message = _("The platform says that this can't be topped up: %(words)s") % {"words": offer.words or "–"}
        return Judgement(NumberVerdict.WARN, UNABLE, message)
    if info and info.ported and not offer:
        message = _(
            "The platform says that this number was ported from %(original)s to %(now)s. Ported numbers usually "
            "can't be topped up."
        ) % {"original": info.get_original_carrier_display(), "now": info.get_carrier_display()}
        return Judgement(NumberVerdict.WARN, PORTED, message)
    return None


def keep_info(mobile: str, told: MobileInfo) -> NumberInfo | None:
    """Keep what the platform said of a number.

    Args:
        mobile: its 11 digits.
        told: the answer, as it was read.

    Returns:
        What is kept; None where the answer names no carrier, so that it says nothing.
    """
    original, now = phone_numbers.carrier_in(told.original_carrier), phone_numbers.carrier_in(told.current_carrier)
    if not (original or now):
        return None
    place = told.province.strip()
    said = {
        "carrier": now or original,
        "original_carrier": original,
        "province": phone_numbers.province_in(place) or clean(place, PLACE_LIMIT),
        "city": clean(told.city.strip(), 2 * PLACE_LIMIT),
        # Two names that nobody knows may be two spellings of one.
        "ported": now != original if original and now and not original == now == Carrier.OTHER else None,
    }
    return NumberInfo.objects.update_or_create(mobile=mobile, defaults={**said, "told_at": Now()})[0]


def keep_offer(offered: Offer, *, able: bool, words: str = "") -> NumberOffer:
    """Keep what the platform said of topping up a number.

    Args:
        offered: number, value in yuan, and speed that it was asked about.
        able: whether it may be ordered.
        words: the platform's own, where it may not; the number is left out of them.
    """
    mobile, face_value, speed = offered
    said = {"able": able, "words": clean(words.replace(mobile, "…"), WORDS_LIMIT), "told_at": Now()}
    asked: dict[str, Any] = {"mobile": mobile, "face_value": face_value, "speed": speed}
    return NumberOffer.objects.update_or_create(**asked, defaults=said)[0]


def forget_old() -> None:
    """Delete what was said too long ago to be gone by."""
    for kept in (NumberInfo, NumberOffer):
        kept._default_manager.filter(told_at__lt=_since()).delete()


def _since() -> object:
    return from_now(-dt.timedelta(days=settings.NUMBER_ANSWER_DAYS))
