"""Telling a worker that there is something to do. The rows are the truth; what is sent here may be lost."""

import threading

from django.conf import settings
from django.db import transaction

from portal.celery import app

SUBMIT = "recharge.tasks.submit_order"
CHECK = "recharge.tasks.check_order"
SUBMIT_BATCHES = "recharge.tasks.submit_batches"
CHECK_DUE = "recharge.tasks.check_due_orders"
REFRESH_BALANCE = "recharge.tasks.refresh_balance"

closing = threading.Event()
"""Set when this process is told to stop: lanes end after the order that they are at."""


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
    """Hand the order's id to a worker once the row is there.

    A broker that is down raises nothing here and loses nothing: the sweep sends what is due again.

    Args:
        task: SUBMIT or CHECK.
        order_id: the order's primary key.
    """

    def send_now() -> None:  # a function, since Django logs the failure of one by its name
        send(task, order_id)

    transaction.on_commit(send_now, robust=True)


def open_lanes(task: str, lanes: int) -> None:
    """Let so many workers take up what is due of a kind, one after the other; one too many finds nothing and ends.

    Args:
        task: SUBMIT_BATCHES or CHECK_DUE.
        lanes: how many; below 1, none.

    Raises:
        kombu.exceptions.OperationalError: the broker is away; lanes that were opened before stay open.
    """
    for _ in range(lanes):
        app.send_task(task, retry=False)


def waiting(task: str) -> int:
    """Return how many messages wait in a task's queue for a worker to take them up.

    Whoever opens lanes again and again counts these as open: where no worker serves the queue, they would pile up.

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
    """Let a worker ask the platform for the balance, unless more than the lanes of queries wait before it.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    if waiting(REFRESH_BALANCE) <= settings.CHECK_LANES:
        app.send_task(REFRESH_BALANCE, retry=False)
