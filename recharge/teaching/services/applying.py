"""Reading the stored evidence anew by what was taught: in a worker, order by order, each in its own transaction."""

import time

from django.db import transaction
from django.db.models import F, QuerySet

from portal.celery import closing
from recharge.core.locking import lock
from recharge.fulfilment.services import replaying
from recharge.fulfilment.services.replaying import Outcome
from recharge.models import Reading
from recharge.readings import services as readings

SECONDS = 10.0
"""How long one turn takes; the sweep opens the next one."""

PIECE = 200


def apply_waiting() -> None:
    """Go on with reading the stored evidence by what was taught lately; harmless however often it runs."""
    over = time.monotonic() + SECONDS
    for reading in Reading.objects.to_apply():
        while _apply_piece(reading) and time.monotonic() < over and not closing.is_set():
            pass


def _apply_piece(reading: Reading) -> bool:
    """Go on with some orders; False at the end of a round, and where it has to begin anew meanwhile."""
    as_it_was = _unchanged(reading).filter(rounds=reading.rounds, applied_to=reading.applied_to)
    keys = _orders_after(reading)
    for order_id in keys:
        _apply(reading, order_id)
    reading.applied_to = keys[-1] if keys else 0
    reading.rounds += not keys
    went_on = as_it_was.update(applied_to=reading.applied_to, rounds=reading.rounds)
    return bool(keys and went_on)


def _orders_after(reading: Reading) -> list[int]:
    rows = replaying.evidence(reading).filter(order_id__gt=reading.applied_to).values_list("order_id", "note")
    found: list[int] = []
    for order_id, note in rows.iterator(PIECE):
        if found[-1:] != [order_id] and replaying.matches(reading, note):
            found.append(order_id)
        if len(found) == PIECE:
            break
    return found


def _apply(reading: Reading, order_id: int) -> None:
    with transaction.atomic(durable=True):
        order = lock(order_id)
        now = _unchanged(reading).first()
        if now and replaying.replay(now, order, readings.in_force()) != Outcome.LEFT:
            Reading.objects.filter(pk=reading.pk).update(changed=F("changed") + 1)


def _unchanged(reading: Reading) -> QuerySet[Reading]:
    """Find it, unless it was taken back meanwhile: then it is read by in rounds of their own."""
    return Reading.objects.filter(pk=reading.pk, removed_at__isnull=reading.removed_at is None)
