"""`kill -9` at every point of making a large batch, with real processes: nothing is placed twice, nothing is lost."""

import signal
from collections.abc import Iterator
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection

from portal import platform
from portal.kit.database import from_now
from recharge.batches.services import assembling, making
from recharge.choices import BatchState
from recharge.core import queue
from recharge.models import Batch, BatchMaking, Order, OrderEvent, Spending
from recharge.operations.services import sweeping
from tests.batches import mobiles, upload
from tests.processes import Processes, database_url

from .dying_maker import POINTS

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
LINES = 18


@pytest.fixture
def processes() -> Iterator[Processes]:
    processes = Processes({"DATABASE_URL": database_url()})
    yield processes
    processes.end()


@pytest.fixture
def batch(monkeypatch: pytest.MonkeyPatch) -> Batch:
    monkeypatch.setattr(platform, "is_configured", lambda: True)
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 5)
    monkeypatch.setattr(queue, "assemble_soon", lambda: None)
    clerk = User.objects.create_user("clerk")
    return making.make_batch(draft=upload(clerk, mobiles(LINES)), made_by=clerk)


@pytest.mark.parametrize("point", POINTS)
def test_whoever_comes_next_makes_the_rest(point: str, batch: Batch, processes: Processes) -> None:
    connection.close()
    assert processes.run("-m", "tests.chaos.dying_maker", point) == -signal.SIGKILL

    placed = Order.objects.count()
    assert placed == {"before_piece": 10, "in_piece": 10, "after_piece": 15}.get(point, LINES)
    assert OrderEvent.objects.count() == placed
    assert Spending.objects.get(person=None).amount == 50 * placed
    batch.refresh_from_db()
    assert (batch.state == BatchState.MAKING) is (point != "after_whole")

    with mock.patch.object(queue, "start_drains"), mock.patch.object(queue, "waiting", return_value=0):
        BatchMaking.objects.update(lease_until=from_now(-assembling.LEASE))
        with mock.patch.object(queue, "assemble_soon", assembling.assemble_waiting):
            sweeping.sweep()
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.total) == (BatchState.CANARY, LINES, 50 * LINES)
    assert list(batch.orders.order_by("line").values_list("line", flat=True)) == list(range(2, LINES + 2))
    assert Spending.objects.get(person=None).amount == 50 * LINES
