"""The rows of one sheet of an XLSX workbook, as a stream.

This is done here because the libraries for it make objects before any limit can be set: of a whole sheet, as wide
and as high as its outermost cells, so that 5 kB with one cell in the last row and column end the process; or of a
whole row and all that stands before it, so that an endless row does. See docs/decisions.
"""

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import IO

from django.utils.translation import gettext as _

from portal.sheets import cells
from portal.sheets.cells import EMPTY, Cell
from portal.sheets.errors import UnreadableSheet
from portal.sheets.limits import MAX_CELL_LENGTH, MAX_COLUMNS, MAX_SHEET_ROWS
from portal.sheets.markup import parse
from portal.sheets.merged import Spans, Starts, column_number, merged_cells
from portal.sheets.packages import Package, damaged
from portal.sheets.rows import RawRow
from portal.sheets.workbook import TextCollector, Workbook, whole

# Cells further to the right are not looked at: lists are not that wide, and hostile sheets may be.
WIDEST = 256

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)


def sheet_rows(package: Package, workbook: Workbook, path: str) -> Iterator[RawRow]:
    """Yield the rows of a sheet that have something in them, numbered as the spreadsheet program numbers them.

    Raises:
        UnreadableSheet: the sheet is damaged.
    """
    with package.part(path) as file:
        merged = merged_cells(file)
    with package.part(path) as file:
        yield from _rows(file, workbook, merged)


def _rows(file: IO[bytes], workbook: Workbook, merged: Starts) -> Iterator[RawRow]:
    sheet = _Sheet(workbook, merged)
    for _step in parse(file, start=sheet.start, end=sheet.end, characters=sheet.characters):
        while sheet.finished:
            yield sheet.finished.popleft()


class _Sheet:
    def __init__(self, workbook: Workbook, merged: Starts) -> None:
        self.finished: deque[RawRow] = deque()
        self._spans = Spans(merged)
        self._workbook = workbook
        self._line = 0
        self._hidden = False
        self._hidden_columns: set[int] = set()
        self._row: list[Cell] = []
        self._column = -1
        self._attributes: dict[str, str] = {}
        self._value: list[str] = []
        self._room = 0
        self._in_value = False
        self._has_formula = False
        self._inline = TextCollector()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._in_value = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "f":
            self._has_formula = True
        elif name == "col":
            self._hide_columns(attributes)
        else:
            self._inline.start(name)

    def characters(self, data: str) -> None:
        if self._in_value:
            if self._room > 0:
                self._value.append(data)
                self._room -= len(data)
        else:
            self._inline.characters(data)

    def end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
        elif name == "v":
            self._in_value = False
        elif name == "row":
            self._end_row()
        else:
            self._inline.end(name)

    def _hide_columns(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            first, last = whole(attributes.get("min", "")), whole(attributes.get("max", ""))
            self._hidden_columns.update(range(max(first, 1) - 1, min(last, WIDEST)))

    def _begin_row(self, attributes: dict[str, str]) -> None:
        line = whole(attributes["r"]) if "r" in attributes else self._line + 1
        if not self._line < line <= MAX_SHEET_ROWS:
            raise UnreadableSheet(damaged())
        self._line = line
        self._hidden = attributes.get("hidden") in ("1", "true")
        self._row = []
        self._column = -1

    def _end_row(self) -> None:
        row = RawRow(self._line, self._row, _("This row is hidden in the sheet.") if self._hidden else "")
        if not row.is_blank:
            self.finished.append(row._replace(merged=self._spans.fill(self._line, self._row)))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        column = _column(attributes["r"]) if "r" in attributes else self._column + 1
        if not self._column < column < MAX_COLUMNS:
            raise UnreadableSheet(damaged())
        self._column = column
        self._attributes = attributes
        self._value.clear()
        self._room = 8 * MAX_CELL_LENGTH
        self._has_formula = False

    def _end_cell(self) -> None:
        cell = self._cell()
        if cell is EMPTY or self._column >= WIDEST:
            return
        if self._column in self._hidden_columns:
            cell = (cell[0], _("This column is hidden in the sheet."))
        elif self._attributes.get("s") in self._workbook.struck_styles:
            cell = (cell[0], _("This is struck out in the sheet."))
        self._row.extend([EMPTY] * (self._column - len(self._row)))
        self._row.append(cell)

    def _cell(self) -> Cell:
        kind = self._attributes.get("t", "n")
        text = self._inline.take()
        value = "".join(self._value)
        if kind == "inlineStr":
            return cells.from_string(text) if text else EMPTY
        if not value:
            return ("=", _("This formula has no result.")) if self._has_formula else EMPTY
        if kind == "s":
            return self._shared(value)
        if kind == "str":
            return cells.from_string(value)
        return self._no_text(kind, value)

    def _shared(self, value: str) -> Cell:
        number = whole(value)
        if not 0 <= number < len(self._workbook.texts):
            raise UnreadableSheet(damaged())
        text = self._workbook.texts[number]
        return cells.from_string(text) if text else EMPTY

    def _no_text(self, kind: str, value: str) -> Cell:
        value = value[:MAX_CELL_LENGTH]
        if kind == "e":
            return value, _("This cell holds an error of the spreadsheet program.")
        if kind == "b":
            return cells.from_truth(value != "0")
        if kind == "d":
            return value, is_date()
        if self._attributes.get("s", "0") in self._workbook.date_styles:
            return _as_date(value, since_1904=self._workbook.since_1904), is_date()
        return cells.from_number(value)


def _column(reference: str) -> int:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise UnreadableSheet(damaged())
    return column_number(match[1])


def is_date() -> str:
    """Say that a number has become a date."""
    return _("The spreadsheet program has made a date of this: format the column as text, then enter it again.")


def _as_date(value: str, *, since_1904: bool) -> str:
    """Return a day as people write it; as the workbook has it where that is none."""
    first = datetime(1904, 1, 1, tzinfo=UTC) if since_1904 else datetime(1899, 12, 30, tzinfo=UTC)
    try:
        moment = first + timedelta(days=float(value))
        return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    except (ValueError, OverflowError):
        return value
