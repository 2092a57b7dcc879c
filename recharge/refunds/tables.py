"""What the platform owes, as rows."""

from typing import ClassVar

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.web.rendering import moment, money
from portal.web.tables import column
from recharge.models import Order
from recharge.orders.tables import OrderTable


class RefundTable(OrderTable):
    owed = column(_("Owed"))
    since = column(_("Since"))

    class Meta(OrderTable.Meta):
        sequence: ClassVar = ("state", "order_no", "target", "face_value", "owed", "since", "...")

    def render_owed(self, record: Order) -> SafeString:
        return format_html('<strong class="number">{}</strong>', money(record.owed))  # type: ignore[attr-defined]

    def render_since(self, record: Order) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.status_at))
