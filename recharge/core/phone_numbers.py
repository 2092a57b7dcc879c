"""Chinese mobile numbers: their one written form, and what their first digits hint at."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.kit.digits import fold, mobile_digits, why_no_number
from recharge.choices import Carrier

PROVINCES = (
    *("北京", "天津", "上海", "重庆", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽"),
    *("福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "四川", "贵州", "云南", "西藏", "陕西"),
    *("甘肃", "青海", "宁夏", "新疆"),
)
_NAMES = {
    Carrier.CMCC.value: ("移动", "mobile", "cmcc"),
    Carrier.UNICOM.value: ("联通", "unicom", "cucc"),
    Carrier.TELECOM.value: ("电信", "telecom", "ctcc"),
    Carrier.BROADNET.value: ("广电", "broadnet", "broadcast", "cbn"),
}
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
        InvalidMobile: it is no mobile number.
    """
    if _MOBILE.fullmatch(text):
        return text
    if not fold(text):
        raise InvalidMobile(_("Enter a mobile number."))
    digits = mobile_digits(text)
    if digits is None or not _MOBILE.fullmatch(digits):
        raise InvalidMobile(why_no_number(text) or _("A mobile number has 11 digits and begins with 13 to 19."))
    return digits


def hint(mobile: str) -> Hint:
    """Say which carrier and region the 11 digits were first given to, "" where it isn't known."""
    return Hint(carrier(mobile), str(_geocoder().description_for_number(_parsed(mobile), _language())))


def carrier(mobile: str) -> str:
    """Say which carrier the 11 digits were first given to, "" where it isn't known; quick for many of them."""
    return _carrier(mobile[:7], _language())


def carrier_in(text: str) -> str:
    """Return which carrier a text names, one of `Carrier`, whoever wrote it; "" where it is empty.

    Args:
        text: such as 移动, 中国移动 or China Mobile. What it names that nobody knows is another carrier.
    """
    words = text.strip().lower()
    return next((code for code, names in _NAMES.items() if any(name in words for name in names)), "") or (
        Carrier.OTHER.value if words else ""
    )


def province_in(text: str) -> str:
    """Return the short Chinese name of the province that a text begins with, such as 广东 of 广东省深圳市; else ""."""
    return next((name for name in PROVINCES if text.strip().startswith(name)), "")


def first_given_to(mobile: str) -> tuple[str, str]:
    """Return which carrier, one of `Carrier`, and which province the 11 digits were first given to.

    Each is "" where it isn't known. Microseconds, for many of them.
    """
    return _first_given_to(mobile[:7])


@lru_cache(maxsize=20_000)
def _first_given_to(beginning: str) -> tuple[str, str]:
    number = _parsed(beginning.ljust(11, "0"))
    place = _geocoder().description_for_valid_number(number, "zh")
    return carrier_in(_carriers().name_for_valid_number(number, "zh")), province_in(place)


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
