"""What an uploaded sheet would become: every line is judged, nothing is made.

The sheet is kept encrypted, since it may hold card numbers, and is read again whenever somebody looks: what was fine
an hour ago may be a duplicate by now.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from django.utils.translation import gettext as _

from oilcards.masking import hide_holder, scrub
from oilcards.models import SECRET_FIELDS, OilCard, number_index_field
from oilcards.numbers import InvalidValue, card_number
from portal.kit.digits import fold
from portal.kit.lists import listed
from portal.sheets import Row
from recharge.choices import Product, Speed
from recharge.core import phone_numbers
from recharge.core.events import clean
from recharge.limits.services import rules, slow_hold
from recharge.limits.services.number_limits import NumberCounts
from recharge.models import Batch, BatchDraft, Order
from recharge.numbers.services import known

from .list_reading import SPEEDS, Entry, ReadList, layout_of, open_list
from .pasted import Kind, Reading, asks_for_several, value_of
from .pasted.words import SIMPLIFIED, TAKEN_BACK

Cells = Mapping[str, str]
Cards = Mapping[str, OilCard]

JUDGED_AT_ONCE = 1000
_SLOW = re.compile(r"慢充|(?<!\w)(?:慢|slow)(?!\w)", re.IGNORECASE)
NOTE_LIMIT = 200
PURPOSE_LIMIT = 100
REFERENCE_LIMIT = 64


@dataclass(slots=True)
class Line:
    """One line of the list: an order that could be placed, or what is wrong with it; doubts go with an order.

    Where its quantity makes several orders of a line, each is a `Line`, and `copy` counts them from 0.
    """

    row: Row
    order: Order | None = None
    problem: str = ""
    warning: str = ""
    """What a rule, or what the platform said, wants to be confirmed of its number."""
    repetitions: list[str] = field(default_factory=list)
    """What it would repeat."""
    reading: Reading | None = None
    number: int = 0
    quantity: int = 1
    copy: int = 0

    @property
    def doubts(self) -> list[str]:
        """Why it looks suspicious."""
        return [self.warning, *self.repetitions] if self.warning else self.repetitions

    @property
    def is_chatter(self) -> bool:
        """Whether it is about no order at all."""
        return self.reading is not None and self.reading.kind is Kind.CHATTER


def lines(draft: BatchDraft, *, besides: Batch | None = None, bad: Collection[int] = ()) -> Iterator[Line]:
    """Yield the lines of a draft that are about an order, each judged by itself, by those above it and by others.

    Args:
        draft: the list.
        besides: a batch whose orders are none of the others: the one that is being made of it.
        bad: the numbers of lines that could not be placed when a person looked at them, and stay so.
    """
    return (line for line in all_lines(draft, besides=besides, bad=bad) if not line.is_chatter)


def open_draft(draft: BatchDraft) -> ReadList:
    """Open the list of a draft; errors are those of `open_list`."""
    return open_list(
        unpacked(draft.content),
        file_name=draft.file_name,
        product=draft.product,
        value_for_all=draft.value_for_all,
        chosen=layout_of(draft.columns) if draft.columns else None,
        quantities=draft.quantities,
    )


def all_lines(
    draft: BatchDraft,
    found: ReadList | None = None,
    *,
    find_others: bool = True,
    besides: Batch | None = None,
    bad: Collection[int] = (),
) -> Iterator[Line]:
    """Yield the lines of a draft as `lines` does, and between them those that are about no order.

    Args:
        draft: the list.
        found: what opening it has brought, where it was opened already.
        find_others: whether orders that were placed before raise doubts, and count towards the limits of a number; what
            the platform has said raises doubts along with them.
        besides: as in `lines`.
        bad: as in `lines`.
    """
    first_lines: dict[rules.Target, tuple[int, int]] = {}
    counts = NumberCounts(besides=besides)
    for_all = {"purpose": draft.purpose_for_all, "reference": draft.reference_for_all}
    for judged in judged_pieces((found or open_draft(draft)).entries, draft.product, for_all):
        if find_others:
            _refuse_held(judged)
            _refuse_beyond_limits(judged, counts)
            _doubt_told(judged)
        if bad:
            _keep_bad(judged, bad)
        _doubt_repetitions(judged, first_lines)
        if find_others:
            _doubt_duplicates([line for line in judged if line.order], besides)
        _hide_holders(judged)
        yield from judged


def judged_pieces(found: Iterator[Entry], product: str, for_all: Cells | None = None) -> Iterator[list[Line]]:
    """Yield lines, many at a time, each judged by itself alone.

    Args:
        found: what stands in the list.
        product: what it is about.
        for_all: purpose and reference of the slow lines that have none.
    """
    blank = Order(product=product)  # a copy takes a quarter of the time that more than fifty columns take
    while piece := list(islice(found, JUDGED_AT_ONCE)):
        cards = _cards_of([entry.row for entry in piece]) if product == Product.OIL else {}
        yield [
            line
            for entry in piece
            for line in _multiplied(_judge(copy(blank), entry, cards, for_all or {}), entry.orders)
        ]


def give_reason(line: Line, reason: str, *, repeats: bool = False) -> None:
    """Let the order of a line tell why it repeats another, where it does; a number's warning is no repetition.

    Args:
        line: whose doubts a reason was given for.
        reason: the reason.
        repeats: whether it repeats an order that its doubts don't tell of.
    """
    if line.order and (line.repetitions or repeats):
        line.order.duplicate_reason = reason


def warnings_of(judged: Iterable[Line]) -> dict[str, list[int]]:
    """Return what rules have to say about the numbers of some lines, each with the lines of its orders."""
    found: dict[str, list[int]] = {}
    for line in judged:
        if line.warning and line.order:
            found.setdefault(line.warning, []).append(line.number)
    return found


def digest_with(digest: str, order: Order, *, is_doubtful: bool) -> str:
    """Return what stands for some orders of a list and one more; it is another one where anything of them is.

    Args:
        digest: what stands for those before it, "" where there are none.
        order: the next one.
        is_doubtful: whether it is doubted, so that a reason is given for the doubts that were seen.
    """
    said = (
        digest,
        order.line,
        order.product,
        order.mobile,
        order.oil_card_id,
        order.face_value,
        order.speed,
        order.note,
        order.purpose,
        order.reference,
        is_doubtful,
    )
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


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


def _judge(order: Order, entry: Entry, cards: Cards, for_all: Cells) -> Line:
    """Fill a blank order of the draft's product with what its row says, or say what is wrong with the row."""
    row, order.line = entry.row, entry.number
    wrong = list(dict.fromkeys(row.problems.values()))
    line = Line(row, reading=entry.reading, number=entry.number, quantity=entry.quantity)
    if line.is_chatter:
        return line
    set_target = partial(_set_card, cards=cards) if order.product == Product.OIL else _set_mobile
    set_purpose = partial(_set_purpose, for_all=for_all)
    for understand in (set_target, _set_face_value, _set_speed, _set_note, set_purpose):
        if wrong:
            break  # what can't be taken as it stands would only be found wrong once more
        try:
            understand(order, row.cells)
        except ValueError as error:
            wrong.append(str(error))
    line.problem = " ".join(wrong or [problem.message for problem in rules.problems(order)])
    if not line.problem:
        doubt = rules.doubt(order)
        line.order, line.warning = (
            order,
            doubt.message if doubt else _doubt_of_note(order.note) or _doubt_of_asides(order, row),
        )
    return line


def _doubt_of_note(note: str) -> str:
    note = note.translate(SIMPLIFIED)
    if TAKEN_BACK.search(note):
        return _("The note may say that this is not to be topped up, or has been already.")
    return _("The note may ask for more than one order.") if asks_for_several(note) else ""


def _doubt_of_asides(order: Order, row: Row) -> str:
    """Return what to ask about a row that says beside what is read that it is done, not to be done, or slow."""
    texts = [text.translate(SIMPLIFIED) for text in row.asides if not text.isascii() or text.isalpha()]
    found = next((found for text in texts if (found := TAKEN_BACK.search(text))), None)
    if not found:
        slow = order.speed == Speed.FAST and next((found for text in texts if (found := _SLOW.search(text))), None)
        words = _("“%(words)s” stands in a column that is not read: is this to be fast?")
        return words % {"words": slow[0]} if slow else ""
    return _("“%(words)s” stands in a column that is not read: is this to be topped up?") % {"words": found[0]}


def _multiplied(line: Line, orders: int) -> list[Line]:
    """Return a line as often as its quantity says; the orders after the first one tell why they repeat it."""
    if line.order is None or orders == 1:
        return [line]
    reason = _("Line %(line)d of the list asks for %(quantity)d of it.") % {
        "line": line.row.line,
        "quantity": orders,
    }
    lines = [line]
    for copied in range(1, orders):
        order = copy(line.order)
        order.line, order.duplicate_reason = line.number + copied, reason
        lines.append(replace(line, order=order, number=line.number + copied, copy=copied, repetitions=[]))
    return lines


def _set_mobile(order: Order, cells: Cells) -> None:
    order.mobile = phone_numbers.normalize(cells["mobile"])


def _set_card(order: Order, cells: Cells, *, cards: Cards) -> None:
    order.oil_card = cards.get(card_number(cells["card_number"]))


def _set_face_value(order: Order, cells: Cells) -> None:
    text = fold(cells["face_value"])
    if not text:
        raise ValueError(_("There is no face value in this line."))
    value = value_of(text)
    if value is None:
        values = listed(rules.face_values(order.product))
        raise ValueError(_("The face value must be one of %(listed)s.") % {"listed": values})
    order.face_value = value


def _set_speed(order: Order, cells: Cells) -> None:
    text = fold(cells["speed"]).upper()
    speed = SPEEDS.get(text) if text else rules.speeds(order.product)[0]
    if speed is None:
        raise ValueError(_("The speed must be 快 or 慢."))
    order.speed = speed


def _set_note(order: Order, cells: Cells) -> None:
    order.note = clean(cells["note"].strip(), NOTE_LIMIT)


def _set_purpose(order: Order, cells: Cells, *, for_all: Cells) -> None:
    """Take over what slow orders need by the settings; of oil cards, without what looks like a card or a person."""
    said = [(cells.get(name, "") or for_all.get(name, "")).strip() for name in ("purpose", "reference")]
    if order.product == Product.OIL:
        said = [scrub(text, secrets=()) for text in said]
    order.purpose, order.reference = clean(said[0], PURPOSE_LIMIT), clean(said[1], REFERENCE_LIMIT)


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
    """Doubt what stands further up already; the orders that a quantity makes of one line are meant."""
    for line in judged:
        if line.order:
            here = (line.number - line.copy, line.row.line)
            first = first_lines.setdefault(rules.target(line.order), here)
            if first != here:
                line.repetitions.append(_("The same as line %(line)d.") % {"line": first[1]})


def _refuse_held(judged: list[Line]) -> None:
    """Refuse slow lines while slow top-ups are held."""
    slow = [line for line in judged if line.order and slow_hold.concerns(line.order)]
    if slow and slow[0].order and (held := slow_hold.why_held(slow[0].order)):
        for line in slow:
            line.order, line.problem = None, held


def _refuse_beyond_limits(judged: list[Line], counts: NumberCounts) -> None:
    """Refuse the lines with which their number would get more than one may get, those above them counted."""
    counts.look_up([line.order for line in judged if line.order])
    for line in judged:
        if line.order and (passed := counts.take(line.order)):
            line.order, line.problem = None, passed


def _keep_bad(judged: list[Line], bad: Collection[int]) -> None:
    """Refuse what was refused when a person looked at it, and all copies of a line whose first one was."""
    for line in judged:
        if line.order and (line.number in bad or line.number - line.copy in bad):
            line.order, line.problem = None, _("This could not be placed when the list was looked at.")


def _doubt_told(judged: list[Line]) -> None:
    """Doubt what the platform lately said can't be topped up, or was ported; see `known.doubts`."""
    told = known.doubts([line.order for line in judged if line.order])
    for line in judged:
        if line.order and (doubt := told.get(known.offer_of(line.order))):
            line.warning = " ".join(filter(None, [line.warning, doubt.message]))


def _doubt_duplicates(judged: list[Line], besides: Batch | None) -> None:
    earlier = rules.earlier_ones([line.order for line in judged if line.order], besides=besides)
    for line in judged:
        if line.order and (found := earlier.get(rules.target(line.order))):
            line.repetitions.append(
                _("Order %(number)s is the same, and open or not a day old.") % {"number": found.order_no}
            )
