"""Finding what is due: the safety net under lost messages and dead workers, and what opens drains for batches."""

import datetime as dt
import threading

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from oilcards.services.sync import expire_leases as expire_card_leases
from portal.kit.database import from_now
from recharge.batches.services import assembling, braking, judging, managing, number_checks, scheduling
from recharge.choices import BatchState, Part, Submission
from recharge.core import queue
from recharge.fulfilment.services import account_marks
from recharge.fulfilment.services.submission import expire_lease
from recharge.limits.services import accounts, balance, outages, restore_guard
from recharge.limits.services.emergency_stop import current_stop
from recharge.limits.services.slow_hold import NOT_HELD
from recharge.models import AccountChange, BatchDraft, Order, OrderQuerySet, Reading, is_open
from recharge.numbers.services import known
from recharge.trail.services import sealing

from . import heartbeats

SWEPT_AT_ONCE = 500
AGAIN_AFTER = dt.timedelta(seconds=60)
"""When an order whose message seems to be lost is sent to a worker again."""

RECORDED_WITHIN = dt.timedelta(seconds=5)
"""How long a worker needs for an order besides the exchange with the platform."""

DRAFTS_KEPT = dt.timedelta(days=1)

_at_it = threading.Lock()


def sweep() -> None:
    """Give up on expired leases and send what is due to the workers; harmless however often it runs.

    One at a time in a process: where the machine is so busy that the next one comes before the last is over, sweeps
    would take the threads of those that do the work.
    """
    if _at_it.acquire(blocking=False):
        try:
            _sweep()
        finally:
            _at_it.release()


def _sweep() -> None:
    expire_card_leases()
    for order_id in Order.objects.with_expired_lease().values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        expire_lease(order_id=order_id)
    scheduling.open_new_hours()
    braking.look_at_all()
    managing.finish_withdrawals()
    if assembling.is_being_made() and not queue.waiting(queue.ASSEMBLE):
        queue.assemble_soon()
    if Reading.objects.to_apply().exists() and not queue.waiting(queue.REPLAY):
        queue.replay_soon()
    if judging.is_waiting() and not queue.waiting(queue.JUDGE):
        queue.judge_soon()
    if number_checks.is_waiting() and not queue.waiting(queue.CHECK_NUMBERS):
        queue.check_numbers_soon()
    account_marks.keep_apart()
    outages.tend()
    managing.resume_after_outage()
    if restore_guard.token() is not None and not current_stop() and accounts.is_confirmed():
        _send_what_is_due()
    _open_check_drains()
    sealing.seal_what_is_due()
    BatchDraft.objects.filter(uploaded_at__lt=from_now(-DRAFTS_KEPT), making=None).delete()
    AccountChange.objects.expire()
    known.forget_old()
    heartbeats.beat(Part.SWEEP)


def _send_what_is_due() -> None:
    """In an outage of the platform that is one order, whenever one may try."""
    if not outages.is_on():
        _send_single_orders(SWEPT_AT_ONCE)
        _open_batch_drains(settings.BATCH_LANES)
    elif outages.turn_is_due() and not _send_single_orders(1):
        _open_batch_drains(1)


def _send_single_orders(most: int) -> bool:
    """Send so many to the workers at most; return whether any order was due."""
    orders = list(Order.objects.due_for_submission().filter(NOT_HELD).values_list("pk", flat=True)[:most])
    if not orders or queue.waiting(queue.SUBMIT) >= SWEPT_AT_ONCE:
        return bool(orders)
    # The moment moves only where it still stands, so that it never comes back to a row that was dealt with.
    still_due = Order.objects.filter(pk__in=orders, next_push_at__isnull=False)
    still_due.update(next_push_at=from_now(AGAIN_AFTER))
    for order_id in orders:
        queue.send(queue.SUBMIT, order_id)
    return True


def _open_batch_drains(most: int) -> None:
    """Open the drains that are missing; those at work go on by themselves.

    One or two seem to be missing whenever some are between two orders: that is no reason to open more and more.
    """
    due = Order.objects.in_batches().filter(is_open("batch__"), submission=Submission.QUEUED, next_push_at__lte=Now())
    due = due.filter(NOT_HELD)
    running = due.filter(batch__state=BatchState.RUNNING)
    # What waits for the first orders of its batch opens none: a drain would look at all of it and find nothing to do.
    ahead = due.filter(batch__state=BatchState.CANARY, line__lte=F("batch__canary_until"))
    wanted = min(sum(_count_to(most, orders) for orders in (running, ahead)), most)
    if not wanted:
        return
    handed_over = Order.objects.in_batches().filter(submission=Submission.SUBMITTING)
    # What has been out for longer than an exchange may take belongs to a worker that died.
    since = from_now(-dt.timedelta(seconds=settings.WIKEYUN_TIMEOUT) - RECORDED_WITHIN)
    at_work = _count_to(settings.BATCH_LANES, handed_over.filter(submitted_at__gte=since))
    missing = wanted - at_work - queue.waiting(queue.SUBMIT_BATCHES)
    if missing > wanted // 8:
        queue.start_drains(queue.SUBMIT_BATCHES, missing)
    balance.refresh_balance_soon()


def _open_check_drains() -> None:
    kinds = (Order.objects.single(), Order.objects.in_batches())  # an index each
    wanted = min(sum(_count_to(settings.CHECK_LANES, some.due_for_check()) for some in kinds), settings.CHECK_LANES)
    if wanted:
        queue.start_drains(queue.CHECK_DUE, wanted - queue.waiting(queue.CHECK_DUE))


def _count_to(most: int, due: OrderQuerySet) -> int:
    """Count no further than there are drains."""
    return due.order_by()[:most].count()
