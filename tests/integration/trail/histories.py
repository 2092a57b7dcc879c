"""Histories to seal and to bend."""

import datetime as dt

from django.db import connection
from django.utils import timezone

from portal.kit.append_only import open_to_change
from recharge.choices import PortalEventKind
from recharge.models import PortalEvent
from recharge.trail.services import sealing

KIND = PortalEventKind.BACKED_UP


def write(count: int, *, age: dt.timedelta = dt.timedelta(hours=2)) -> list[int]:
    at = timezone.now() - age
    rows = PortalEvent.objects.bulk_create(PortalEvent(kind=KIND, note=f"第 {n} 行", at=at) for n in range(count))
    return [row.pk for row in rows]


def sealed(count: int = 25) -> list[int]:
    ids = write(count)
    while sealing.seal_what_is_due():
        pass
    return ids


def bend(pk: int, **changes: object) -> None:
    with open_to_change(connection, PortalEvent):
        PortalEvent.objects.filter(pk=pk).update(**changes)
