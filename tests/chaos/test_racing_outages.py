"""Many workers meet an outage of the platform at the same moment."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from portal import platform as platform_settings
from portal.gateway import OutcomeUnknown
from recharge.core import queue
from recharge.fulfilment.services import submission
from recharge.limits.services import outages
from recharge.models import Order, Outage
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform
from tests.races import together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
WORKERS = 6


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What came to a platform that answers nobody."""
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    fake, numbers = FakePlatform(), list[str]()

    def push(order_no: str) -> None:
        numbers.append(order_no)
        raise OutcomeUnknown("HTTP 502", "")

    fake.on_push = push
    monkeypatch.setattr(platform_settings, "client", lambda: fake)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    monkeypatch.setattr(queue.Messenger, "leave", lambda self, task, order_id: None)
    yield numbers
    assert len(set(numbers)) == len(numbers)


@pytest.fixture
def orders(pushed: list[str]) -> list[Order]:
    clerk = User.objects.create_user("clerk")
    return [
        placing.place_mobile_order(placed_by=clerk, mobile=f"1380013{number:04}", face_value=50)
        for number in range(WORKERS)
    ]


def all_at_once(orders: list[Order]) -> None:
    together(*(lambda key=order.pk: submission.submit_order(order_id=key) for order in orders))


@pytest.mark.parametrize("swapped", [True, False], ids=["as it is", "its twin without the swap"])
def test_one_order_takes_the_turn(
    orders: list[Order], pushed: list[str], monkeypatch: pytest.MonkeyPatch, swapped: bool
) -> None:
    now = {"confirmed_at": Now(), "next_order_at": Now(), "next_probe_at": Now()}
    Outage.objects.create(because="HTTP 502", after_event=outages._newest_event(), **now)
    if not swapped:
        monkeypatch.setattr(outages, "take_turn", lambda: True)
    all_at_once(orders)
    assert len(pushed) == (1 if swapped else WORKERS)


def test_all_of_them_raise_one_suspicion(orders: list[Order], pushed: list[str]) -> None:
    all_at_once(orders)
    assert (len(pushed), Outage.objects.count()) == (WORKERS, 1)
