"""A second pair of eyes: what is above APPROVAL_ABOVE goes out only after another person has approved it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from recharge.choices import BatchEventKind, BatchState, EventKind, Submission
from recharge.core import queue
from recharge.core.errors import NotReplaceable, NotYours, TooLate
from recharge.core.events import clean, record_of_batch
from recharge.core.locking import lock, lock_batch
from recharge.fulfilment.services import transitions
from recharge.fulfilment.services.replacing import explain, hold_all_with_living_original, living_attempt
from recharge.fulfilment.services.transitions import Change
from recharge.limits.services import spending
from recharge.models import Batch, Order

REASON_LIMIT = 200


def approve_order(*, order_id: int, actor: User, reason: str = "") -> Order:
    """Queue an order that awaits approval.

    Args:
        order_id: the order's primary key; it is a single order.
        actor: the approver, anybody but who placed it.
        reason: what the approver has to say, for the timeline.

    Raises:
        NotYours: the approver placed it.
        TooLate: it awaits no approval (any more), or it is part of a batch.
        LimitReached: it doesn't fit into what may be spent today.
        NotReplaceable: what it replaces is alive after all.
    """
    with transaction.atomic(durable=True):
        order = _awaiting(order_id, actor)
        if living := living_attempt(order):
            raise NotReplaceable(explain(living))
        change = Change(order)
        change.queue()
        order.approved_by = actor
        change.record(EventKind.APPROVED, actor=actor, note=clean(reason, REASON_LIMIT))
        queue.send_on_commit(queue.SUBMIT, order.pk)
    return order


def disapprove_order(*, order_id: int, actor: User, reason: str) -> Order:
    """Withdraw an order that awaits approval; errors as in `approve_order`."""
    with transaction.atomic(durable=True):
        order = _awaiting(order_id, actor)
        change = Change(order)
        change.withdraw()
        change.record(EventKind.DISAPPROVED, actor=actor, note=clean(reason, REASON_LIMIT))
    return order


def approve_batch(*, batch_id: int, actor: User, reason: str = "") -> Batch:
    """Queue the orders of a batch that awaits approval.

    Args:
        batch_id: the batch's primary key.
        actor: the approver, anybody but who made it.
        reason: what the approver has to say, for the timeline.

    Raises:
        NotYours: the approver made it.
        TooLate: it awaits no approval (any more).
        LimitReached: it doesn't fit into what may be spent today.
    """
    with transaction.atomic(durable=True):
        batch = _batch_awaiting(batch_id, actor)
        batch.state = BatchState.RUNNING if batch.canary_until is None else BatchState.CANARY
        batch.approved_by = actor
        batch.save(update_fields=["state", "approved_by"])
        orders = Order.objects.filter(batch=batch, submission=Submission.AWAITING_APPROVAL)
        # Some may have been withdrawn; from here on none can be.
        waiting = orders.select_for_update(of=("self",)).order_by("pk")
        total = sum(waiting.values_list("face_value", flat=True))
        day = spending.count(person=batch.made_by, amount=total)
        transitions.queue_all(orders, approved_by=actor, counted_on=day)
        hold_all_with_living_original(Order.objects.filter(batch=batch))
        record_of_batch(batch, BatchEventKind.APPROVED, actor=actor, note=reason)
    return batch


def disapprove_batch(*, batch_id: int, actor: User, reason: str) -> Batch:
    """Withdraw a batch that awaits approval, with all its orders; errors as in `approve_batch`."""
    with transaction.atomic(durable=True):
        batch = _batch_awaiting(batch_id, actor)
        batch.state = BatchState.DISAPPROVED
        batch.save(update_fields=["state"])
        orders = Order.objects.filter(batch=batch, submission=Submission.AWAITING_APPROVAL)
        transitions.withdraw_all(orders, EventKind.DISAPPROVED, actor=actor)
        record_of_batch(batch, BatchEventKind.DISAPPROVED, actor=actor, note=reason)
    return batch


def _awaiting(order_id: int, actor: User) -> Order:
    order = lock(order_id)
    if order.submission != Submission.AWAITING_APPROVAL or order.batch_id:
        raise TooLate(_("This order awaits no approval any more."))
    if order.placed_by_id == actor.pk:
        raise NotYours(_("You placed this order yourself: another person has to approve it."))
    return order


def _batch_awaiting(batch_id: int, actor: User) -> Batch:
    batch = lock_batch(batch_id)
    if batch.state != BatchState.AWAITING_APPROVAL:
        raise TooLate(_("This batch awaits no approval any more."))
    if batch.made_by_id == actor.pk:
        raise NotYours(_("You made this batch yourself: another person has to approve it."))
    return batch
