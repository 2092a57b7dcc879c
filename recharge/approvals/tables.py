"""What awaits approval, as rows."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.web.tables import column
from recharge.models import Order
from recharge.orders.tables import ChoosableTable


class ApprovalTable(ChoosableTable):
    """What awaits approval, and whether the viewer may decide."""

    decision = column(_("Decision"))

    class Meta(ChoosableTable.Meta):
        exclude = ("state",)

    def render_choose(self, record: Order) -> SafeString:
        """One's own can't be chosen: another person decides."""
        return SafeString("") if record.placed_by == self._viewer else super().render_choose(record)

    def render_decision(self, record: Order) -> SafeString:
        return render_to_string(
            "recharge/approvals/_decision.html", {"order": record, "own": record.placed_by == self._viewer}
        )
