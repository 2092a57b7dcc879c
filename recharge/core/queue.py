"""Telling a worker that there is something to do. The rows are the truth; what is sent here may be lost."""

import threading
from contextlib import suppress
from queue import Full, Queue

import structlog
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from portal.celery import app

SUBMIT = "recharge.tasks.submit_order"
CHECK = "recharge.tasks.check_order"
SUBMIT_BATCHES = "recharge.tasks.submit_batches"
CHECK_DUE = "recharge.tasks.check_due_orders"
ASSEMBLE = "recharge.tasks.assemble_batches"
REPLAY = "recharge.tasks.apply_readings"
JUDGE = "recharge.tasks.judge_lists"
CHECK_NUMBERS = "recharge.tasks.check_numbers"
REFRESH_BALANCE = "recharge.tasks.refresh_balance"
CHECK_PLATFORM = "recharge.tasks.check_platform"
PROBE_PLATFORM = "recharge.tasks.probe_platform"

log = structlog.get_logger(__name__)

OUTBOX = 1000
"""Messages that wait for the broker in this process."""


def send(task: str, order_id: int) -> None:
    """Hand the order's id to a worker, now.

    Args:
        task: SUBMIT or CHECK.
        order_id: the order's primary key.

    Raises:
        kombu.exceptions.OperationalError: the broker is away, and some seconds of trying have not changed that.
    """
    app.send_task(task, args=[order_id], retry=False)


def send_on_commit(task: str, order_id: int) -> None:
    """Let the order's id be handed to a worker once the row is there; nobody waits for that.

    A broker that is down or hangs raises nothing here and loses nothing: the sweep sends what is due again.

    Args:
        task: SUBMIT or CHECK.
        order_id: the order's primary key.
    """

    def leave_to_messenger() -> None:  # a function, since Django logs the failure of one by its name
        _messenger.leave(task, order_id)

    transaction.on_commit(leave_to_messenger, robust=True)


def assemble_soon() -> None:
    """Let a worker go on with the batches that are being made; where the broker is away, the sweep says it again."""
    with suppress(OperationalError):
        start_drains(ASSEMBLE, 1)


def check_platform_soon() -> None:
    """Let a worker check the platform; where the broker is away, the scheduler says it again."""
    with suppress(OperationalError):
        start_drains(CHECK_PLATFORM, 1)


def replay_soon() -> None:
    """Let a worker read stored evidence anew; where the broker is away, the sweep says it again."""
    with suppress(OperationalError):
        start_drains(REPLAY, 1)


def judge_soon() -> None:
    """Let a worker judge the lists that wait for it; where the broker is away, the sweep says it again."""
    with suppress(OperationalError):
        start_drains(JUDGE, 1)


def check_numbers_soon() -> None:
    """Let a worker ask the platform about numbers of lists; where the broker is away, the sweep says it again."""
    with suppress(OperationalError):
        start_drains(CHECK_NUMBERS, 1)


class Messenger:
    """Sends messages from a thread of its own: a request that has committed doesn't wait for the broker."""

    def __init__(self) -> None:
        self._outbox: Queue[tuple[str, int]] = Queue(maxsize=OUTBOX)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def leave(self, task: str, order_id: int) -> None:
        """Queue a message to be sent; where too many wait, it is left to the sweep."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():  # threads don't survive a fork
                self._thread = threading.Thread(target=self._deliver, name="messenger", daemon=True)
                self._thread.start()
        with suppress(Full):
            self._outbox.put_nowait((task, order_id))

    def _deliver(self) -> None:
        while True:
            task, order_id = self._outbox.get()
            try:
                send(task, order_id)
            except Exception as error:
                # The messages behind it would fail likewise, each after some seconds: the sweep sends them all again.
                left = [self._outbox.get_nowait() for _ in range(self._outbox.qsize())]
                log.warning("messages_left_to_the_sweep", messages=len(left) + 1, why=str(error))


_messenger = Messenger()


def start_drains(task: str, drains: int) -> None:
    """Let so many workers take up what is due of a kind, one after the other; one too many finds nothing and ends.

    Args:
        task: one that takes no order's id.
        drains: how many; below 1, none.

    Raises:
        kombu.exceptions.OperationalError: the broker is away; drains that were opened before stay open.
    """
    for _ in range(drains):
        app.send_task(task, retry=False)


def waiting(task: str) -> int:
    """Return how many messages wait in a task's queue for a worker to take them up.

    Whoever opens drains again and again counts these as open: where no worker serves the queue, they would pile up.

    Args:
        task: one of the tasks above; what waits of others in the same queue counts, too.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    name = settings.CELERY_TASK_ROUTES[task]["queue"]
    with app.connection_or_acquire() as connection:
        declared = connection.default_channel.queue_declare(queue=name, durable=True, auto_delete=False)
    return int(declared.message_count)


def refresh_balance() -> None:
    """Let a worker ask the platform for the balance, unless more than the drains of queries wait before it.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    if waiting(REFRESH_BALANCE) <= settings.CHECK_LANES:
        app.send_task(REFRESH_BALANCE, retry=False)


def probe_platform() -> None:
    """Let a worker find out whether the platform answers.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    app.send_task(PROBE_PLATFORM, retry=False)
