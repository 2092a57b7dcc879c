"""Where in a line the numbers are that are to be recharged."""

import re
from typing import NamedTuple

from portal.kit.digits import MOBILE_FORMS, card_digits, digits_of
from recharge.choices import Product


class Target(NamedTuple):
    """A number and its place in the folded line. `text` is its digits."""

    text: str
    start: int
    end: int


# Nothing may touch a number that could be a part of it, or of something larger: a letter, a fraction, another country.
_LEFT = r"(?<![0-9A-Za-z@+])(?<![0-9][.·])"
_RIGHT = r"(?![0-9A-Za-z@])(?![.·][0-9])"
_CALLED = r"(?<=tel)|(?<=phone)|(?<=mobile)"
_MOBILE = re.compile(rf"(?:{_LEFT}|{_CALLED})(?P<number>{MOBILE_FORMS}){_RIGHT}", re.ASCII | re.VERBOSE | re.IGNORECASE)

# 19 digits that begin with 100011, and 16 that begin with 9, may be grouped by fours. Other cards stand ungrouped.
_GAP = r"[\s\-‐-―]"
_CARD = re.compile(
    rf"{_LEFT}(?P<number>1000{_GAP}?11[0-9]{{2}}(?:{_GAP}?[0-9]{{4}}){{2}}{_GAP}?[0-9]{{3}}"
    rf"|9[0-9]{{3}}(?:{_GAP}?[0-9]{{4}}){{3}}|[0-9]{{10,30}}){_RIGHT}",
    re.ASCII,
)


def targets(line: str, product: str) -> list[Target]:
    """Return the numbers of a product in a folded line, in their order."""
    if product == Product.OIL:
        return [Target(card_digits(found["number"]) or "", *found.span("number")) for found in _CARD.finditer(line)]
    return [Target(digits_of(found), *found.span("number")) for found in _MOBILE.finditer(line)]
