"""What a list says, a sheet or a text, before anything in it is judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from portal.sheets import (
    MOST_ROWS,
    WHOLE_ROW,
    Layout,
    Row,
    Sheet,
    UnreadableSheet,
    decoded,
    is_table,
    kind_of,
    open_sheet,
)
from recharge.choices import Speed
from recharge.limits.services import rules

from .list_columns import COLUMNS, wanted
from .pasted import Kind, Reading, read_text

SPEEDS = {
    **dict.fromkeys(("快", "快充", "FAST", "1"), Speed.FAST),
    **dict.fromkeys(("慢", "慢充", "SLOW", "0"), Speed.SLOW),
}


@dataclass(slots=True)
class Entry:
    """What of a list may become an order: a row of a sheet, or a number in a line of a text.

    `number` counts orders where lines have several numbers; otherwise it is that of the line. `reading` is None where
    the cells of a sheet say what is what.
    """

    row: Row
    number: int
    reading: Reading | None = None


def is_typed(content: bytes, *, file_name: str, product: str) -> bool:
    """Say whether a list is a text to be read as people type it, not a sheet whose header says what is what."""
    is_text = not file_name or file_name.lower().endswith(".txt")
    return is_text and not is_table(content, columns=COLUMNS[product])


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list that was opened. `layout` is None where it is a text; `notice` says what is odd about the file."""

    entries: Iterator[Entry]
    layout: Layout | None = None
    notice: str = ""


def open_list(
    content: bytes, *, file_name: str, product: str, value_for_all: int | None, chosen: Layout | None = None
) -> ReadList:
    """Open a list; nothing of it is judged yet.

    Args:
        content: a file, or a pasted text in UTF-8.
        file_name: its name, "" for a pasted text.
        product: what it is about.
        value_for_all: the value, in yuan, of lines that have none; None for none.
        chosen: the layout, where a person has told it.

    Raises:
        ColumnsUnsure: a person has to tell the layout.
        UnreadableSheet: it can't be read; this may come after entries have come.
    """
    kind_of(content, file_name)
    if is_typed(content, file_name=file_name, product=product):
        return ReadList(_typed_entries(decoded(content), product, value_for_all))
    columns = wanted(product, value_for_all)
    sheet = open_sheet(content, file_name=file_name, columns=columns, chosen=chosen)
    return ReadList(_sheet_entries(sheet, value_for_all), sheet.layout, sheet.notice)


def layout_of(columns: Mapping[str, Any]) -> Layout:
    """Return a layout as it was kept."""
    return Layout(columns["below"], columns["positions"], tuple(columns["titles"]), columns["sheet"])


def written(layout: Layout) -> dict[str, Any]:
    """Return a layout as it is kept."""
    return {
        "below": layout.below,
        "positions": dict(layout.positions),
        "titles": list(layout.titles),
        "sheet": layout.sheet,
    }


def _sheet_entries(sheet: Sheet, value_for_all: int | None) -> Iterator[Entry]:
    for row in sheet.rows:
        if value_for_all is not None and not row.cells["face_value"]:
            row.cells["face_value"] = str(value_for_all)
        quantity = row.cells.pop("quantity")
        if quantity not in ("", "1") and "quantity" not in row.problems:
            row.problems["quantity"] = _(
                "The quantity is %(quantity)s: a line becomes one order. Repeat the line, or delete the column."
            ) % {"quantity": quantity}
        yield Entry(row, row.line)


def _typed_entries(text: str, product: str, value_for_all: int | None) -> Iterator[Entry]:
    number, last, orders = 0, 0, 0
    key = COLUMNS[product][0].name
    readings = read_text(
        text, product=product, offered=rules.face_values(product), speeds=SPEEDS, for_all=value_for_all
    )
    for reading in readings:
        number += 1 if reading.line == last else reading.line - last
        last = reading.line
        if reading.kind is not Kind.CHATTER:
            orders += 1
            if orders > MOST_ROWS:
                raise UnreadableSheet(
                    _("The text has more than %(most)s lines. Divide it.") % {"most": f"{MOST_ROWS:,}"}
                )
        yield Entry(_row_of(reading, key), number, reading)
    if not orders:
        raise UnreadableSheet(_("There is no line in the text that could become an order."))


def _row_of(reading: Reading, key: str) -> Row:
    """Return a reading as a row of a sheet; the note of a line that can't be placed is the line, to be corrected."""
    note = reading.typed if reading.problem else reading.note
    cells = {key: reading.target, "face_value": reading.value, "speed": reading.speed, "note": note}
    return Row(reading.line, cells, {WHOLE_ROW: reading.problem} if reading.problem else {})
