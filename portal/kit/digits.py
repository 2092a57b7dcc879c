"""Digits as people type them: what may stand between them, and what makes a text no number at all.

Money follows these digits, so no number is ever made of two things that stand side by side: marks are taken for
grouping only where people group, and nothing but full-width characters is folded. NFKC would read 50² as 502.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u3164\ufeff\uffa0" + "".join(
    chr(code)
    for first, last in (
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0xFE00, 0xFE0F),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""What programs leave around a number, and nobody sees: what Unicode calls default ignorable."""

FOLDED = {
    **{0xFEE0 + code: code for code in range(0x21, 0x7F)},
    **dict.fromkeys(map(ord, INVISIBLE)),
    0x3000: 0x20,
    0xA0: 0x20,
}
"""For `str.translate`: full-width characters become plain ones, invisible ones go."""

_MARK = r"[\s\-‐-―−.·_]{1,3}"
MOBILE_FORMS = rf"""(?:\(?(?:\+|00)?86\)?[\s\-‐-―−]{{0,3}})?          # the country code, perhaps in brackets
    (?:(?P<whole>1[0-9]{{10}})|\((?P<bracketed>1[0-9]{{10}})\)
    |(?:(?P<first>1[0-9]{{2}}){_MARK}|\((?P<area>1[0-9]{{2}})\)(?:{_MARK})?)(?P<rest>[0-9]{{4}}{_MARK}[0-9]{{4}})
    |\((?P<prefix>1[0-9]{{2}})\)(?P<others>[0-9]{{8}}))"""
"""The pattern, verbose, of every way in which people write a mobile number; its named groups hold the digits."""

_PARTS = ("whole", "bracketed", "first", "area", "rest", "prefix", "others")
_MOBILE = re.compile(MOBILE_FORMS, re.ASCII | re.VERBOSE)
_GAP = r"[\s\-‐-―]{1,3}"
_CARD = re.compile(rf"[0-9]{{3,}}(?:{_GAP}[0-9]{{3,}})*|(?:[0-9]{{4}}{_GAP})+[0-9]{{1,3}}")
_FRACTION = re.compile(r"[0-9]+[.][0-9]+")
_BETWEEN = re.compile(r"[\s\-‐-―−.·_()]+")


def fold(text: str) -> str:
    """Return a text with full-width characters as plain ones, without invisible ones and blanks around it."""
    return text.translate(FOLDED).strip()


def mobile_digits(text: str) -> str | None:
    """Return the 11 digits that a text says in any way in which people write a mobile number; None where it doesn't.

    Grouped are 138 0013 8000, with +86, 0086 or 86 in front.
    """
    match = _MOBILE.fullmatch(fold(text))
    return digits_of(match) if match else None


def digits_of(match: re.Match[str]) -> str:
    """Return the digits of a number that was found by the pattern `MOBILE_FORMS`, without the country code."""
    return re.sub(r"[^0-9]", "", "".join(match[part] or "" for part in _PARTS))


def card_digits(text: str) -> str | None:
    """Return the digits of a card number, with blanks or dashes between groups of three and more; else None.

    The last group after groups of four may be shorter, as in 1000 1112 3456 7894 32. A point is never a mark: it may be
    a fraction's.
    """
    match = _CARD.fullmatch(fold(text))
    return re.sub(r"[^0-9]", "", match[0]) if match else None


def why_no_number(text: str) -> str:
    """Say what keeps a text from being a number, where it looks like one; "" where it doesn't, or is one."""
    folded = fold(text)
    # Of words, such as 三 in a name, nobody would say that they are no plain digits.
    odd = next((c for c in folded if not c.isascii() and unicodedata.category(c) in ("Nd", "Nl", "No")), "")
    if odd:
        return _("“%(odd)s” is no plain digit: type the number again.") % {"odd": odd}
    if _FRACTION.fullmatch(folded):
        return _("This is no whole number: something was lost or added.")
    if re.search(r"[0-9]", folded) and re.fullmatch(r"\+?[0-9]+", _BETWEEN.sub("", folded)) and _BETWEEN.search(folded):
        return _("The digits are not grouped as in a number: is something else among them?")
    return ""
