"""What only those may do who were shown what it is about; here they have seen all that there is."""

import uuid

from django.contrib.auth.models import User
from django.db import transaction

from portal.database import now
from portal.gateway import OrderReport
from recharge.choices import EventKind, MarkKind, Verdict
from recharge.models import Batch, Order
from recharge.services import batch_making, batches, interventions, reports, stopping, transitions
from recharge.services.database import lock


def acknowledge(order: Order, actor: User, note: str = "seen") -> Order:
    return interventions.acknowledge(order_id=order.pk, actor=actor, note=note, last_seen=last_event(order))


def resume(batch: Batch, actor: User, reason: str = "") -> Batch:
    return batches.resume(batch_id=batch.pk, actor=actor, last_seen=last_event(batch), reason=reason)


def make_again(batch: Batch, made_by: User, nonce: uuid.UUID | None = None) -> Batch:
    """Place the failed ones anew, by a form of its own where no nonce is given."""
    failed = list(batch_making.failed_orders(batch).values_list("face_value", flat=True))
    return batch_making.make_again(
        batch_id=batch.pk,
        made_by=made_by,
        nonce=nonce or uuid.uuid4(),
        orders_seen=len(failed),
        money_seen=sum(failed),
    )


def mark(order: Order, kind: MarkKind) -> None:
    """Mark an order for no event in particular."""
    with transaction.atomic():
        change = transitions.Change(lock(order.pk))
        change.mark(kind)
        change.record(EventKind.MARKED)


def answer(order: Order, report: OrderReport) -> Verdict:
    """Take in the platform's answer to a query that began just now."""
    return reports.apply_answer(query=query_of(order), report=report)


def query_of(order: Order) -> reports.Query:
    """Begin a query."""
    return reports.Query(order.pk, now(), Order.objects.values_list("heard", flat=True).get(pk=order.pk))


def go_on(actor: User) -> None:
    stop = stopping.current_stop()
    stopping.go_on(stop_id=stop.pk if stop else 0, actor=actor)


def last_event(thing: Order | Batch) -> int:
    return thing.events.values_list("pk", flat=True).last() or 0
