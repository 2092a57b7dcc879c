"""Two workers race for the same orders on PostgreSQL: each order is pushed once, and only thanks to the claim."""

import threading
from collections import Counter
from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now
from django.test import override_settings

from portal import platform as platform_settings
from portal.gateway import PushReceipt
from portal.kit.compiled_queries import CompiledQuery
from portal.kit.database import from_now
from recharge.batches.services import draining
from recharge.choices import Product, Submission
from recharge.core import queue
from recharge.fulfilment.services import submission
from recharge.models import Order
from tests.batches import batch_of, mobiles
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


def claim_without_compare_and_swap(due: CompiledQuery[Order], key: int) -> Order | None:
    """Look first, then change: what a claim must not be."""
    order = Order.objects.filter(Q(pk=key, batch=None) | Q(batch=key), submission=Submission.QUEUED).first()
    if order is None:
        return None
    both_have_looked.wait(timeout=5)
    Order.objects.filter(pk=order.pk).update(
        submission=Submission.SUBMITTING,
        lease_until=from_now(submission.lease()),
        next_push_at=None,
        claims=F("claims") + 1,
        submitted_at=Now(),
    )
    both_have_changed.wait(timeout=5)  # or the one that read too early would find the other's claim before it sends
    return Order.objects.get(pk=order.pk)


both_have_looked = threading.Barrier(2)
both_have_changed = threading.Barrier(2)


def race(workers: int, work: Callable[[], None]) -> Counter[str]:
    platform = CountingPlatform()
    start = threading.Barrier(workers)

    def run() -> None:
        start.wait()
        work()
        connection.close()

    with mock.patch.object(platform_settings, "client", lambda: platform):
        threads = [threading.Thread(target=run) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return platform.pushes


@pytest.fixture
def clerk(monkeypatch: pytest.MonkeyPatch) -> User:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    clerk = User.objects.create_user("clerk")
    active_card(clerk)
    return clerk


def single_orders(clerk: User, count: int) -> Callable[[], None]:
    """Place single orders of both products, and return what a worker does that is told of each of them."""
    products = (Product.MOBILE, Product.OIL)
    orders = [place(products[number % 2], placed_by=clerk, number=number).pk for number in range(count)]

    def work() -> None:
        for order_id in orders:
            submission.submit_order(order_id=order_id)

    return work


def batch(clerk: User, count: int) -> Callable[[], None]:
    """Make a batch, and return what a drain does."""
    with override_settings(BATCH_CANARY=0):
        batch_of(*mobiles(count), made_by=clerk)
    return draining.submit_batches


@pytest.mark.parametrize("orders", [single_orders, batch])
def test_each_order_is_pushed_once(clerk: User, orders: Callable[[User, int], Callable[[], None]]) -> None:
    pushes = race(WORKERS, orders(clerk, ORDERS))
    assert len(pushes) == ORDERS
    assert set(pushes.values()) == {1}
    assert Order.objects.filter(submission=Submission.ACCEPTED).count() == ORDERS


@pytest.mark.parametrize("orders", [single_orders, batch])
def test_without_compare_and_swap_an_order_is_pushed_twice(
    clerk: User, orders: Callable[[User, int], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    work = orders(clerk, 1)
    monkeypatch.setattr(submission, "claim", claim_without_compare_and_swap)
    assert max(race(2, work).values()) == 2
