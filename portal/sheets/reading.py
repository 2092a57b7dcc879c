"""Reads a list that a person made: an upload or pasted text, row by row."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice

from django.utils.translation import gettext as _

from portal.sheets.columns import Column, matching
from portal.sheets.errors import UnreadableSheet
from portal.sheets.foreign import foreign_sheets
from portal.sheets.kinds import Kind, kind_of, notice_of
from portal.sheets.layout import WIDEST_PROPOSED, ColumnsUnsure, HeaderMissing, Layout, laid_out
from portal.sheets.limits import HEADER_WITHIN, MAX_ROWS
from portal.sheets.packages import Package
from portal.sheets.rows import RawRow
from portal.sheets.text import text_rows
from portal.sheets.workbook import open_workbook
from portal.sheets.worksheet import sheet_rows

MAX_OTHER_SHEETS = 20  # that are looked at, to say that they are not read
MAX_OTHER_ROWS = 200  # of each of them
WHOLE_ROW = ""  # the key of a problem that no single column has

_DIGIT = re.compile(r"\d")
_FIGURE = re.compile(r"\s*[¥￥]?\s*\d")
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
    a text can't be taken as it stands; a row that has any must become nothing but a line in a report. `asides` are the
    texts in columns without a title, or about the state of rows, that nothing is read from.
    """

    line: int
    cells: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict)
    asides: tuple[str, ...] = ()


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
    ignored. Where it is repeated further down, it is left out; every row below another one has a problem. Pasted text
    may do without a header: then its cells are the columns in the order given. Of a workbook, the first visible sheet
    with the header is read. Blank rows are left out, and so are totals below the list. The first required column names
    what a row is about: a row in which it is empty has a problem.

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
    notices = (notice_of(kind, file_name), _notice_of_others(sources, columns))
    return Sheet(layout, _read(rows, layout, columns, width), " ".join(filter(None, notices)))


def workbook_sheets(content: bytes) -> Iterator[Iterator[RawRow]]:
    """Yield the rows of each visible sheet of an XLSX workbook."""
    package = Package(content)
    workbook = open_workbook(package)
    for path in workbook.sheets:
        yield sheet_rows(package, workbook, path)


def _notice_of_others(sources: Iterator[Iterator[RawRow]], columns: Sequence[Column]) -> str:
    """Say how many lists stand in the sheets behind the one that is read, "" for none."""
    lists = 0
    with suppress(UnreadableSheet):  # a sheet that is not read may be damaged
        for source in islice(sources, MAX_OTHER_SHEETS):
            beginning = [row for row in islice(source, MAX_OTHER_ROWS) if not row.is_blank][:HEADER_WITHIN]
            with suppress(HeaderMissing):
                lists += _is_list(beginning, columns)
    if not lists:
        return ""
    return _("Only one sheet is read, and %(count)d more have a list: upload each of them by itself.") % {
        "count": lists
    }


def _is_list(beginning: Sequence[RawRow], columns: Sequence[Column]) -> bool:
    with suppress(ColumnsUnsure):
        return laid_out(beginning, columns).below < beginning[-1].line
    return True


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
    asides = [position for position in range(WIDEST_PROPOSED) if layout.is_aside(position)]
    count = 0
    other_table = ""
    for raw in rows:
        row = _row(raw, layout.positions, columns, width, asides)
        if _is_total(raw, row.cells[key.name]):
            continue
        if _is_header(raw, row, key, columns):
            if _says_the_same(raw, layout, columns):
                continue
            other_table = _("Another table begins in line %(line)d: upload it by itself.") % {"line": raw.line}
        if other_table:
            row.problems[WHOLE_ROW] = other_table
        count += 1
        if count > MAX_ROWS:
            raise UnreadableSheet(_("The sheet has more than %(most)s rows. Divide it.") % {"most": f"{MAX_ROWS:,}"})
        if not row.cells[key.name]:
            row.problems.setdefault(key.name, _("This cell is empty."))
        yield row
    if not count:
        raise UnreadableSheet(_("There are no rows in the sheet."))


def _row(
    raw: RawRow, positions: Mapping[str, int], columns: Sequence[Column], width: int | None, asides: Sequence[int]
) -> Row:
    texts: dict[str, str] = {}
    problems: dict[str, str] = {}
    for column in columns:
        position = positions.get(column.name, len(raw.cells))
        text, problem = raw.cells[position] if position < len(raw.cells) else ("", "")
        texts[column.name] = text
        if problem:
            problems[column.name] = problem
        elif text and position in raw.merged and not column.may_span:
            problems[column.name] = _("This cell is merged with one above: write “%(text)s” into each row.") % {
                "text": text
            }
    if raw.problem:
        problems[WHOLE_ROW] = raw.problem
    elif width is not None and any(text for text, _problem in raw.cells[width:]):
        problems[WHOLE_ROW] = _("This row has more cells than the header: is there a separator within a cell?")
    elif _says_total(next(text for text, _problem in raw.cells if text)):
        problems[WHOLE_ROW] = _("This looks like a total.")
    said = (raw.cells[position][0] for position in asides if position < len(raw.cells))
    return Row(raw.line, texts, problems, tuple(text for text in said if text))


def _is_header(raw: RawRow, row: Row, key: Column, columns: Sequence[Column]) -> bool:
    """Say whether a row has titles instead of what it is about, and no figure in what decides: that is a bad line."""
    about = row.cells[key.name]
    if not about or _DIGIT.search(about):
        return False
    if any(_FIGURE.match(row.cells[column.name]) for column in columns if not column.may_span):
        return False
    return any(key.is_named(text) for text, _problem in raw.cells if text)


def _says_the_same(raw: RawRow, layout: Layout, columns: Sequence[Column]) -> bool:
    """Say whether a header repeats the one above the list, as at the head of each printed page."""
    texts = [text for text, _problem in raw.cells]
    if any(texts) and _trimmed(texts) == _trimmed(layout.titles):
        return True
    return matching(raw.cells, columns) == {name: [position] for name, position in layout.positions.items()}


def _trimmed(texts: Sequence[str]) -> list[str]:
    """Return texts without the empty ones at their end."""
    return list(texts[: max((place for place, text in enumerate(texts, 1) if text), default=0)])


def _is_total(raw: RawRow, about: str) -> bool:
    """Say whether a row is about nothing, and one of its cells says that it adds up the others."""
    return (not about or _says_total(about)) and any(_says_total(text) for text, _problem in raw.cells)


def _says_total(text: str) -> bool:
    return _TOTAL.match(text) is not None
