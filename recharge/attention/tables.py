"""What needs a person, as rows."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person
from portal.web.tables import column
from recharge.core.masking import hide_mobile
from recharge.models import Order
from recharge.orders.tables import ON_DEMAND, ChoosableTable

from . import wording


class AttentionTable(ChoosableTable):
    """The same, why a person must look at it, who does, and what happens by itself."""

    attention = column(_("What to do"))
    case = column(_("Looked after by"))
    on_demand = (*ON_DEMAND, "placed_by")

    class Meta(ChoosableTable.Meta):
        sequence: tuple[str, ...] = ("choose", "state", "order_no", "attention", "case", "...")

    def render_attention(self, record: Order) -> SafeString:
        reasons = format_html_join(
            "",
            '<div data-mark="{}"><strong>{}</strong><div class="text-secondary">{}</div></div>',
            wording.reasons(record),
        )
        return format_html(
            '<div class="what-to-do">{}<div class="text-secondary">{}</div></div>', reasons, wording.next_step(record)
        )

    def render_case(self, record: Order) -> SafeString:
        case = getattr(record, "case", None)
        if case is None or case.assignee is None:
            who = (
                format_html('<a href="{}">{}</a>', reverse("order_take", args=[record.order_no]), gettext("Take it"))
                if self._viewer.has_perm("recharge.change_order")
                else format_html("{}", gettext("Nobody yet"))
            )
        else:
            who = format_html("{}", person(case.assignee))
        note = hide_mobile(case.note, record, self._viewer) if case else ""
        return format_html('<div>{}<div class="text-secondary text-break">{}</div></div>', who, note)
