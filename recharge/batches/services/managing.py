"""What people do with a batch that is under way: pause it, let it go on, take the rest back."""

import uuid

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from recharge.choices import NOT_YET_SENT, BatchEventKind, BatchState, Brake, EventKind, Submission
from recharge.core.errors import TooLate
from recharge.core.events import record_of_batch, require_all_seen
from recharge.core.locking import lock_batch
from recharge.fulfilment.services import transitions
from recharge.fulfilment.services.replacing import hold_all_with_living_original
from recharge.limits.services import outages
from recharge.models import UNDER_WAY, Batch, Order

from . import braking

WITHDRAWABLE = (*UNDER_WAY, BatchState.PAUSED, BatchState.AWAITING_APPROVAL, BatchState.MAKING)
"""States of a batch whose rest can be taken back."""

WITHDRAWN_AT_ONCE = 1000


def pause(*, batch_id: int, actor: User, reason: str = "") -> Batch:
    """Let no further order of the batch go out. What is being handed over at this moment is not held back.

    Args:
        batch_id: the batch's primary key.
        actor: the person.
        reason: why, for the timeline.

    Raises:
        TooLate: it isn't under way.
    """
    with transaction.atomic(durable=True):
        paused = Batch.objects.filter(pk=batch_id, state__in=UNDER_WAY).update(
            state=BatchState.PAUSED, brake=Brake.BY_HAND, braked_at=Now()
        )
        if not paused:
            raise TooLate(_("This batch isn't being handed over."))
        batch = Batch.objects.get(pk=batch_id)
        record_of_batch(batch, BatchEventKind.PAUSED, actor=actor, note=reason)
    return batch


def resume(*, batch_id: int, actor: User, last_seen: int, reason: str = "") -> Batch:
    """Let a paused batch go on, all of it: what happened so far brakes it no more.

    Args:
        batch_id: the batch's primary key.
        actor: the person who has looked at why it was paused.
        last_seen: the last event of the batch that the person knew of, see `require_all_seen`.
        reason: what was found, for the timeline.

    Raises:
        TooLate: it isn't paused, or the balance is still below BALANCE_FLOOR.
        Outdated: something has happened since; it may be paused for another reason.
    """
    with transaction.atomic(durable=True):
        batch = lock_batch(batch_id)
        if batch.state != BatchState.PAUSED:
            raise TooLate(_("This batch isn't paused."))
        require_all_seen(batch, last_seen)
        if brake := outages.why_not_spend():
            raise TooLate(_("%(reason)s. It is asked for every minute.") % {"reason": brake.label})
        if batch.brake == Brake.CANARY:
            batch.canary_until = None  # whoever releases it although a first one was not accepted waits no more
        _release(batch, actor=actor, note=reason)
    return batch


def resume_after_outage() -> None:
    """Let batches go on, their first orders ahead, of whose first orders only such failed as an outage swallowed."""
    paused = Batch.objects.filter(outages.began_in_one("braked_at"), state=BatchState.PAUSED, brake=Brake.CANARY)
    for batch_id in paused.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic(durable=True):
            batch = lock_batch(batch_id)
            still_paused = batch.state == BatchState.PAUSED and batch.brake == Brake.CANARY
            if still_paused and not outages.is_suspected() and braking.blames_only_an_outage(batch):
                _release(batch, actor=None, note=_("The platform could not be reached; it can be now."))


def _release(batch: Batch, *, actor: User | None, note: str) -> None:
    batch.state = BatchState.CANARY if _awaits_canary(batch) else BatchState.RUNNING
    batch.brake, batch.braked_at, batch.released_at = "", None, Now()
    batch.save(update_fields=["state", "brake", "braked_at", "released_at", "canary_until"])
    record_of_batch(batch, BatchEventKind.RESUMED, actor=actor, note=note)
    hold_all_with_living_original(Order.objects.filter(batch=batch))


def skip_canary(*, batch_id: int, actor: User) -> Batch:
    """Let all orders follow without waiting for the first ones.

    Args:
        batch_id: the batch's primary key.
        actor: the approver.

    Returns:
        The batch, running.

    Raises:
        TooLate: it isn't waiting for them.
    """
    with transaction.atomic(durable=True):
        waiting = Batch.objects.filter(pk=batch_id, state=BatchState.CANARY)
        if not waiting.update(state=BatchState.RUNNING):
            raise TooLate(_("This batch isn't waiting for its first orders."))
        batch = Batch.objects.get(pk=batch_id)
        record_of_batch(batch, BatchEventKind.CANARY_SKIPPED, actor=actor)
    return batch


def withdraw_rest(*, batch_id: int, actor: User, reason: str = "") -> int:
    """Take back every order of the batch that no worker has taken up, in transactions of WITHDRAWN_AT_ONCE orders each.

    Args:
        batch_id: the batch's primary key.
        actor: the person.
        reason: why, for the timeline.

    Returns:
        How many were withdrawn.

    Raises:
        TooLate: nothing is left to be taken back.
    """
    with transaction.atomic(durable=True):
        batch = lock_batch(batch_id)
        if batch.state not in WITHDRAWABLE:
            raise TooLate(_("Nothing of this batch can be withdrawn any more."))
        if batch.state == BatchState.MAKING:
            stop_making(batch)
        batch.state, batch.brake, batch.braked_at = BatchState.WITHDRAWN, "", None
        batch.save(update_fields=["state", "brake", "braked_at"])
        begun = record_of_batch(batch, BatchEventKind.WITHDRAWN, actor=actor, note=reason)
    # From here on no worker takes up any. Whatever is left, should this process end now, the sweep takes back.
    _withdraw_waiting(batch, actor)
    withdrawn = Order.objects.filter(batch=batch, submission=Submission.WITHDRAWN, settled_at__gte=begun.at)
    return withdrawn.count()  # the sweep's too, which may have come to help


def give_up(*, batch_id: int, why: str) -> None:
    """End a batch that can't be made: what was placed of it is taken back, and its list can be made a batch again.

    Args:
        batch_id: the batch's primary key; nothing happens where it isn't being made.
        why: for the timeline.
    """
    with transaction.atomic(durable=True):
        batch = lock_batch(batch_id)
        if batch.state != BatchState.MAKING:
            return
        stop_making(batch)
        record_of_batch(batch, BatchEventKind.GIVEN_UP, note=why)
    _withdraw_waiting(batch, None)


def stop_making(batch: Batch) -> None:
    """Let a batch be no larger than it has got, in the caller's transaction, and set its list free.

    Args:
        batch: being made, locked; the caller says what becomes of it.
    """
    batch.size, batch.total = batch.making.orders, batch.making.money
    batch.nonce, batch.digest = uuid.uuid4(), ""
    batch.making.delete()
    batch.state = BatchState.WITHDRAWN
    batch.save(update_fields=["size", "total", "nonce", "digest", "state"])


def finish_withdrawals() -> None:
    """Take back what is left of withdrawn batches: an order that could not be sent comes back to the queue."""
    left = Order.objects.filter(submission__in=NOT_YET_SENT, batch__state=BatchState.WITHDRAWN)
    for batch_id in left.order_by().values_list("batch", flat=True).distinct():
        batch = Batch.objects.get(pk=batch_id)
        wanted = batch.events.select_related("actor").filter(kind=BatchEventKind.WITHDRAWN).last()
        _withdraw_waiting(batch, wanted.actor if wanted else None)


def _withdraw_waiting(batch: Batch, actor: User | None) -> None:
    """Withdraw in pieces: claims lock orders too, and no transaction should hold ten thousand locks for long."""
    while True:
        with transaction.atomic(durable=True):
            waiting = Order.objects.filter(batch=batch, submission__in=NOT_YET_SENT).order_by("pk")
            orders = list(waiting.select_for_update(of=("self",))[:WITHDRAWN_AT_ONCE])
            if not orders:
                return
            piece = Order.objects.filter(pk__in=[order.pk for order in orders])
            transitions.withdraw_all(piece, EventKind.WITHDRAWN, actor=actor)


def _awaits_canary(batch: Batch) -> bool:
    if batch.canary_until is None:
        return False
    passed = (BatchEventKind.CANARY_PASSED, BatchEventKind.CANARY_SKIPPED)
    return not batch.events.filter(kind__in=passed).exists()
