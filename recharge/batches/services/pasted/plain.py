"""Reads lines in the plain form that the form asks for: number, value, speed and note, in cells, in this order."""

import re
from collections.abc import Collection

from portal.kit.digits import FOLDED

from .figures import Sort, asks_for_several, figures
from .line import folded
from .readings import Kind, Reading
from .targets import targets
from .words import OTHER_GOODS, OTHER_MONEY, SIMPLIFIED, TAKEN_BACK, VALUE_IN_WORDS

_SEPARATORS = ("\t", "[,，]", "[;；]")
_VALUE = re.compile(r"([1-9][0-9]{0,8})(?:\.0{1,2})?", re.ASCII)
_DIGIT = re.compile(r"\d")


def read_plain(
    number: int, typed: str, *, product: str, offered: frozenset[int], speeds: Collection[str]
) -> Reading | None:
    """Return what a line in the plain form says; None for any other line, which may say the same less plainly.

    Args:
        number: of the line, from 1.
        typed: the line.
        product: what its number is.
        offered: the values that may be ordered.
        speeds: the words for speeds, in capitals.
    """
    cells = _cells(typed)
    if not 2 <= len(cells) <= 4:
        return None
    target, value, speed, note = (*cells, "", "")[:4]
    found = targets(target, product)
    amount = _VALUE.fullmatch(value)
    if not found or (found[0].start, found[0].end) != (0, len(target)) or amount is None:
        return None
    if (speed and speed.upper() not in speeds) or _needs_reading(note, product, offered):
        return None
    if len(cells) < 4 and speed.isdigit():
        return None  # 1 and 0 are speeds to a sheet; in a line without a note they could be anything
    return Reading(number, typed, Kind.ORDER, found[0].text, amount[1], speed=speed, note=note, read_freely=False)


def _cells(typed: str) -> list[str]:
    for separator in _SEPARATORS:
        if len(parts := re.split(separator, typed)) > 1:
            cells = [folded(part, FOLDED)[0].strip(" |") for part in parts]
            while cells and not cells[-1]:
                cells.pop()
            return cells
    return folded(typed)[0].split()[:5] if len(typed.split()) < 4 else []


def _needs_reading(note: str, product: str, offered: frozenset[int]) -> bool:
    """Say whether a note may be more than one: a number of its own, a value, a word that takes the order back."""
    if not note:
        return False
    note = note.translate(SIMPLIFIED)
    if any(words.search(note) for words in (TAKEN_BACK, VALUE_IN_WORDS, OTHER_MONEY, OTHER_GOODS)):
        return True
    if asks_for_several(note):
        return True
    if not _DIGIT.search(note):
        return False
    return bool(targets(note, product)) or any(
        figure.value in offered for figure in figures(note, offered) if figure.sort in (Sort.VALUE, Sort.STRAY)
    )
