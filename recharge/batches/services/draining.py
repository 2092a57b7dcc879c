"""Handing over the orders of the batches under way, one after the other."""

import random
import time

import structlog

from portal import platform
from portal.celery import closing
from portal.gateway import NotSent
from recharge.batches.services import braking
from recharge.choices import BatchState
from recharge.core import queue
from recharge.fulfilment.services import submission
from recharge.limits.services import accounts, balance, outages, pacing, restore_guard
from recharge.models import Batch, Order

SUBMIT_DRAIN_SECONDS = 12.0
"""How long a drain works at most: a message for every few orders costs little, and other work gets its turn."""


NEXT_IN_BATCH = submission.Due(lambda batch_id: Order.objects.next_in_batch(batch_id))


def submit_batches() -> None:
    """Hand over orders of the batches under way, one after the other, for some seconds; then open the next drain.

    Any number of drains may work at the same time. Each keeps to a batch drawn by lot until nothing of it is due.
    It ends where the platform can't be reached: to go on would write two events for each order that waits, for nothing.
    """
    platform.client()
    if not accounts.is_confirmed() or restore_guard.token() is None:
        return None
    if not balance.may_spend(ask=not outages.is_on()):  # while one is on, its probes ask
        return braking.look_at_all()
    # At random, so that the threads of a worker aren't all busy until the same moment.
    over = time.monotonic() + random.uniform(0.05, 1.0) * SUBMIT_DRAIN_SECONDS  # noqa: S311  (no secret)
    batches = list(Batch.objects.under_way().open_now().order_by().values_list("pk", "state"))
    random.shuffle(batches)
    while batches:
        if time.monotonic() > over or closing.is_set():
            return queue.start_drains(queue.SUBMIT_BATCHES, 1)
        if not pacing.wait_in_drain():
            continue
        batch_id, state = batches[-1]
        started = submission.Started.now()
        order = submission.claim(NEXT_IN_BATCH, batch_id)
        if order is None:
            batches.pop()
            continue
        error = submission.hand_over(order, started)
        structlog.contextvars.unbind_contextvars("order_no")  # the log lines that follow are about other orders
        if state == BatchState.CANARY or error:
            braking.look_at(batch_id=batch_id)
        if isinstance(error, NotSent):
            return
