"""What each figure in a line is: a value, a counter of something else, or nobody knows what."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from .words import (
    AFTER_VALUES,
    BEFORE_VALUES,
    COUNTERS,
    HOW_MANY,
    HOW_OFTEN,
    HOW_OFTEN_APART,
    HOW_OFTEN_IN_WORDS,
    OF_NUMBERS,
    OTHER_MEASURES,
    OTHER_UNITS,
    UNITS,
)

TAKEN = "\x00"
"""Stands in a line for every character that is accounted for already."""

REACH = 64  # characters in front of a figure in which words about it may stand
MAX_COUNT_DIGITS = 6  # digits; what is longer may be a number with a digit missing

_RUN = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_BEFORE = re.compile(rf"(?:{BEFORE_VALUES})\s*[:：=]?\s*$", re.IGNORECASE)
_UNIT = re.compile(rf"\s?(?:{UNITS})(?!(?!x\s?[0-9])[A-Za-z])", re.IGNORECASE)
_AFTER = re.compile(AFTER_VALUES, re.IGNORECASE)
_COUNTER = re.compile(rf"(?:{COUNTERS})")
_OFTEN = re.compile(
    r"(?!\s?[xX*×✖✕]\s?1(?![0-9.]))"
    rf"(?:(?:{HOW_OFTEN})(?![A-Za-z])|\s(?:{HOW_OFTEN_APART})(?!\w)|\s?[xX*×✖✕](?![A-Za-z]))"
)
_OFTEN_BEFORE = re.compile(rf"(?:(?<![A-Za-z])[xX]|[*×✖✕]|(?:{HOW_MANY})\s?[:=]?)\s?$")
_MEASURE_BEFORE = re.compile(rf"{OTHER_MEASURES}\s*[:=.]?\s*$", re.IGNORECASE)
_MEASURE = re.compile(rf"\s(?:{OTHER_UNITS})(?!\w)")
_OF_NUMBER = re.compile(rf"(?:{OF_NUMBERS})|\s(?:{OF_NUMBERS})(?!\w)")
# A dash right behind a number or a word divides; behind a blank or a mark it says that money goes back.
_MINUS_BEFORE = re.compile(r"(?:^|[\s,;:|(\[【、￥¥=])[-−](?:[￥¥]|RMB|CNY)?$", re.IGNORECASE)
_WEIGHED_BEFORE = re.compile(r"[.%#@~≈<>≤≥$€£&^\\]$")
_WHOLE = re.compile(r"([1-9][0-9]*)(?:\.0{1,2})?", re.ASCII)


class Sort(Enum):
    """What a figure is."""

    VALUE = "value"  # what to top up: it stands apart, or with a word or sign of money
    COUNT = "count"  # of floors, days, people: a person would not take it for money
    HOW_OFTEN = "how often"
    STRAY = "stray"  # a person would have to ask


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its place in the line, with the words of money around it."""

    sort: Sort
    digits: str
    start: int
    end: int

    @property
    def value(self) -> int | None:
        """The yuan that it says, None where that is no whole number of them."""
        match = _WHOLE.fullmatch(self.digits)
        return int(match[1]) if match and len(match[1]) <= MAX_COUNT_DIGITS else None


def figures(line: str, offered: frozenset[int]) -> Iterator[Figure]:
    """Yield the figures of a folded line.

    Args:
        line: what is accounted for, a phone number or a date, is blanked out with `TAKEN`.
        offered: the values that may be ordered.
    """
    for run in _RUN.finditer(line):
        yield _figure(line, run, offered)


@lru_cache(maxsize=1024)  # a list says a few values ten thousand times
def value_of(text: str) -> int | None:
    """Return the yuan that a folded text says which is about nothing else: 50, ￥50, 50元, RMB50.00; None otherwise."""
    found = list(figures(text.strip(), frozenset()))
    if len(found) != 1 or found[0].sort is not Sort.VALUE or (found[0].start, found[0].end) != (0, len(text.strip())):
        return None
    return found[0].value


def asks_for_several(text: str) -> bool:
    """Say whether a folded text asks for something more than once: 两笔, x2, 2张."""
    return HOW_OFTEN_IN_WORDS.search(text) is not None or any(
        figure.sort is Sort.HOW_OFTEN for figure in figures(text, frozenset())
    )


def odd_digit(line: str) -> str:
    """Return a character of a line that is a figure, but not a plain one, such as ² and ⑤; "" where there is none."""
    return next((c for c in line if not c.isascii() and unicodedata.category(c) in ("Nd", "Nl", "No")), "")


def _figure(line: str, run: re.Match[str], offered: frozenset[int]) -> Figure:
    digits, (start, end) = run[0], run.span()
    before, unit = _BEFORE.search(line, max(0, start - REACH), start), _UNIT.match(line, end)
    after = unit.end() if unit else end
    sort = Sort.STRAY if len(digits) > MAX_COUNT_DIGITS else _sort(line, start, after, bool(before), bool(unit))
    if sort is Sort.VALUE:
        start = before.start() if before else start
        return Figure(sort, digits, start, after)
    figure = Figure(sort, digits, start, end)
    if sort is Sort.COUNT and not _counter(line, end) and figure.value in offered:
        return Figure(Sort.STRAY, digits, start, end)
    if sort is Sort.HOW_OFTEN and digits == "1":
        return Figure(Sort.COUNT, digits, start, end)
    return figure


def _sort(line: str, start: int, after: int, has_word: bool, has_unit: bool) -> Sort:
    head = line[max(0, start - REACH) : start]
    if _OFTEN_BEFORE.search(head) or _OFTEN.match(line, after):
        return Sort.HOW_OFTEN
    if _MINUS_BEFORE.search(head) or (not has_word and _WEIGHED_BEFORE.search(head)):
        return Sort.STRAY
    if line[after : after + 1].isdigit() or _OF_NUMBER.match(line, after):
        return Sort.STRAY
    if not has_unit and (_MEASURE_BEFORE.search(head) or _MEASURE.match(line, after)):
        return Sort.COUNT
    if has_unit:
        return Sort.STRAY if not has_word and _is_latin(head[-1:]) else Sort.VALUE
    if _counter(line, after):
        return Sort.COUNT
    closed = not line[after : after + 1].isalnum() or _AFTER.match(line, after) is not None
    if has_word:
        return Sort.STRAY if _is_latin(line[after : after + 1]) else Sort.VALUE
    return Sort.VALUE if closed and not head[-1:].isalnum() else Sort.COUNT


def _counter(line: str, end: int) -> bool:
    return _COUNTER.match(line, end) is not None


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()
