"""Alerts as rows; on a telephone every row becomes a card, see portal.css."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.lists import listed
from portal.kit.wording import person
from portal.web.rendering import count, moment
from portal.web.tables import LOOK, Rows, column
from recharge.models import Alert

from . import wording


class AlertTable(Rows):
    """What it is about, since when, how long or how often, and who has seen it."""

    what = column(_("Alert"))
    since = column(_("Since"))
    lasted = column(_("Lasted"))
    seen = column(_("Seen by"))

    class Meta:
        attrs = LOOK

    def __init__(self, alerts: Any, *, read_until: int) -> None:
        super().__init__(alerts)
        self._read_until = read_until

    def render_what(self, record: Alert) -> SafeString:
        facts = listed(f"{name}: {value}" for name, value in record.data.items())
        new = record.pk > self._read_until
        return format_html(
            '<div><a href="{}"><strong>{}</strong></a>{}<div class="text-secondary text-break">{}</div></div>',
            reverse("alert_detail", args=[record.pk]),
            record.get_kind_display(),
            format_html(' <span class="badge bg-red-lt">{}</span>', gettext("new")) if new else "",
            facts,
        )

    def render_since(self, record: Alert) -> SafeString | str:
        return moment(record.since)

    def render_lasted(self, record: Alert) -> SafeString | str:
        if record.over_at:
            return wording.duration(record.over_at - record.since)
        return format_html(
            '<div>{}<div class="text-secondary">{}</div></div>',
            format_html('<span class="badge bg-orange-lt">{}</span>', gettext("open")),
            gettext("seen %(count)s times") % {"count": count(record.count)} if record.count > 1 else "",
        )

    def render_seen(self, record: Alert) -> SafeString | str:
        if record.acknowledged_by is None:
            return gettext("Nobody yet")
        return format_html(
            '<div>{}<div class="text-secondary text-break">{}</div></div>',
            person(record.acknowledged_by),
            record.acknowledgement,
        )
