"""Cells of an XLSX worksheet that are merged with some below them: what the uppermost one holds, all of them show."""

import re
from collections.abc import Iterator
from functools import cache
from typing import IO

from portal.sheets.cells import EMPTY, Cell
from portal.sheets.errors import UnreadableSheet
from portal.sheets.packages import too_large

MAX_MERGED = 200_000  # over more than one row
CHUNK = 1_048_576  # bytes
LONGEST = 300  # bytes of a declaration

_MERGED = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s[^<>]{0,100}?\bref\s?=\s?[\"']([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"
)

Starts = dict[int, list[tuple[int, int]]]
"""By the line of the uppermost cell: its column, from 0, and the last line."""


def merged_cells(file: IO[bytes]) -> Starts:
    """Return the cells of a sheet that are merged with some below them. They are declared behind all rows.

    Raises:
        UnreadableSheet: there are more of them than any list has.
    """
    found: Starts = {}
    for count, (column, first, last) in enumerate(_declared(file)):
        if count >= MAX_MERGED:
            raise UnreadableSheet(too_large())
        found.setdefault(first, []).append((column, last))
    return found


@cache  # 18,278 names at most
def column_number(letters: str) -> int:
    """Return the position of a column, from 0, by its name."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class Spans:
    """The merged cells that reach down to a row, while the rows of a sheet come by from above to below."""

    def __init__(self, starts: Starts) -> None:
        self._starts = starts
        self._open: dict[int, tuple[int, Cell]] = {}

    def fill(self, line: int, row: list[Cell]) -> frozenset[int]:
        """Write into a row what merged cells from above show in it, and return their positions."""
        if not self._starts:
            return frozenset()
        self._open = {column: span for column, span in self._open.items() if span[0] >= line}
        for column, (_last, shown) in self._open.items():
            if shown is not EMPTY:
                row.extend([EMPTY] * (column + 1 - len(row)))
            if column < len(row):
                row[column] = shown  # whatever it holds nobody sees
        merged = frozenset(self._open)
        for column, last in self._starts.get(line, ()):
            self._open[column] = (last, row[column] if column < len(row) else EMPTY)
        return merged


def _declared(file: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield column, first and last line of what is merged over several lines, parsing nothing that stands before."""
    rest = b""
    while chunk := file.read(CHUNK):
        text, end = rest + chunk, 0
        for match in _MERGED.finditer(text):
            if match.end() == len(text):
                break  # its last number may go on
            end = match.end()
            first, last = int(match[2]), int(match[3])
            if first < last:
                yield column_number(match[1].decode()), first, last
        rest = text[max(end, len(text) - LONGEST) :]
