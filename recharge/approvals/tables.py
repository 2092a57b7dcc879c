"""What awaits approval, as rows."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from portal.web.tables import column
from recharge.models import Order
from recharge.orders.tables import OrderTable


class ApprovalTable(OrderTable):
    """What awaits approval, and whether the viewer may decide."""

    decision = column("")

    class Meta(OrderTable.Meta):
        exclude = ("state",)

    def render_decision(self, record: Order) -> SafeString:
        return render_to_string(
            "recharge/approvals/_decision.html", {"order": record, "own": record.placed_by == self._viewer}
        )
