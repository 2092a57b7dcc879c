"""What a list says, a sheet or a text, before anything in it is judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from portal.kit.digits import fold
from portal.sheets import (
    MAX_ROWS,
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
from portal.sheets.kinds import Kind as FileKind
from recharge.choices import Speed
from recharge.limits.services import rules

from .columns.names import COLUMNS, wanted
from .pasted import Kind, Reading, read_text

SPEEDS = {
    **dict.fromkeys(("快", "快充", "FAST", "1"), Speed.FAST),
    **dict.fromkeys(("慢", "慢充", "SLOW", "0"), Speed.SLOW),
}


MAX_QUANTITY = 20
"""Orders that a quantity can make of a line: what is larger is more likely a sum, or a mistake."""


@dataclass(slots=True)
class Entry:
    """What of a list may become an order: a row of a sheet, or a number in a line of a text.

    `number` counts orders where a line becomes several; otherwise it is that of the line. `reading` is None where the
    cells of a sheet say what is what. `quantity` is what the line says, `orders` how many are to be made of it.
    """

    row: Row
    number: int
    reading: Reading | None = None
    quantity: int = 1
    orders: int = 1


def is_typed(content: bytes, *, file_name: str, product: str) -> bool:
    """Say whether a list is a text to be read as people type it, not a sheet whose header says what is what."""
    is_text = not file_name or file_name.lower().endswith(".txt")
    return is_text and kind_of(content, file_name) is FileKind.TEXT and not is_table(content, columns=COLUMNS[product])


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list that was opened. `layout` is None where it is a text; `notice` says what is odd about the file."""

    entries: Iterator[Entry]
    layout: Layout | None = None
    notice: str = ""


def open_list(
    content: bytes,
    *,
    file_name: str,
    product: str,
    value_for_all: int | None,
    chosen: Layout | None = None,
    quantities: bool = False,
) -> ReadList:
    """Open a list; nothing of it is judged yet.

    Args:
        content: a file, or a pasted text in UTF-8.
        file_name: its name, "" for a pasted text.
        product: what it is about.
        value_for_all: the value, in yuan, of lines that have none; None for none.
        chosen: the layout, where a person has told it.
        quantities: whether a line becomes as many orders as its quantity says; else more than one is a problem.

    Raises:
        ColumnsUnsure: a person has to tell the layout.
        UnreadableSheet: it can't be read; this may come after entries have come.
    """
    kind_of(content, file_name)
    if is_typed(content, file_name=file_name, product=product):
        return ReadList(_typed_entries(decoded(content), product, value_for_all))
    columns = wanted(product, value_for_all)
    sheet = open_sheet(content, file_name=file_name, columns=columns, chosen=chosen)
    return ReadList(_sheet_entries(sheet, value_for_all, quantities=quantities), sheet.layout, sheet.notice)


def is_short(found: ReadList, most: int) -> bool:
    """Say whether no more than so many orders may come of a list, which is read that far.

    Raises:
        UnreadableSheet: it can't be read.
    """
    orders = 0
    for entry in found.entries:
        orders += entry.orders
        if orders > most:
            return False
    return True


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


def _sheet_entries(sheet: Sheet, value_for_all: int | None, *, quantities: bool) -> Iterator[Entry]:
    more = 0
    for count, row in enumerate(sheet.rows, start=1):
        if value_for_all is not None and not row.cells["face_value"]:
            row.cells["face_value"] = str(value_for_all)
        text = row.cells.pop("quantity")
        quantity = 1 if "quantity" in row.problems else _quantity_of(text)
        orders = quantity if quantities and quantity else 1
        if quantity is None or quantity > orders:
            row.problems["quantity"] = _quantity_refused(text, quantities=quantities)
        yield Entry(row, row.line + more, quantity=quantity or 1, orders=orders)
        more += orders - 1
        if count + more > MAX_ROWS:
            raise UnreadableSheet(
                _("With its quantities the sheet comes to more than %(most)s orders. Divide it.")
                % {"most": f"{MAX_ROWS:,}"}
            )


def _quantity_of(text: str) -> int | None:
    """Return how many a cell says, one where it is empty; None where it says nothing that can be made."""
    digits = fold(text).removesuffix(".0")
    if not digits:
        return 1
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0
    return number if 1 <= number <= MAX_QUANTITY else None


def _quantity_refused(text: str, *, quantities: bool) -> str:
    if quantities:
        return _("The quantity is %(quantity)s: it must be a whole number from 1 to %(most)d.") % {
            "quantity": text,
            "most": MAX_QUANTITY,
        }
    return _("The quantity is %(quantity)s: a line becomes one order. Repeat the line, or delete the column.") % {
        "quantity": text
    }


def _typed_entries(text: str, product: str, value_for_all: int | None) -> Iterator[Entry]:
    if sum(1 for line in text.splitlines() if line.strip()) > MAX_ROWS:
        raise UnreadableSheet(_too_many_lines())
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
            if orders > MAX_ROWS:
                raise UnreadableSheet(_too_many_lines())
        yield Entry(_row_of(reading, key), number, reading)
    if not orders:
        raise UnreadableSheet(_("There is no line in the text that could become an order."))


def _too_many_lines() -> str:
    return _("The text has more than %(most)s lines. Divide it.") % {"most": f"{MAX_ROWS:,}"}


def _row_of(reading: Reading, key: str) -> Row:
    """Return a reading as a row of a sheet; the note of a line that can't be placed is the line, to be corrected."""
    note = reading.typed if reading.problem else reading.note
    cells = {key: reading.target, "face_value": reading.value, "speed": reading.speed, "note": note}
    return Row(reading.line, cells, {WHOLE_ROW: reading.problem} if reading.problem else {})
