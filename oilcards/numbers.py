"""Card numbers, phone numbers, ID numbers and names: their one written form, and what is odd about them.

What can't be right is refused with `InvalidValue`; what is only unusual, where the platform's document says nothing, is
a doubt that a person may set aside. No message repeats the value.
"""

import datetime as dt
import re
import unicodedata

from django.utils import timezone
from django.utils.translation import gettext as _
from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength

from portal.kit.digits import card_digits, fold, mobile_digits, why_no_number

from .choices import CardType

CARD_NUMBER_DIGITS = range(10, 31)
"""A number of any other length is no card number."""

_SHAPES = {CardType.SINOPEC: (19, "100011"), CardType.PETROCHINA: (16, "9")}
_SEPARATORS = re.compile(r"[\s\-‐-―]+")
_DIGITS = re.compile(r"[0-9]+")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .·'-]){1,49}")


class InvalidValue(ValueError):
    """The text can't be right; the message says why."""


def card_number(text: str) -> str:
    """Return the digits of a card number typed in any usual form.

    Raises:
        InvalidValue: it is no card number.
    """
    typed = fold(text)
    if not typed:
        raise InvalidValue(_("Enter the card number."))
    number = card_digits(typed) or typed
    if not _DIGITS.fullmatch(number):
        raise InvalidValue(why_no_number(typed) or _("A card number consists of digits only."))
    if len(number) not in CARD_NUMBER_DIGITS:
        raise InvalidValue(_("A card number with %(count)d digits doesn't exist.") % {"count": len(number)})
    return number


def card_number_doubts(number: str, card_type: CardType) -> list[str]:
    """Say what is unusual about a card number of this type: the document says nothing about its form."""
    length, beginning = _SHAPES[card_type]
    doubts = []
    for other, (other_length, other_beginning) in _SHAPES.items():
        if other != card_type and len(number) == other_length and number.startswith(other_beginning):
            doubts.append(_("This looks like a card of %(issuer)s.") % {"issuer": other.label})
    if len(number) != length:
        doubts.append(
            _("Cards of %(issuer)s have %(expected)d digits; this number has %(count)d.")
            % {"issuer": card_type.label, "expected": length, "count": len(number)}
        )
    if not number.startswith(beginning):
        doubts.append(
            _("Card numbers of %(issuer)s begin with %(beginning)s; this one doesn't.")
            % {"issuer": card_type.label, "beginning": beginning}
        )
    return doubts


def phone(text: str) -> str:
    """Return the 11 digits of the holder's mobile number.

    Raises:
        InvalidValue: it is no mobile number.
    """
    if not fold(text):
        raise InvalidValue(_("Enter the holder's mobile number."))
    number = mobile_digits(text)
    if number is None or not _PHONE.fullmatch(number):
        raise InvalidValue(why_no_number(text) or _("A mobile number has 11 digits and begins with 13 to 19."))
    return number


def national_id(text: str) -> str:
    """Return the 18 characters of an ID number (身份证), its X in upper case.

    Raises:
        InvalidValue: its length, its characters, the birth date in it or its check digit is wrong.
    """
    number = _compact(text).upper()
    if not number:
        raise InvalidValue(_("Enter the holder's ID number."))
    try:
        ric.validate(number)
    except InvalidLength:
        raise InvalidValue(
            _("An ID number has 18 characters; this one has %(count)d.") % {"count": len(number)}
        ) from None
    except InvalidFormat:
        raise InvalidValue(_("An ID number has 17 digits and a last digit or X.")) from None
    except InvalidChecksum:
        raise InvalidValue(_("The last character doesn't fit the others: something is mistyped.")) from None
    except InvalidComponent:
        pass  # the birth date, see below, or a region that our list doesn't know, which is only a doubt
    if not _birth_date_exists(number):
        raise InvalidValue(_("The birth date in this ID number doesn't exist."))
    return number


def national_id_doubts(number: str) -> list[str]:
    """Say what is unusual about a valid ID number: regions come and go, and no list of them is complete."""
    try:
        ric.get_birth_place(number)
    except InvalidComponent:
        return [_("The region in this ID number isn't on our list.")]
    return []


def holder_name(text: str) -> str:
    """Return the holder's name, its spaces put in order.

    Raises:
        InvalidValue: it is empty, a single character, too long, or holds something else than letters.
    """
    name = " ".join(unicodedata.normalize("NFC", text).replace("•", "·").replace("・", "·").split())
    if not name:
        raise InvalidValue(_("Enter the holder's name."))
    if not _NAME.fullmatch(name):
        raise InvalidValue(_("A name has 2 to 50 characters."))
    return name


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", fold(text))


def _birth_date_exists(number: str) -> bool:
    try:
        return bool(dt.date(1870, 1, 1) < ric.get_birth_date(number) <= timezone.localdate())
    except InvalidComponent:
        return False
