"""What needs a person, as rows."""

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.web.tables import column
from recharge.core import wording
from recharge.models import Order
from recharge.orders.tables import OrderTable


class AttentionTable(OrderTable):
    """The same, and why a person must look at it."""

    attention = column(_("What to do"))

    class Meta(OrderTable.Meta):
        sequence = ("state", "order_no", "attention", "...")

    def render_attention(self, record: Order) -> SafeString:
        return format_html_join(
            "",
            '<div data-mark="{}"><strong>{}</strong><div class="text-secondary">{}</div></div>',
            ((kind.value, kind.label, wording.ADVICE[kind]) for kind in record.marked_as),
        )
