"""What a search has found, as rows: one for each entry, with its newest order."""

from typing import ClassVar

from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from portal.web.tables import column
from recharge.models import Order
from recharge.orders.tables import OrderTable

from .services import Entry


class SearchTable(OrderTable):
    entry = column(_("Looked for"))

    class Meta(OrderTable.Meta):
        sequence: ClassVar = ("entry", "...")

    def __init__(self, entries: list[Entry], *, viewer: User) -> None:
        orders = [entry.order for entry in entries if entry.order]
        super().__init__(orders, viewer=viewer)
        self._entry_of = {id(entry.order): entry for entry in entries}

    def render_entry(self, record: Order) -> SafeString:
        entry = self._entry_of[id(record)]
        more = ngettext("and %(count)s older one", "and %(count)s older ones", entry.more) % {
            "count": f"{entry.more:,}"
        }
        return format_html(
            '<span class="number">{}</span>{}',
            entry.text,
            format_html('<div class="text-secondary">{}</div>', more) if entry.more else "",
        )
