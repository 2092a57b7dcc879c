"""Orders as rows; on a telephone every row becomes a card, see portal.css."""

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.web.rendering import digits, moment, money
from portal.web.tables import LOOK, Rows, column
from recharge.core import phone_numbers, wording
from recharge.models import Order


class OrderTable(Rows):
    state = column(_("State"))
    order_no = column(_("Order number"))
    target = column(_("Recharged"))
    face_value = column(_("Face value"))
    placed_at = column(_("Placed at"))
    placed_by = column(_("Placed by"))

    class Meta:
        attrs = LOOK

    def __init__(self, orders: list[Order], *, viewer: User) -> None:
        super().__init__(orders)
        self._viewer = viewer
        self._sees_numbers = viewer.has_perm("recharge.see_numbers")
        self._states: dict[object, SafeString] = {}

    def render_state(self, record: Order) -> SafeString:
        """Render each state once: a page has many rows and few states."""
        key = (record.submission, record.status, record.confirmed_at is None)
        if key not in self._states:
            self._states[key] = render_to_string("includes/state.html", wording.badge(record))
        return self._states[key]

    def render_order_no(self, record: Order) -> SafeString:
        return format_html('<a href="/orders/{}/">{}</a>', record.order_no, digits(record.order_no))

    def render_target(self, record: Order) -> SafeString:
        """Mask one's own numbers too: such a list stays open all day, with many of them for whoever passes by."""
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
        return record.placed_by.get_username()
