"""What would come of an uploaded sheet, gathered in one pass over its lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from portal.kit.database import release_connection
from portal.sheets import WIDEST_PROPOSED, Column, ColumnsUnsure, Layout, letter_of
from recharge.choices import Product
from recharge.core import phone_numbers
from recharge.core.totals import Totals
from recharge.limits.services import spending
from recharge.limits.services.approval import needs_approval
from recharge.limits.services.spending import Allowance
from recharge.models import Batch, BatchDraft, Order

from .columns.names import COLUMNS, PURPOSE, QUANTITY, REFERENCE, columns_of
from .reading import Line, all_lines, batches_of_same_file, carrier_or_issuer, digest_with, lines, open_draft

SHOWN = 50
ROWS_SHOWN = 10
TYPED_SHOWN = 1_000
MAX_SHOWN_LENGTH = 20
_CARD = re.compile(r"\d{14,}")
_ANY_CARD = re.compile(r"\d(?:[\s\-‐-―]?\d){9,}")
# Not of one number and the next, which a person has to compare with what was read.
_CARD_AMONG_PHONES = re.compile(r"\d{14,}|\d{4}(?:[\s\-‐-―]\d{4}){2,}(?:[\s\-‐-―]\d{1,7})?")


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line that a person should look at: what it says, as far as it may be shown, and why."""

    line: int
    target: str
    value: str
    words: list[str]


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line of a text beside what was read in it."""

    line: int
    typed: str
    target: str
    value: int | None
    speed: str
    note: str
    problem: str
    read_freely: bool
    is_chatter: bool


@dataclass(slots=True)
class Preview:
    """The figures of a sheet. `groups` are of what can be placed, by carrier or issuer and by value."""

    good: Totals = field(default_factory=Totals)
    suspicious: Totals = field(default_factory=Totals)
    bad: int = 0
    digest: str = ""
    """Stands for all orders that can be placed: where the list is read or judged otherwise, it is another one."""
    groups: dict[str, dict[int, Totals]] = field(default_factory=dict)
    bad_lines: list[ShownLine] = field(default_factory=list)
    suspicious_lines: list[ShownLine] = field(default_factory=list)
    same_file: list[Batch] = field(default_factory=list)
    allowances: list[Allowance] = field(default_factory=list)
    typed_lines: list[TypedLine] = field(default_factory=list)
    typed: int = 0
    chatter: int = 0
    read_freely: int = 0
    with_quantity: int = 0
    """Lines that say how many of it are wanted, more than one."""
    of_quantities: int = 0
    """Orders that these lines would become, or have become."""
    product: str = Product.MOBILE
    layout: Layout | None = None
    notice: str = ""

    @property
    def ignored(self) -> list[str]:
        """The titles of the columns that nothing was read from."""
        return self.layout.ignored if self.layout else []

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Our titles of the columns, and where they are, by letter and by their own titles."""
        if self.layout is None:
            return []
        names = {column.name: column.title for column in (*COLUMNS[self.product], PURPOSE, REFERENCE, QUANTITY)}
        return [
            (names[name], f"{letter_of(position)} {self.layout.title_at(position)}".strip())
            for name, position in self.layout.positions.items()
        ]

    @property
    def placeable(self) -> Totals:
        return Totals(self.good.orders + self.suspicious.orders, self.good.money + self.suspicious.money)

    @property
    def needs_approval(self) -> bool:
        return needs_approval(self.placeable.money)

    @property
    def needs_reason(self) -> bool:
        return bool(self.suspicious.orders or self.same_file)

    @property
    def values(self) -> list[int]:
        """The face values that occur."""
        return sorted({value for values in self.groups.values() for value in values})

    def add(self, line: Line) -> None:
        """Count a line, and keep it if it is one of the first to be shown."""
        if line.reading:
            self._add_typed(line)
        if line.is_chatter:
            return
        if line.quantity > 1 and not line.copy:
            self.with_quantity += 1
            self.of_quantities += line.quantity
        if line.order is None:
            self.bad += 1
            if len(self.bad_lines) < SHOWN:
                self.bad_lines.append(_shown_bad(line))
            return
        self.digest = digest_with(self.digest, line.order, is_doubtful=bool(line.doubts))
        value = line.order.face_value
        values = self.groups.setdefault(carrier_or_issuer(line.order), {})
        values.setdefault(value, Totals()).add(1, value)
        if not line.doubts:
            self.good.add(1, value)
            return
        self.suspicious.add(1, value)
        if len(self.suspicious_lines) < SHOWN:
            shown = ShownLine(line.row.line, _target_of(line.order), str(value), line.doubts)
            self.suspicious_lines.append(shown)

    def _add_typed(self, line: Line) -> None:
        self.typed += 1
        self.chatter += line.is_chatter
        self.read_freely += bool(line.order and line.reading and line.reading.read_freely)
        if len(self.typed_lines) < TYPED_SHOWN:
            self.typed_lines.append(_typed(line))


def preview(draft: BatchDraft) -> Preview:
    """Go over the lines of a draft once.

    Args:
        draft: the sheet.

    Raises:
        ColumnsUnsure: a person has to tell the layout.
        UnreadableSheet: the sheet can't be read (any more).
    """
    found = open_draft(draft)
    seen = Preview(product=draft.product, layout=found.layout, notice=found.notice)
    for line in all_lines(draft, found):
        seen.add(line)
    return seen


def compared(seen: Preview, draft: BatchDraft, viewer: User) -> Preview:
    """Say beside the figures of a draft what may have changed since they were found.

    Args:
        seen: the figures.
        draft: the sheet.
        viewer: who would make a batch of it, and against whose limit it would count.
    """
    seen.same_file = batches_of_same_file(draft)
    seen.allowances = spending.allowances(viewer)
    return seen


def first_rows(question: ColumnsUnsure, product: str) -> list[tuple[int, list[str], bool]]:
    """Return the first rows of a list: line, cells as far as they may be shown, and whether they would be read."""
    cards = _ANY_CARD if product == Product.OIL else _CARD_AMONG_PHONES
    return [
        (
            row.line,
            [cards.sub(lambda found: _last_four(found[0]), text) for text, _problem in row.cells[:WIDEST_PROPOSED]],
            row.line > question.proposed.below,
        )
        for row in question.beginning[:ROWS_SHOWN]
    ]


def titles(product: str, *, chinese: bool) -> list[str]:
    """Return the header of a product's sheets, in words that reading understands."""
    columns: Sequence[Column] = columns_of(product)
    return [column.title if chinese else column.name for column in columns]


def example(product: str) -> list[object]:
    """Return a row that shows what belongs into a sheet, and that can never be placed, should it be left in."""
    number, value = "13800138000", settings.FACE_VALUES[0]
    if product == Product.OIL:
        number, value = "1000110000000000000", settings.OIL_FACE_VALUES[0]
    speed = "慢" if product == Product.OIL else "快"
    rest = [""] * (len(columns_of(product)) - len(COLUMNS[product]))
    return [_("%(number)s (example)") % {"number": number}, value, speed, _("Replace this row by your own."), *rest]


def rows(draft: BatchDraft, *, bad: bool) -> Iterator[list[object]]:
    """Yield the lines that can't be placed, or those that look suspicious, as rows of a sheet.

    Each is the line's number, why, in words, and its cells as reading understood them.
    """
    names = [column.name for column in columns_of(draft.product)]
    for line in lines(draft):
        why = line.problem if bad else " ".join(line.doubts)
        if why:
            release_connection()  # the consumer of the rows may be slow
            yield [line.row.line, why, *(line.row.cells.get(name, "") for name in names)]


def shown_target(cells: Mapping[str, str], *, whole: bool = True) -> str:
    """Return what a bad line wanted to be recharged, as far as it may be shown.

    Args:
        cells: of the line.
        whole: whether phone numbers may be seen; cards show their last digits, in a sheet about cards and wherever a
            number is as long as theirs.
    """
    if "card_number" in cells:
        return _last_four(re.sub(r"\D", "", cells["card_number"]))
    text = cells["mobile"]
    shown = _CARD.sub(lambda found: _last_four(found[0]), text) if whole else _last_four(text)
    return shown[:MAX_SHOWN_LENGTH]


def shown_text(text: str, cells: Mapping[str, str]) -> str:
    """Return a text that stands in a list as far as it may be shown: of cards, the last digits.

    Args:
        text: a note, or a whole line.
        cells: of the line, which say whether the list is about cards.
    """
    cards = _ANY_CARD if "card_number" in cells else _CARD_AMONG_PHONES
    return cards.sub(lambda found: _last_four(found[0]), text)


def _target_of(order: Order) -> str:
    return order.oil_card.short_name if order.oil_card else phone_numbers.grouped(order.mobile)


def _shown_bad(line: Line) -> ShownLine:
    cells = line.row.cells
    return ShownLine(line.row.line, shown_target(cells), cells["face_value"][:MAX_SHOWN_LENGTH], [line.problem])


def _typed(line: Line) -> TypedLine:
    reading, order = line.reading, line.order
    assert reading is not None
    return TypedLine(
        line=line.row.line,
        typed=shown_text(reading.typed, line.row.cells),
        target=_target_of(order) if order else "",
        value=order.face_value if order else None,
        speed=str(order.get_speed_display()) if order and reading.speed else "",
        note=order.note if order else "",
        problem=line.problem,
        read_freely=reading.read_freely,
        is_chatter=line.is_chatter,
    )


def _last_four(text: str) -> str:
    return f"···· {text[-4:]}" if text else ""
