"""Telling a worker that there is something to do. The rows are the truth; what is sent here may be lost."""

from django.db import transaction

from portal.celery import app

SUBMIT = "recharge.tasks.submit_order"
CHECK = "recharge.tasks.check_order"


def send(task: str, order_id: int) -> None:
    """Hand the order's id to a worker, now."""
    app.send_task(task, args=[order_id], retry=False)


def send_on_commit(task: str, order_id: int) -> None:
    """Hand the order's id to a worker once the row is there; a broker that is down loses nothing, see the sweep."""

    def send_now() -> None:  # a function, since Django logs the failure of one by its name
        send(task, order_id)

    transaction.on_commit(send_now, robust=True)
