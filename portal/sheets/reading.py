"""Reads a list that a person made: an upload or pasted text, row by row."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from django.utils.translation import gettext as _

from portal.sheets.columns import Column, matching
from portal.sheets.errors import UnreadableSheet
from portal.sheets.foreign import foreign_sheets
from portal.sheets.kinds import Kind, kind_of, notice_of
from portal.sheets.layout import ColumnsUnsure, HeaderMissing, Layout, laid_out
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list that was opened. `notice` says in words what is odd about the file, "" if nothing is."""

    layout: Layout
    rows: Iterator[Row]
    notice: str = ""


def read(content: bytes, *, file_name: str, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield the rows of an upload, as `open_sheet` has them."""
    yield from open_sheet(content, file_name=file_name, columns=columns).rows


def open_sheet(content: bytes, *, file_name: str, columns: Sequence[Column], chosen: Layout | None = None) -> Sheet:
    """Return the rows of an upload, or of pasted text in UTF-8, whose `file_name` is "", and where its columns are.

    Columns are found by their header, which may stand below a title and have two rows, in any order; others are
    ignored. Pasted text may do without a header: then its cells are the columns in the order given. Of a workbook, the
    first visible sheet with the header is read. Blank rows are left out, and so are totals below the list. The first
    required column names what a row is about: a row in which it is empty has a problem.

    Args:
        content: the upload.
        file_name: its name.
        columns: those that are wanted.
        chosen: the layout, where a person has told it.

    Raises:
        ColumnsUnsure: a person has to tell the layout.
        UnreadableSheet: now, or at any later step of the rows. Act on no row before the last has come.
    """
    kind = kind_of(content, file_name)
    if kind is Kind.TEXT:
        sources: Iterator[Iterator[RawRow]] = iter([text_rows(content, pasted=not file_name, columns=columns)])
    elif kind is Kind.XLSX:
        sources = workbook_sheets(content)
    else:
        sources = foreign_sheets(content)
    layout, rows = _found(sources, columns, chosen, pasted=not file_name)
    # The cells of a workbook don't move when one is too many.
    width = max(len(layout.titles), *layout.positions.values()) if kind is Kind.TEXT and layout.titles else None
    return Sheet(layout, _read(rows, layout, columns, width), notice_of(kind, file_name))


def workbook_sheets(content: bytes) -> Iterator[Iterator[RawRow]]:
    """Yield the rows of each visible sheet of an XLSX workbook."""
    package = Package(content)
    workbook = open_workbook(package)
    for path in workbook.sheets:
        yield sheet_rows(package, workbook, path)


Found = tuple[Layout, Iterable[RawRow]]


def _found(
    sources: Iterator[Iterator[RawRow]], columns: Sequence[Column], chosen: Layout | None, *, pasted: bool
) -> Found:
    """Return the layout, and the rows below the header, of the first sheet that has one."""
    best: UnreadableSheet | None = None
    for number, source in enumerate(sources):
        rows = (row for row in source if not row.is_blank)
        if chosen is not None:
            if number == chosen.sheet:
                return chosen, (row for row in rows if row.line > chosen.below)
            continue
        beginning = list(islice(rows, HEADER_WITHIN))
        try:
            layout = laid_out(beginning, columns, sheet=number)
        except HeaderMissing as refusal:
            if pasted and beginning and not any(matching(row.cells, columns) for row in beginning):
                titles = tuple(column.title for column in columns)
                layout = Layout(0, {column.name: place for place, column in enumerate(columns)}, titles)
                return layout, chain(beginning, rows)
            best = best or refusal
        except ColumnsUnsure as question:
            if question.is_sure_of_sheet:
                raise
            best = question if not isinstance(best, ColumnsUnsure) else best
        else:
            return layout, chain((row for row in beginning if row.line > layout.below), rows)
    raise best or UnreadableSheet(_("The workbook has no visible sheet."))


def _read(rows: Iterable[RawRow], layout: Layout, columns: Sequence[Column], width: int | None) -> Iterator[Row]:
    key = next((column for column in columns if column.required), columns[0])
    count = 0
    for raw in rows:
        row = _row(raw, layout.positions, columns, width)
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


def _row(raw: RawRow, positions: Mapping[str, int], columns: Sequence[Column], width: int | None) -> Row:
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
