"""What an uploaded sheet would become: every line is judged, nothing is made.

The sheet is kept encrypted, since it may hold card numbers, and is read again whenever somebody looks: what was fine
an hour ago may be a duplicate by now.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import PurePath

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from oilcards.masking import hide_holder
from oilcards.models import SECRET_FIELDS, OilCard, number_index_field
from oilcards.numbers import InvalidValue, card_number
from portal.kit.digits import fold
from portal.sheets import ColumnsUnsure, Layout, Row
from recharge.choices import Product
from recharge.core import phone_numbers
from recharge.core.events import clean
from recharge.limits.services import rules
from recharge.models import Batch, BatchDraft, Order

from .column_memory import said_before
from .list_reading import SPEEDS, Entry, ReadList, layout_of, open_list, written
from .pasted import Kind, Reading, value_of

Cells = Mapping[str, str]
Cards = Mapping[str, OilCard]

JUDGED_AT_ONCE = 1000
NOTE_LIMIT = NAME_LIMIT = 200


@dataclass(slots=True)
class Line:
    """One line of the list: an order that could be placed, or what is wrong with it; doubts go with an order."""

    row: Row
    order: Order | None = None
    problem: str = ""
    doubts: list[str] = field(default_factory=list)
    reading: Reading | None = None

    @property
    def is_chatter(self) -> bool:
        """Whether it is about no order at all."""
        return self.reading is not None and self.reading.kind is Kind.CHATTER


def keep_upload(
    *, content: bytes, file_name: str, product: Product, uploaded_by: User, value_for_all: int | None = None
) -> BatchDraft:
    """Keep a list for looking at it, once it has been found to be readable from its first to its last line.

    Where a person has to say which of its columns is which, it is kept as it is; opening it asks.

    Args:
        content: the file, or a pasted text in UTF-8.
        file_name: its name, "" for a pasted text.
        product: what its lines are about.
        uploaded_by: the person, who alone may look at it.
        value_for_all: the value, in yuan, of lines that have none; None for none.

    Raises:
        UnreadableSheet: it can't be read.
    """
    chosen: Layout | None = None
    try:
        _read_through(open_list(content, file_name=file_name, product=product, value_for_all=value_for_all))
    except ColumnsUnsure as question:
        chosen = said_before(question, product=product, value_for_all=value_for_all)
        if chosen:
            _read_through(
                open_list(content, file_name=file_name, product=product, value_for_all=value_for_all, chosen=chosen)
            )
    return BatchDraft.objects.create(
        product=product,
        file_name=_shortened(file_name),
        digest=hashlib.sha256(content).hexdigest(),
        content=packed(content),
        value_for_all=value_for_all,
        columns=written(chosen) if chosen else None,
        uploaded_by=uploaded_by,
    )


def _read_through(found: ReadList) -> None:
    for _entry in found.entries:
        pass


def lines(draft: BatchDraft) -> Iterator[Line]:
    """Yield the lines of a draft that are about an order, each judged by itself, by those above it and by others."""
    return (line for line in all_lines(draft) if not line.is_chatter)


def open_draft(draft: BatchDraft) -> ReadList:
    """Open the list of a draft; errors are those of `open_list`."""
    return open_list(
        unpacked(draft.content),
        file_name=draft.file_name,
        product=draft.product,
        value_for_all=draft.value_for_all,
        chosen=layout_of(draft.columns) if draft.columns else None,
    )


def all_lines(draft: BatchDraft, found: ReadList | None = None) -> Iterator[Line]:
    """Yield the lines of a draft as `lines` does, and between them those that are about no order.

    Args:
        draft: the list.
        found: what opening it has brought, where it was opened already.
    """
    first_lines: dict[rules.Target, tuple[int, int]] = {}
    for judged in judged_pieces((found or open_draft(draft)).entries, draft.product):
        _doubt_repetitions(judged, first_lines)
        _doubt_duplicates([line for line in judged if line.order])
        _hide_holders(judged)
        yield from judged


def judged_pieces(found: Iterator[Entry], product: str) -> Iterator[list[Line]]:
    """Yield lines, many at a time, each judged by itself alone."""
    while piece := list(islice(found, JUDGED_AT_ONCE)):
        cards = _cards_of([entry.row for entry in piece]) if product == Product.OIL else {}
        yield [_judge(Order(product=product, line=entry.number), entry, cards) for entry in piece]


def packed(content: bytes) -> str:
    """Return what is kept of a sheet as a text for an encrypted column."""
    return base64.b64encode(zlib.compress(content)).decode()


def unpacked(text: str) -> bytes:
    """Return what `packed` was given."""
    return zlib.decompress(base64.b64decode(text))


def batches_of_same_file(draft: BatchDraft) -> list[Batch]:
    """Return the latest batches that were made of exactly this file, newest first."""
    return list(Batch.objects.of_file(draft.digest).select_related("made_by")[:5])


def carrier_or_issuer(order: Order) -> str:
    """Return who the money goes through: the number's first carrier, or the card's issuer."""
    if order.oil_card:
        return str(order.oil_card.get_card_type_display())
    return phone_numbers.carrier(order.mobile) or _("Unknown")


def _shortened(file_name: str) -> str:
    """Shorten a name to what a column holds; it keeps its end, by which the sheet is read again."""
    path = PurePath(file_name)
    stem = path.stem[: max(0, NAME_LIMIT - len(path.suffix))]
    return (stem + path.suffix)[:NAME_LIMIT] if file_name else ""


def _judge(order: Order, entry: Entry, cards: Cards) -> Line:
    """Fill an order of the draft's product with what its row says, or say what is wrong with the row."""
    row = entry.row
    wrong = list(row.problems.values())
    if entry.reading and entry.reading.kind is Kind.CHATTER:
        return Line(row, reading=entry.reading)
    set_target = partial(_set_card, cards=cards) if order.product == Product.OIL else _set_mobile
    for understand in (set_target, _set_face_value, _set_speed, _set_note):
        if wrong:
            break  # what can't be taken as it stands would only be found wrong once more
        try:
            understand(order, row.cells)
        except ValueError as error:
            wrong.append(str(error))
    wrong = wrong or [problem.message for problem in rules.problems(order)]
    if wrong:
        return Line(row, problem=" ".join(wrong), reading=entry.reading)
    return Line(row, order, reading=entry.reading)


def _set_mobile(order: Order, cells: Cells) -> None:
    order.mobile = phone_numbers.normalize(cells["mobile"])


def _set_card(order: Order, cells: Cells, *, cards: Cards) -> None:
    order.oil_card = cards.get(card_number(cells["card_number"]))


def _set_face_value(order: Order, cells: Cells) -> None:
    value = value_of(fold(cells["face_value"]))
    if value is None:
        listed = ", ".join(str(value) for value in rules.face_values(order.product))
        raise ValueError(_("The face value must be one of %(listed)s.") % {"listed": listed})
    order.face_value = value


def _set_speed(order: Order, cells: Cells) -> None:
    text = fold(cells["speed"]).upper()
    speed = SPEEDS.get(text) if text else rules.speeds(order.product)[0]
    if speed is None:
        raise ValueError(_("The speed must be 快 or 慢."))
    order.speed = speed


def _set_note(order: Order, cells: Cells) -> None:
    order.note = clean(cells["note"].strip(), NOTE_LIMIT)


def _hide_holders(judged: list[Line]) -> None:
    """Leave out of the notes what identifies the holder of the line's card: they are kept in clear.

    The whole note is looked at, since half a number that was cut off would not be known again.
    """
    noted = [
        (line.order, line.order.oil_card_id, line.row.cells["note"].strip())
        for line in judged
        if line.order and line.order.oil_card_id and line.order.note
    ]
    cards = OilCard.objects.in_bulk({card for _order, card, _note in noted})
    for order, card, note in noted:
        order.note = clean(hide_holder(note, cards[card].details.secrets), NOTE_LIMIT)


def _cards_of(rows: list[Row]) -> Cards:
    """Return the cards in the book that some rows name, by their numbers, reading as few of their secrets as can be."""
    indexes: dict[str, str] = {}
    for row in rows:
        with suppress(InvalidValue):
            number = card_number(row.cells["card_number"])
            indexes.update((index, number) for index in number_index_field().indexes(number))
    found = OilCard.objects.in_the_book().filter(number_index__in=indexes)
    return {indexes[card.number_index]: card for card in found.defer(*SECRET_FIELDS)}


def _doubt_repetitions(judged: list[Line], first_lines: dict[rules.Target, tuple[int, int]]) -> None:
    for line in judged:
        if line.order and line.order.line is not None:
            here = (line.order.line, line.row.line)
            first = first_lines.setdefault(rules.target(line.order), here)
            if first != here:
                line.doubts.append(_("The same as line %(line)d.") % {"line": first[1]})


def _doubt_duplicates(judged: list[Line]) -> None:
    earlier = rules.earlier_ones([line.order for line in judged if line.order])
    for line in judged:
        if line.order and (found := earlier.get(rules.target(line.order))):
            line.doubts.append(
                _("Order %(number)s is the same, and open or not a day old.") % {"number": found.order_no}
            )
