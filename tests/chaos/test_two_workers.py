"""Two workers race for the same orders on PostgreSQL: each order is pushed once, and only thanks to the claim."""

import threading
from collections import Counter
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from portal import platform as platform_settings
from portal.database import from_now
from portal.gateway import PushReceipt
from recharge.choices import Product, Submission
from recharge.models import Order
from recharge.services import queue, submission
from tests.oil_cards import active_card, place

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ORDERS = 40
WORKERS = 4


class CountingPlatform:
    def __init__(self) -> None:
        self.pushes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def push_mobile_order(self, *, order_no: str, **options: object) -> PushReceipt:
        with self._lock:
            self.pushes[order_no] += 1
        return PushReceipt(f"W{order_no}", None, None, None, "{}")

    push_oil_order = push_mobile_order


def claim_without_compare_and_swap(order_id: int) -> Order | None:
    """Look first, then change: what a claim must not be."""
    order = Order.objects.get(pk=order_id)
    if order.submission != Submission.QUEUED:
        return None
    both_have_looked.wait(timeout=5)
    Order.objects.filter(pk=order_id).update(
        submission=Submission.SUBMITTING,
        lease_until=from_now(submission.lease()),
        next_push_at=None,
        claims=F("claims") + 1,
        submitted_at=Now(),
    )
    return Order.objects.get(pk=order_id)


both_have_looked = threading.Barrier(2)


def race(workers: int, orders: list[int]) -> Counter[str]:
    platform = CountingPlatform()
    start = threading.Barrier(workers)

    def work() -> None:
        start.wait()
        for order_id in orders:
            submission.submit_order(order_id=order_id)
        connection.close()

    with mock.patch.object(platform_settings, "client", lambda: platform):
        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return platform.pushes


@pytest.fixture(params=Product)
def orders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    clerk = User.objects.create_user("clerk")
    active_card(clerk)
    return [place(request.param, placed_by=clerk, number=number).pk for number in range(ORDERS)]


def test_each_order_is_pushed_once(orders: list[int]) -> None:
    pushes = race(WORKERS, orders)
    assert len(pushes) == ORDERS
    assert set(pushes.values()) == {1}
    assert Order.objects.filter(submission=Submission.ACCEPTED).count() == ORDERS


def test_without_compare_and_swap_an_order_is_pushed_twice(orders: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    monkeypatch.setattr(submission, "_claim", claim_without_compare_and_swap)
    assert max(race(2, orders[:1]).values()) == 2
