"""Batches as rows; on a telephone every row becomes a card, see portal.css."""

from collections.abc import Mapping

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.tables import LOOK, column
from portal.templatetags.portal import batch_state, count, moment, money

from .models import Batch


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
        return render_to_string("includes/state.html", batch_state(record))

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
        settled = record.size - self._unsettled.get(record.pk, 0)
        context = {"settled": settled, "size": record.size, "percent": settled * 100 // record.size}
        return render_to_string("recharge/_batch_bar.html", context)

    def render_made_at(self, record: Batch) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.made_at))

    def render_made_by(self, record: Batch) -> str:
        return record.made_by.get_username()
