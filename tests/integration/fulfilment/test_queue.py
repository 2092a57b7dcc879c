"""What goes to the workers by way of the broker: the one in memory, or Redis where the tests run with servers."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Now

from portal.celery import app
from recharge.batches.services import draining, managing
from recharge.choices import Submission
from recharge.core import queue
from recharge.models import Order
from recharge.operations.services import sweeping
from recharge.orders.services import placing
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform

pytestmark = pytest.mark.django_db
QUEUES = ("orders", "batches", "checks")
TASKS = {
    "orders": {"submit_order"},
    "batches": {"submit_batches"},
    "checks": {"check_order", "check_due_orders", "refresh_balance", "check_books", "check_platform"},
    "sweeps": {"sweep", "assemble_batches", "apply_readings", "judge_lists", "check_numbers", "probe_platform"},
    "alerts": {"ring_alerts", "look_at_web", "call_heartbeat"},
}


@pytest.fixture
def broker() -> Iterator[None]:
    def empty() -> None:
        with app.connection_or_acquire() as connection:
            for name in QUEUES:
                connection.default_channel.queue_declare(queue=name, durable=True, auto_delete=False)
                connection.default_channel.queue_purge(name)

    empty()
    yield
    empty()


@pytest.mark.usefixtures("broker")
def test_nothing_piles_up_where_no_worker_serves_a_queue(clerk_user: User, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(100), made_by=clerk_user)
    managing.skip_canary(batch_id=batch.pk, actor=clerk_user)
    sweeping.sweep()
    assert queue.waiting(queue.SUBMIT_BATCHES) == settings.BATCH_LANES
    assert queue.waiting(queue.REFRESH_BALANCE) == 1
    for _ in range(settings.CHECK_LANES + 5):
        sweeping.sweep()
    assert queue.waiting(queue.SUBMIT_BATCHES) == settings.BATCH_LANES
    assert queue.waiting(queue.REFRESH_BALANCE) == settings.CHECK_LANES + 1

    draining.submit_batches()  # as a worker does, but for the message that it would have taken
    Order.objects.filter(submission=Submission.ACCEPTED).update(next_check_at=Now())
    for _ in range(settings.CHECK_LANES + 5):
        sweeping.sweep()
    assert queue.waiting(queue.CHECK_DUE) == settings.CHECK_LANES + 1


@pytest.mark.usefixtures("broker")
def test_single_orders_do_not_pile_up_either(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "SWEPT_AT_ONCE", 5)
    monkeypatch.setattr(sweeping, "AGAIN_AFTER", dt.timedelta(0))
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)
    Order.objects.filter(pk=order.pk).update(next_push_at=Now())
    for _ in range(20):
        sweeping.sweep()
    assert queue.waiting(queue.SUBMIT) == 5


@pytest.mark.usefixtures("broker")
def test_drains_are_opened_again_for_those_that_were_taken(clerk_user: User, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(100), made_by=clerk_user)
    managing.skip_canary(batch_id=batch.pk, actor=clerk_user)
    sweeping.sweep()
    with app.connection_or_acquire() as connection:
        for _ in range(settings.BATCH_LANES - 1):
            connection.default_channel.basic_get("batches", no_ack=True)
    assert queue.waiting(queue.SUBMIT_BATCHES) == 1
    sweeping.sweep()
    assert queue.waiting(queue.SUBMIT_BATCHES) == settings.BATCH_LANES


def test_each_kind_of_work_has_a_queue_of_its_own() -> None:
    app.loader.import_default_modules()
    found: dict[str, set[str]] = {}
    for task in app.tasks:
        if task.startswith("recharge."):
            route = app.amqp.router.route({}, task)
            found.setdefault(route["queue"].name, set()).add(task.rpartition(".")[2])
    assert found == TASKS
    assert set(app.amqp.queues) == set(TASKS), "a worker without -Q serves them all"
