"""Orders as rows; on a telephone every row becomes a card, see portal.css."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person
from portal.web.rendering import digits, moment, money
from portal.web.tables import LOOK, Rows, column
from recharge.core import phone_numbers, wording
from recharge.core.masking import hide_mobile
from recharge.models import Order

from .filters import Found

ALWAYS_SHOWN = ("choose", "order_no")
ON_DEMAND = ("settled_at", "gateway_order_no", "cost_price", "carrier", "batch", "note")
"""Columns that are shown only to whoever asks for them."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A column that may be shown or not."""

    name: str
    label: str | Promise
    shown: bool


class OrderTable(Rows):
    state = column(_("State"))
    order_no = column(_("Order number"))
    target = column(_("Phone or card"))
    face_value = column(_("Face value"))
    placed_at = column(_("Placed at"))
    placed_by = column(_("Placed by"))
    settled_at = column(_("Settled at"))
    gateway_order_no = column(_("Platform number"))
    cost_price = column(_("Cost price"))
    carrier = column(_("Carrier"))
    batch = column(_("Batch"))
    note = column(_("Note"))

    on_demand: ClassVar[tuple[str, ...]] = ON_DEMAND

    class Meta:
        attrs = LOOK

    def __init__(self, orders: list[Order], *, viewer: User, columns: Sequence[str] = ()) -> None:
        """Show the columns that are named; the usual ones where none is, or none that there is."""
        shown = self.chosen_of(columns) or self.usual()
        hidden = [name for name in self.choices() if name not in shown]
        super().__init__(orders, exclude=(*self._meta.exclude, *hidden))
        self.column_choices = [ColumnChoice(name, label, name in shown) for name, label in self.choices().items()]
        self._viewer = viewer
        self._sees_numbers = viewer.has_perm("recharge.see_numbers")
        self._states: dict[object, SafeString] = {}

    @classmethod
    def choices(cls) -> dict[str, str | Promise]:
        """Return the columns that may be shown or not, with their labels."""
        left_out = (*ALWAYS_SHOWN, *cls._meta.exclude)
        return {name: column.verbose_name for name, column in cls.base_columns.items() if name not in left_out}

    @classmethod
    def usual(cls) -> list[str]:
        """Return the columns that are shown to whoever asks for none in particular."""
        return [name for name in cls.choices() if name not in cls.on_demand]

    @classmethod
    def chosen_of(cls, names: Sequence[str]) -> list[str]:
        """Return which columns among some names, of unknown origin, there are to choose."""
        return [name for name in cls.choices() if name in names]

    def render_state(self, record: Order) -> SafeString:
        """Render each state once: a page has many rows and few states."""
        changing = (wording.is_contradicted(record), wording.is_being_made(record))
        key = (record.submission, record.status, record.confirmed_at is None, *changing)
        if key not in self._states:
            self._states[key] = render_to_string("includes/state.html", wording.badge(record))
        return self._states[key]

    def render_order_no(self, record: Order) -> SafeString:
        return format_html('<a href="/orders/{}/">{}</a>', record.order_no, digits(record.order_no))

    def render_target(self, record: Order) -> SafeString:
        """Mask the viewer's own numbers too: such a list stays open all day, where others can see it."""
        if record.oil_card:
            return format_html('<span class="number">{}</span>', record.oil_card.short_name)
        show = phone_numbers.grouped if self._sees_numbers else phone_numbers.masked
        return format_html('<span class="number">{}</span>', show(record.mobile))

    def render_face_value(self, record: Order) -> SafeString:
        return format_html(
            '<span class="value">{} <span class="text-secondary">{}</span></span>',
            money(record.face_value),
            record.get_speed_display(),
        )

    def render_placed_at(self, record: Order) -> SafeString | str:
        return format_html('<span class="number">{}</span>', moment(record.placed_at))

    def render_placed_by(self, record: Order) -> str:
        return person(record.placed_by)

    def render_settled_at(self, record: Order) -> SafeString | str:
        return format_html('<span class="number">{}</span>', moment(record.settled_at)) if record.settled_at else "–"

    def render_gateway_order_no(self, record: Order) -> SafeString:
        return format_html('<span class="number">{}</span>', record.gateway_order_no or "–")

    def render_cost_price(self, record: Order) -> SafeString | str:
        if record.cost_price is None:
            return "–"
        return format_html('<span class="number">{}</span>', money(record.cost_price))

    def render_carrier(self, record: Order) -> str:
        ported = gettext("ported") if record.ported else ""
        shown = [record.get_carrier_display(), record.province, ported]
        return " ".join(str(word) for word in shown if word) or "–"

    def render_batch(self, record: Order) -> SafeString | str:
        if not record.batch_id:
            return "–"
        if not self._viewer.has_perm("recharge.view_batch"):
            return str(record.batch_id)
        return format_html('<a href="/batches/{0}/">{0}</a>', record.batch_id)

    def render_note(self, record: Order) -> SafeString:
        return format_html('<span class="text-break">{}</span>', hide_mobile(record.note, record, self._viewer) or "–")


class ChoosableTable(OrderTable):
    """The same, with a box to choose each order for a bulk action."""

    choose = column(_("Choose"))

    class Meta(OrderTable.Meta):
        sequence: tuple[str, ...] = ("choose", "...")

    def __init__(
        self, orders: list[Order], *, viewer: User, chosen: Found | None = None, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(orders, viewer=viewer, columns=columns)
        self._chosen = set(chosen.numbers) if chosen else set[str]()

    def render_choose(self, record: Order) -> SafeString:
        return format_html(
            '<input class="form-check-input" type="checkbox" form="bulk" name="order_no" value="{0}" '
            'aria-label="{0}"{1}>',
            record.order_no,
            " checked" if record.order_no in self._chosen else "",
        )
