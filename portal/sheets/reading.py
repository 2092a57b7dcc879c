"""Reads a list that a person made: an upload or pasted text, row by row."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.utils.translation import gettext as _

from portal.sheets.columns import Column, lacking, matching, placed
from portal.sheets.errors import UnreadableSheet
from portal.sheets.kinds import Kind, kind_of
from portal.sheets.limits import HEADER_WITHIN, MOST_ROWS
from portal.sheets.packages import Package
from portal.sheets.rows import RawRow
from portal.sheets.text import text_rows
from portal.sheets.workbook import open_workbook
from portal.sheets.worksheet import sheet_rows

WHOLE_ROW = ""  # the key of a problem that no single column has

_TOTAL = re.compile(
    r"(?:本页|本月|当日)?(?:合\s*计|总\s*计|小\s*计|共\s*计|汇总|总额|总数)"
    r"|(?:(?:grand |sub-?)?totals?|sum)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list, with every column that was asked for.

    `line` is its number as the spreadsheet program shows it. `cells` has a text for each of our column names, ""
    if it is empty or the sheet lacks the column. `problems` says in words, for a column or for `WHOLE_ROW`, why
    a text can't be taken as it stands; a row that has any must become nothing but a line in a report.
    """

    line: int
    cells: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)


def read(content: bytes, *, file_name: str, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield the rows of an upload, or of pasted text in UTF-8, whose `file_name` is "".

    Columns are found by their header, which may stand below a title, in any order; others are ignored. Pasted text
    may do without a header: then its cells are the columns in the order given. Of a workbook, the first visible
    sheet with the header is read. Blank rows are left out, and so are totals below the list. The first required
    column names what a row is about: a row in which it is empty has a problem.

    Raises:
        UnreadableSheet: at the first step or at any later one. Act on no row before the last has come.
    """
    key = next((column for column in columns if column.required), columns[0])
    rows, positions, width = _found(content, file_name, columns)
    count = 0
    for raw in rows:
        if raw.is_blank:
            continue
        row = _row(raw, positions, columns, width)
        if _is_total(raw, row.cells[key.name]):
            continue
        count += 1
        if count > MOST_ROWS:
            raise UnreadableSheet(_("The sheet has more than %(most)s rows. Divide it.") % {"most": f"{MOST_ROWS:,}"})
        if not row.cells[key.name]:
            row.problems.setdefault(key.name, _("This cell is empty."))
        yield row
    if not count:
        raise UnreadableSheet(_("There are no rows in the sheet."))


Found = tuple[Iterable[RawRow], dict[str, int], int | None]


def _found(content: bytes, file_name: str, columns: Sequence[Column]) -> Found:
    """Return the rows below the header, the positions of the columns, and how wide a row may be, if that matters."""
    if kind_of(content, file_name) is Kind.TEXT:
        return _below_header(text_rows(content, pasted=not file_name, columns=columns), columns, file_name)
    package = Package(content)
    workbook = open_workbook(package)
    best: UnreadableSheet | None = None
    for path in workbook.sheets:
        try:
            rows, positions, _width = _below_header(sheet_rows(package, workbook, path), columns, file_name)
        except _HeaderMissing as refusal:
            best = best or refusal
            continue
        return rows, positions, None  # the cells of a workbook don't move when one is too many
    raise best or UnreadableSheet(_("The workbook has no visible sheet."))


class _HeaderMissing(UnreadableSheet):
    """There is no row with the titles of all required columns."""


def _below_header(rows: Iterator[RawRow], columns: Sequence[Column], file_name: str) -> Found:
    beginning: list[RawRow] = []
    for row in rows:
        if row.is_blank:
            continue
        beginning.append(row)
        found = matching(row.cells, columns)
        if found and not lacking(found, columns):
            return rows, placed(row.cells, columns), len(row.cells)
        if len(beginning) == HEADER_WITHIN:
            break
    closest = max(beginning, key=lambda row: len(matching(row.cells, columns)), default=None)
    if closest is not None and (found := matching(closest.cells, columns)):
        raise _HeaderMissing(
            _("The sheet has no column %(missing)s. Name it in the header, or start from the template.")
            % {"missing": ", ".join(column.title for column in lacking(found, columns))}
        )
    if file_name or not beginning:
        raise _HeaderMissing(
            _("No header was found. The first row must name the columns: %(titles)s.")
            % {"titles": ", ".join(column.title for column in columns)}
        )
    return chain(beginning, rows), {column.name: number for number, column in enumerate(columns)}, len(columns)


def _row(raw: RawRow, positions: dict[str, int], columns: Sequence[Column], width: int | None) -> Row:
    texts: dict[str, str] = {}
    problems: dict[str, str] = {}
    for column in columns:
        position = positions.get(column.name, len(raw.cells))
        text, problem = raw.cells[position] if position < len(raw.cells) else ("", "")
        texts[column.name] = text
        if problem:
            problems[column.name] = problem
    if raw.problem:
        problems[WHOLE_ROW] = raw.problem
    elif width is not None and any(text for text, _problem in raw.cells[width:]):
        problems[WHOLE_ROW] = _("This row has more cells than the header: is there a separator within a cell?")
    elif _says_total(next(text for text, _problem in raw.cells if text)):
        problems[WHOLE_ROW] = _("This looks like a total.")
    return Row(raw.line, texts, problems)


def _is_total(raw: RawRow, about: str) -> bool:
    """Say whether a row is about nothing, and one of its cells says that it adds up the others."""
    return (not about or _says_total(about)) and any(_says_total(text) for text, _problem in raw.cells)


def _says_total(text: str) -> bool:
    return _TOTAL.match(text) is not None
