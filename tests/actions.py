"""What only those may do who were shown what it is about; here they have seen all that there is."""

import uuid

from django.contrib.auth.models import User
from django.db import transaction

from portal.gateway import OrderReport
from portal.kit.database import now
from recharge.approvals import services as approving
from recharge.batches.services import assembling, making, managing
from recharge.choices import EventKind, MarkKind, Verdict
from recharge.core.locking import lock
from recharge.fulfilment.services import replacing, reports, transitions
from recharge.limits.services import emergency_stop
from recharge.models import Batch, Order
from recharge.orders.services import interventions
from tests.batches import assembled


def acknowledge(order: Order, actor: User, note: str = "seen") -> Order:
    return interventions.acknowledge(order_id=order.pk, actor=actor, note=note, last_seen=last_event(order))


def approve(order: Order, actor: User, reason: str = "") -> Order:
    """Approve an order, having read the proof that it may need."""
    seen = [proof.event.pk for proof in replacing.proofs(order)]
    return approving.approve_order(order_id=order.pk, actor=actor, reason=reason, proof_seen=max(seen, default=0))


def resume(batch: Batch, actor: User, reason: str = "") -> Batch:
    return managing.resume(batch_id=batch.pk, actor=actor, last_seen=last_event(batch), reason=reason)


def make_again(batch: Batch, made_by: User, nonce: uuid.UUID | None = None) -> Batch:
    """Place the failed ones anew, by a form of its own where no nonce is given."""
    failed = list(assembling.failed_orders(batch).values_list("face_value", flat=True))
    batch = making.make_again(
        batch_id=batch.pk,
        made_by=made_by,
        nonce=nonce or uuid.uuid4(),
        orders_seen=len(failed),
        money_seen=sum(failed),
    )
    return assembled(batch)


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
    stop = emergency_stop.current_stop()
    emergency_stop.go_on(stop_id=stop.pk if stop else 0, actor=actor)


def last_event(thing: Order | Batch) -> int:
    return thing.events.values_list("pk", flat=True).last() or 0
