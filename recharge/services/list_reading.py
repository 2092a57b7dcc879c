"""What a list says, a sheet or a text, before anything in it is judged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from portal.sheets import MOST_ROWS, WHOLE_ROW, Column, Row, UnreadableSheet, decoded, is_table, kind_of, read
from recharge.choices import Product, Speed

from . import rules
from .pasted import Kind, Reading, read_text

SPEEDS = {
    **dict.fromkeys(("快", "快充", "FAST", "1"), Speed.FAST),
    **dict.fromkeys(("慢", "慢充", "SLOW", "0"), Speed.SLOW),
}
_FACE_VALUE = Column("face_value", ("面值", "金额", "充值金额", "face value", "amount"), required=True)
_OPTIONS = (Column("speed", ("快慢", "速度", "充值速度", "speed")), Column("note", ("备注", "说明", "note", "remark")))
COLUMNS: dict[str, tuple[Column, ...]] = {
    Product.MOBILE: (
        Column("mobile", ("手机号", "手机号码", "号码", "电话", "mobile", "phone", "number"), required=True),
        _FACE_VALUE,
        *_OPTIONS,
    ),
    Product.OIL: (
        Column("card_number", ("卡号", "油卡号", "油卡卡号", "card number", "card"), required=True),
        _FACE_VALUE,
        *_OPTIONS,
    ),
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


def entries(content: bytes, *, file_name: str, product: str, value_for_all: int | None) -> Iterator[Entry]:
    """Yield what a list says, nothing of it judged yet.

    Args:
        content: a file, or a pasted text in UTF-8.
        file_name: its name, "" for a pasted text.
        product: what it is about.
        value_for_all: the value, in yuan, of lines that have none; None for none.

    Raises:
        UnreadableSheet: it can't be read; this may come after entries have come.
    """
    kind_of(content, file_name)
    if is_typed(content, file_name=file_name, product=product):
        return _typed_entries(decoded(content), product, value_for_all)
    return _sheet_entries(content, file_name, product, value_for_all)


def _sheet_entries(content: bytes, file_name: str, product: str, value_for_all: int | None) -> Iterator[Entry]:
    columns = COLUMNS[product]
    if value_for_all is not None:
        columns = tuple(replace(column, required=False) if column is _FACE_VALUE else column for column in columns)
    for row in read(content, file_name=file_name, columns=columns):
        if value_for_all is not None and not row.cells["face_value"]:
            row.cells["face_value"] = str(value_for_all)
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
        if reading.kind is not Kind.SKIPPED:
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
