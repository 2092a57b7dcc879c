"""Lists in which each number stands on a line, and its value on the next one."""

import re
from collections.abc import Iterator
from enum import Enum

from . import moments
from .figures import value_of
from .line import folded
from .targets import targets

Lines = list[tuple[int, str]]

CELLS_APART = "\t"
FEWEST_PAIRS = 2  # one alone shows no order of the lines
MAX_VALUE_LENGTH = 20  # characters, with its words of money
_DIGIT = re.compile(r"\d")
_TOTAL = re.compile(r"\s*(?:合\s*计|总\s*计|共\s*计|小\s*计|总共|一共|共)")


class _Kind(Enum):
    NUMBER = "number"
    VALUE = "value"
    OTHER = "other"  # the head of a message, a total, words
    UNCLEAR = "unclear"  # it may be about a number or a value


def joined(lines: Lines, *, product: str, offered: frozenset[int]) -> Lines | None:
    """Return the lines of a text with each value behind the number above it; None where any may belong elsewhere.

    Each line with a number must have a value alone below it, and no other line may be about a value, but for totals.

    Args:
        lines: with their numbers; none is blank.
        product: what the numbers are.
        offered: the values that may be ordered.
    """
    kinds = [_kind(folded(typed)[0], product, offered) for _number, typed in lines]
    if kinds.count(_Kind.VALUE) < FEWEST_PAIRS or _Kind.UNCLEAR in kinds:
        return None
    if [kind is _Kind.NUMBER for kind in kinds] != [kind is _Kind.VALUE for kind in kinds[1:]] + [False]:
        return None
    return list(_pairs(lines, kinds))


def _kind(text: str, product: str, offered: frozenset[int]) -> _Kind:
    if len(text) <= MAX_VALUE_LENGTH and value_of(text) in offered:
        return _Kind.VALUE
    if targets(text, product):
        return _Kind.NUMBER
    is_about_none = not _DIGIT.search(text) or moments.message_head(text) is not None or _TOTAL.match(text)
    return _Kind.OTHER if is_about_none else _Kind.UNCLEAR


def _pairs(lines: Lines, kinds: list[_Kind]) -> Iterator[tuple[int, str]]:
    for place, (number, typed) in enumerate(lines):
        if kinds[place] is _Kind.NUMBER:
            yield number, f"{typed}{CELLS_APART}{lines[place + 1][1]}"
        elif kinds[place] is _Kind.OTHER:
            yield number, typed
