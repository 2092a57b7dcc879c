"""Celery's tasks: each calls one service and nothing else."""

from celery import shared_task

from recharge.batches.services import draining
from recharge.books.services import checks
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import balance
from recharge.operations.services import sweeping


@shared_task
def submit_order(order_id: int) -> None:
    submission.submit_order(order_id=order_id)


@shared_task
def submit_batches() -> None:
    draining.submit_batches()


@shared_task
def check_order(order_id: int) -> None:
    checking.check_order(order_id=order_id)


@shared_task
def check_due_orders() -> None:
    checking.check_due_orders()


@shared_task
def sweep() -> None:
    sweeping.sweep()


@shared_task
def check_books() -> None:
    checks.check_all()


@shared_task
def refresh_balance() -> None:
    balance.refresh_balance()
