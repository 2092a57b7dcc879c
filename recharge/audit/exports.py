"""The audit trail as rows of a sheet, read by key, a page at a time."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from portal.kit.database import release_connection
from portal.kit.wording import person
from recharge.models import PortalEvent
from recharge.models.portal_wide.portal_events import PortalEventQuerySet

from . import wording

PAGE = 2_000


def header() -> list[str]:
    """Return the titles of the columns."""
    return [_("Number"), _("At"), _("Event"), _("By"), _("About"), _("Note"), _("Details")]


def rows(events: PortalEventQuerySet) -> Iterator[list[object]]:
    """Yield the events as rows, oldest first; no connection is held while a page is written."""
    for page in _pages(events.select_related("actor")):
        names = wording.Names(page)
        release_connection()
        for event in page:
            subject = names.subject(event)
            yield [
                event.pk,
                event.at,
                event.get_kind_display(),
                person(event.actor) if event.actor else "",
                subject.name if subject else "",
                wording.note(event),
                "; ".join(f"{label}: {value}" for label, value in wording.facts(event, names) if value),
            ]


def _pages(events: PortalEventQuerySet) -> Iterator[list[PortalEvent]]:
    rest = events
    while page := list(rest.order_by("pk")[:PAGE]):
        yield page
        rest = events.filter(pk__gt=page[-1].pk)
