"""Celery's tasks: each calls one service and nothing else."""

from celery import shared_task

from recharge.alerts.services import delivering, watchdog, watching
from recharge.batches.services import assembling, draining, judging, number_checks
from recharge.books.services import checks
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import balance, outages
from recharge.operations.services import sweeping
from recharge.platform.services import keeping
from recharge.teaching.services import applying


@shared_task
def submit_order(order_id: int) -> None:
    submission.submit_order(order_id=order_id)


@shared_task
def submit_batches() -> None:
    draining.submit_batches()


@shared_task
def assemble_batches() -> None:
    assembling.assemble_waiting()


@shared_task
def apply_readings() -> None:
    applying.apply_waiting()


@shared_task
def judge_lists() -> None:
    judging.judge_waiting()


@shared_task
def check_numbers() -> None:
    number_checks.check_waiting()


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


@shared_task
def check_platform() -> None:
    keeping.check_if_due()


@shared_task
def ring_alerts() -> None:
    delivering.read_channels()
    try:
        watching.watch()
    finally:
        delivering.deliver(after_each=watching.give_sign_of_life)


@shared_task
def probe_platform() -> None:
    outages.probe()


@shared_task
def look_at_web() -> None:
    watchdog.look_at_web()


@shared_task
def call_heartbeat() -> None:
    watchdog.call_heartbeat()
