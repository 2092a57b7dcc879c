"""Orders as rows; on a telephone every row becomes a card, see portal.css."""

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.tables import LOOK, Rows, column
from portal.templatetags.portal import digits, moment, money
from portal.templatetags.portal import state as state_tag

from . import mobile, outcomes
from .masking import hide_mobile, shown_target
from .models import Order


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
            self._states[key] = render_to_string("includes/state.html", state_tag(record))
        return self._states[key]

    def render_order_no(self, record: Order) -> SafeString:
        return format_html('<a href="/orders/{}/">{}</a>', record.order_no, digits(record.order_no))

    def render_target(self, record: Order) -> SafeString:
        """Mask one's own numbers too: such a list stays open all day, with many of them for whoever passes by."""
        if record.oil_card:
            return format_html('<span class="number">{}</span>', record.oil_card.short_name)
        show = mobile.grouped if self._sees_numbers else mobile.masked
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


class ApprovalTable(OrderTable):
    """What awaits approval, and whether the viewer may decide."""

    decision = column("")

    class Meta(OrderTable.Meta):
        exclude = ("state",)

    def render_decision(self, record: Order) -> SafeString:
        return render_to_string("recharge/_decision.html", {"order": record, "own": record.placed_by == self._viewer})


class BatchOrderTable(OrderTable):
    """The orders of one batch, by their lines in its sheet, and what the platform said of them."""

    line = column(_("Line"))
    reason = column(_("Platform's reason"))

    class Meta(OrderTable.Meta):
        sequence = ("state", "line", "...")
        exclude = ("placed_at", "placed_by")

    def render_reason(self, record: Order) -> str:
        return hide_mobile(record.refusal or record.reason, record, self._viewer) or "–"

    def render_line(self, record: Order) -> SafeString:
        return format_html('<span class="number">{}</span>', record.line)

    def render_target(self, record: Order) -> SafeString:
        """Show one's own numbers whole, to be compared with the sheet."""
        target = format_html('<span class="number">{}</span>', shown_target(record, self._viewer))
        if not record.note:
            return target
        note = hide_mobile(record.note, record, self._viewer)
        return format_html('{}<div class="text-secondary text-break">{}</div>', target, note)


class AttentionTable(OrderTable):
    """The same, and why a person must look at it."""

    attention = column(_("What to do"))

    class Meta(OrderTable.Meta):
        sequence = ("state", "order_no", "attention", "...")

    def render_attention(self, record: Order) -> SafeString:
        return format_html_join(
            "",
            '<div data-mark="{}"><strong>{}</strong><div class="text-secondary">{}</div></div>',
            ((kind.value, kind.label, outcomes.ADVICE[kind]) for kind in record.marked_as),
        )
