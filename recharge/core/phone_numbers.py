"""Chinese mobile numbers: their one written form, and what their first digits hint at."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.kit.digits import fold, mobile_digits, why_no_number

VIRTUAL_PREFIXES = ("162", "165", "167", "170", "171")
DATA_PREFIX = "14"
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


class InvalidMobile(ValueError):
    """The text is no number that can be topped up; the message says why."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What the first digits of a number say. Numbers get ported, so it's no more than a hint."""

    carrier: str
    region: str


def normalize(text: str) -> str:
    """Return the 11 digits of a number typed in any usual form.

    Args:
        text: with spaces, dashes, full-width digits, +86, 0086 or 86 in front, as people type it.

    Raises:
        InvalidMobile: it is no mobile number, or one of a kind that the platform can't top up. [pub]
    """
    if not fold(text):
        raise InvalidMobile(_("Enter a mobile number."))
    digits = mobile_digits(text)
    if digits is None or not _MOBILE.fullmatch(digits):
        raise InvalidMobile(why_no_number(text) or _("A mobile number has 11 digits and begins with 13 to 19."))
    if digits.startswith(VIRTUAL_PREFIXES):
        raise InvalidMobile(
            _("%(prefix)s is a virtual operator's prefix; such numbers can't be topped up.") % {"prefix": digits[:3]}
        )
    if digits.startswith(DATA_PREFIX):
        raise InvalidMobile(
            _("%(prefix)s is a prefix of data cards; such numbers can't be topped up.") % {"prefix": digits[:3]}
        )
    return digits


def hint(mobile: str) -> Hint:
    """Say which carrier and region the 11 digits were first given to, "" where it isn't known."""
    return Hint(carrier(mobile), str(_geocoder().description_for_number(_parsed(mobile), _language())))


def carrier(mobile: str) -> str:
    """Say which carrier the 11 digits were first given to, "" where it isn't known; quick for many of them."""
    return _carrier(mobile[:7], _language())


def masked(mobile: str) -> str:
    """Return the number with its middle hidden: 138****8000."""
    return f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) == 11 else mobile


def grouped(mobile: str) -> str:
    """Return the number as people read it out: 138 0013 8000."""
    return f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}" if len(mobile) == 11 else mobile


def _language() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"


@lru_cache(maxsize=20_000)
def _carrier(beginning: str, language: str) -> str:
    return str(_carriers().name_for_number(_parsed(beginning.ljust(11, "0")), language))


def _parsed(mobile: str) -> Any:
    """Return a number as the library has it; its digits are known to be ones, so that nothing need be parsed."""
    from phonenumbers import PhoneNumber

    return PhoneNumber(country_code=86, national_number=int(mobile))


@cache
def _carriers() -> Any:
    """Load the data only where somebody asks: it takes 10 MB."""
    from phonenumbers import carrier

    return carrier


@cache
def _geocoder() -> Any:
    """Likewise: it takes 100 MB, which those who only count carriers should not pay."""
    from phonenumbers import geocoder

    return geocoder
