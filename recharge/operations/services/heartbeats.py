"""Signs of life of the portal's parts, and which of them has given none for too long."""

import datetime as dt

from django.db.models import F
from django.db.models.functions import Now

from portal.kit.database import from_now
from recharge.choices import Part
from recharge.models import Heartbeat

PATIENCE = dt.timedelta(minutes=2)
MISSED = 3
"""So many looks in a row at the web pages, a minute apart, have to fail."""

WORKERS = (Part.SWEEP, Part.ALERTS)
"""What worker and scheduler do together every few seconds."""


def beat(part: Part) -> None:
    """Note that a part is alive."""
    row = Heartbeat.objects.filter(part=part)
    if row.filter(at__gte=from_now(-PATIENCE)).update(at=Now(), missed=0):
        return
    if not row.update(at=Now(), steady_since=Now(), missed=0):
        Heartbeat.objects.bulk_create([Heartbeat(part=part)], ignore_conflicts=True)


def miss(part: Part) -> None:
    """Note that a look at a part found no life; nothing where it was never seen alive from here."""
    Heartbeat.objects.filter(part=part).update(missed=F("missed") + 1)


def is_steady(part: Part) -> bool:
    """Say whether a part has been alive without a gap for long enough to judge others."""
    return Heartbeat.objects.filter(part=part, steady_since__lte=from_now(-PATIENCE)).exists()


def dead_workers() -> list[Heartbeat]:
    """Return the parts that worker and scheduler have left undone for too long; one never seen counts from now on."""
    Heartbeat.objects.bulk_create([Heartbeat(part=part) for part in WORKERS], ignore_conflicts=True)
    return list(Heartbeat.objects.filter(part__in=WORKERS, at__lt=from_now(-PATIENCE)).order_by("at", "-part"))


def dead_web() -> Heartbeat | None:
    """Return since when the web pages can't be reached; None where they can, or never could be from here."""
    return Heartbeat.objects.filter(part=Part.WEB, missed__gte=MISSED).first()
