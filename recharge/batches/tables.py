"""Batches as rows; on a telephone every row becomes a card, see portal.css."""

from collections.abc import Mapping

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.kit.wording import person
from portal.web.rendering import count, moment, money
from portal.web.tables import LOOK, column
from recharge.core.masking import hide_mobile, shown_target
from recharge.models import Batch, Order
from recharge.orders.tables import ChoosableTable

from . import wording


class BatchTable(tables.Table):
    state = column(gettext_lazy("State"))
    batch = column(gettext_lazy("Batch"))
    size = column(gettext_lazy("Orders"))
    total = column(gettext_lazy("Total"))
    progress = column(gettext_lazy("Settled"))
    made_at = column(gettext_lazy("Made at"))
    made_by = column(gettext_lazy("Made by"))

    class Meta:
        attrs = LOOK

    def __init__(self, batches: list[Batch], *, unsettled: Mapping[int, int]) -> None:
        super().__init__(batches)
        self._unsettled = unsettled

    def render_state(self, record: Batch) -> SafeString:
        return render_to_string("includes/state.html", wording.badge(record))

    def render_batch(self, record: Batch) -> SafeString:
        name = record.file_name or _("Pasted lines")
        return format_html(
            '<a href="/batches/{}/"><strong>{}</strong> <span class="file-name">{}</span></a>',
            record.pk,
            record.pk,
            name,
        )

    def render_size(self, record: Batch) -> SafeString:
        return format_html('<span class="number">{}</span>', count(record.size))

    def render_total(self, record: Batch) -> SafeString:
        return format_html('<span class="number">{}</span>', money(record.total))

    def render_progress(self, record: Batch) -> SafeString:
        if making := getattr(record, "making", None):
            done, colour = making.orders, "azure"
        else:
            done, colour = record.size - self._unsettled.get(record.pk, 0), "green"
        percent = done * 100 // max(1, record.size)
        context = {"done": done, "size": record.size, "percent": percent, "colour": colour, "making": making}
        return render_to_string("recharge/batches/_batch_bar.html", context)

    def render_made_at(self, record: Batch) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.made_at))

    def render_made_by(self, record: Batch) -> str:
        return person(record.made_by)


class BatchOrderTable(ChoosableTable):
    """The orders of one batch, by their lines in its sheet, and what the platform said of them."""

    line = column(gettext_lazy("Line"))
    reason = column(gettext_lazy("Platform's reason"))

    class Meta(ChoosableTable.Meta):
        sequence = ("choose", "state", "line", "...")
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
