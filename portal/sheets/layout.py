"""Which column of a sheet is which: told by its header, or to be told by a person."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.kit.digits import fold
from portal.kit.lists import listed
from portal.sheets.cells import Cell
from portal.sheets.columns import Column, lacking, matching
from portal.sheets.errors import UnreadableSheet
from portal.sheets.rows import RawRow

_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"(?:\d[\s\-]?){7}")
_OF_STATE = re.compile(
    r"状态|是否|结果|进度|情况|退款|处理|完成|到账|备注|说明|类型|类别|方式|通道|速|status|state|result|remark|note|type",
    re.IGNORECASE,
)
WIDEST_PROPOSED = 30  # columns that a person is asked about


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a sheet are.

    `below` is the line under which the rows begin, 0 if they begin at once. `positions` counts from 0. `titles` are
    those of all columns by position, "" where there is none. `sheet` counts the visible sheets of a workbook from 0.
    """

    below: int
    positions: Mapping[str, int]
    titles: tuple[str, ...] = ()
    sheet: int = 0

    @property
    def ignored(self) -> list[str]:
        """The titles of the columns that nothing is read from."""
        used = set(self.positions.values())
        return [title for position, title in enumerate(self.titles) if title and position not in used]

    def is_aside(self, position: int) -> bool:
        """Say whether nothing is read from a column that may say something of each row: its state, kind, or remarks."""
        title = self.title_at(position)
        return position not in self.positions.values() and (not title or _OF_STATE.search(title) is not None)

    def title_at(self, position: int) -> str:
        """Return the title of a column, "" where it has none."""
        return self.titles[position] if position < len(self.titles) else ""


def letter_of(position: int) -> str:
    """Return a column's name as the spreadsheet program shows it: 0 is A."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class ColumnsUnsure(UnreadableSheet):
    """The sheet is a list, but a person has to say which of its columns is which.

    `proposed` has the columns that are sure or likely, `beginning` the first rows of the sheet. `shape` is the same for
    lists whose columns are alike.
    """

    def __init__(
        self, why: str, proposed: Layout, beginning: Sequence[RawRow], *, is_sure_of_sheet: bool = False
    ) -> None:
        super().__init__(why)
        self.proposed = proposed
        self.beginning = beginning
        self.shape = _shape(proposed, beginning)
        self.is_sure_of_sheet = is_sure_of_sheet


class HeaderMissing(UnreadableSheet):
    """There is no row with the titles of all required columns, nor anything that looks like a list without one."""


def laid_out(beginning: Sequence[RawRow], columns: Sequence[Column], *, sheet: int = 0) -> Layout:
    """Return the layout that a header tells, of one row or two.

    Args:
        beginning: the first rows with something in them.
        columns: those that are wanted.
        sheet: which sheet of a workbook it is.

    Raises:
        ColumnsUnsure: the header names two columns for one of ours, or lacks one, or there is none above a list.
        HeaderMissing: this is no such list.
    """
    for index in range(len(beginning)):
        cells, last = _header_at(beginning, index, columns)
        found = matching(cells, columns)
        if found and not lacking(found, columns):
            titles = tuple(text for text, _problem in cells)
            below = beginning[last].line
            doubled = next((column for column in columns if len(found.get(column.name, ())) > 1), None)
            if doubled is None:
                return Layout(below, {name: found[name][0] for name in found}, titles, sheet)
            raise _doubled(doubled, Layout(below, _sure(found), titles, sheet), beginning)
    raise _unsure(beginning, columns, sheet)


def _header_at(beginning: Sequence[RawRow], index: int, columns: Sequence[Column]) -> tuple[list[Cell], int]:
    """Return the titles in a row, with those of a second row of the header below it, and the last row's index."""
    cells = list(beginning[index].cells)
    while index + 1 < len(beginning) and _continues(beginning[index], beginning[index + 1], columns):
        index += 1
        below = beginning[index].cells
        width = max(len(cells), len(below))
        cells = [_lower(_at(cells, position), _at(below, position)) for position in range(width)]
    return cells, index


def _continues(above: RawRow, row: RawRow, columns: Sequence[Column]) -> bool:
    """Say whether a row is a second one of the header above: with titles of ours, and nothing that could be data."""
    if row.line != above.line + 1 or any(_DIGIT.search(text) for text, _problem in (*above.cells, *row.cells)):
        return False
    return bool(matching(row.cells, columns))


def _lower(above: Cell, below: Cell) -> Cell:
    return below if below[0] else above


def _at(cells: Sequence[Cell], position: int) -> Cell:
    return cells[position] if position < len(cells) else ("", "")


def _sure(found: Mapping[str, list[int]]) -> dict[str, int]:
    return {name: positions[0] for name, positions in found.items() if len(positions) == 1}


def _doubled(column: Column, proposed: Layout, beginning: Sequence[RawRow]) -> ColumnsUnsure:
    named = listed(title for title in proposed.titles if column.is_named(title))
    why = _("Several columns could be %(wanted)s: %(named)s. Delete or rename all but one.") % {
        "wanted": column.title,
        "named": named,
    }
    return ColumnsUnsure(why, proposed, beginning, is_sure_of_sheet=True)


def _unsure(beginning: Sequence[RawRow], columns: Sequence[Column], sheet: int) -> UnreadableSheet:
    """Return the question which column is which, or a refusal where no column looks like the list's subject."""
    closest = max(beginning, key=lambda row: len(matching(row.cells, columns)), default=None)
    found = matching(closest.cells, columns) if closest else {}
    if found:
        why = _("The sheet has no column %(missing)s. Name it in the header, or start from the template.") % {
            "missing": listed(column.title for column in lacking(found, columns))
        }
    else:
        why = _("No header was found. The first row must name the columns: %(titles)s.") % {
            "titles": listed(column.title for column in columns if column.required)
        }
    first = next((row for row in beginning if any(_LONG_NUMBER.search(text) for text, _problem in row.cells)), None)
    above = [row for row in beginning if first and row.line < first.line]
    header = above[-1] if above else None
    titles = tuple(text for text, _problem in header.cells) if header else ()
    positions = _sure(matching(header.cells, columns)) if header else {}
    rows = [row for row in beginning if first and row.line >= first.line]
    positions = _completed(positions, rows, columns, titles)
    key = next((column for column in columns if column.required), columns[0])
    if key.name not in positions and not any(key.looks(text) for row in rows for text, _problem in row.cells):
        return HeaderMissing(why)
    proposed = Layout(header.line if header else 0, positions, titles, sheet)
    return ColumnsUnsure(why, proposed, beginning)


def _completed(
    sure: Mapping[str, int], rows: Sequence[RawRow], columns: Iterable[Column], titles: Sequence[str]
) -> dict[str, int]:
    """Return positions with those of other columns that most rows look like, as far as only one does.

    What has a title of its own is called something else, whatever it looks like.
    """
    positions = dict(sure)
    for column in columns:
        if column.name in positions:
            continue
        likely = [
            position
            for position in range(min(WIDEST_PROPOSED, max((len(row.cells) for row in rows), default=0)))
            if position not in positions.values()
            and not (position < len(titles) and titles[position])
            and 2 * sum(column.looks(_at(row.cells, position)[0]) for row in rows) > len(rows)
        ]
        if len(likely) == 1:
            positions[column.name] = likely[0]
    return positions


def _shape(proposed: Layout, beginning: Sequence[RawRow]) -> str:
    """Return what lists with the same columns have in common: their titles, or else what stands in them.

    Nothing that may tell two columns apart is left out of a title: a person has chosen between just these.
    """
    if any(proposed.titles):
        header = [proposed.titles, *_rows_above(proposed, beginning)]
        return "\n".join(["titles", *("\t".join(_folded(title) for title in titles) for titles in header)])
    rows = [row for row in beginning if row.line > proposed.below]
    width = max(len(row.cells) for row in rows)
    return "\n".join(_content(rows, position) for position in range(width))


def _rows_above(proposed: Layout, beginning: Sequence[RawRow]) -> Iterator[list[str]]:
    """Yield the rows directly above a header that may belong to it, the lowest first; a caption stands in one cell."""
    line = proposed.below
    for row in reversed(beginning):
        if row.line == line - 1 and any(text for text, _problem in row.cells[1:]):
            line = row.line
            yield [text for text, _problem in row.cells]


def _folded(title: str) -> str:
    return "".join(fold(title).casefold().split())


def _content(rows: Sequence[RawRow], position: int) -> str:
    """Return what kind of texts a column has: their letters as one letter, their digits counted."""
    kinds = {_kind_of(_at(row.cells, position)[0]) for row in rows}
    return " ".join(sorted(kinds)) if len(kinds) < 4 else "…"


def _kind_of(text: str) -> str:
    return re.sub(r"\d+", lambda run: str(len(run[0])), re.sub(r"[^\W\d]+", "a", text))
