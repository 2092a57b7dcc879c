"""The audit trail as rows; on a telephone every row becomes a card, see portal.css."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person
from portal.web.rendering import moment
from portal.web.tables import LOOK, Rows, column
from recharge.models import PortalEvent

from . import wording


class AuditTable(Rows):
    """When, what, to what, by whom, and what else is known."""

    at = column(_("At"))
    what = column(_("Event"))
    about = column(_("About"))
    actor = column(_("By"))
    more = column(_("Details"))

    class Meta:
        attrs = LOOK

    def __init__(self, events: Sequence[PortalEvent]) -> None:
        super().__init__(events)
        self._names = wording.Names(events)

    def render_at(self, record: PortalEvent) -> SafeString | str:
        return moment(record.at)

    def render_what(self, record: PortalEvent) -> SafeString:
        return format_html('<span data-event="{}">{}</span>', record.kind, record.get_kind_display())

    def render_about(self, record: PortalEvent) -> SafeString | str:
        subject = self._names.subject(record)
        if subject is None:
            return "–"
        if not subject.address:
            return format_html('<span class="text-break">{}</span>', subject.name)
        return format_html('<a href="{}">{}</a>', subject.address, subject.name)

    def render_actor(self, record: PortalEvent) -> SafeString | str:
        return format_html('<span class="text-break">{}</span>', person(record.actor)) if record.actor else "–"

    def render_more(self, record: PortalEvent) -> SafeString | str:
        if not record.note and not record.details:
            return "–"
        facts = format_html_join(
            "",
            '<div class="text-secondary text-break">{}: {}</div>',
            [fact for fact in wording.facts(record, self._names) if fact[1]],
        )
        return format_html('<div><div class="text-break">{}</div>{}</div>', wording.note(record), facts)
