"""A row as it comes out of a file, before its columns are known."""

from typing import NamedTuple

from portal.sheets.cells import Cell


class RawRow(NamedTuple):
    """A row by position. `problem` says what is wrong with it as a whole, "" if nothing is.

    `merged` are the positions whose cells only show what stands in a cell further up, with which they are merged.
    """

    line: int
    cells: list[Cell]
    problem: str = ""
    merged: frozenset[int] = frozenset()

    @property
    def is_blank(self) -> bool:
        return not any(text for text, _problem in self.cells)
