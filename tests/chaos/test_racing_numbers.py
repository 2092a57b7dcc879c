"""At the same moment on PostgreSQL: one worker asks about each list, and no slow order passes the limit of its number.

Each race has a twin without what guards it, which must go wrong, or the race proves nothing.
"""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from portal import platform as platform_settings
from recharge.batches.services import making, number_checks
from recharge.choices import Speed
from recharge.core import queue
from recharge.core.errors import BadLines, InvalidOrder
from recharge.limits.services.slow_guard import SlowCounts
from recharge.models import NumberCheck, Order
from recharge.orders.services import placing
from tests.batches import mobiles, upload
from tests.fake_platform import FakePlatform
from tests.races import BothLook, together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> FakePlatform:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    fake = FakePlatform()
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(queue, "start_drains", lambda task, drains: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    monkeypatch.setattr(platform_settings, "asking_client", lambda timeout: fake)
    settings.NUMBER_INFO, settings.NUMBER_ASKS_PER_SECOND = True, 100
    return fake


@pytest.fixture
def clerk(db: None) -> User:
    return User.objects.create_user("clerk")


def test_of_several_workers_each_list_has_one(clerk: User, platform: FakePlatform) -> None:
    for first in (1, 101):
        upload(clerk, mobiles(30, first=first))
    together(*[number_checks.check_waiting] * 4)
    assert list(NumberCheck.objects.values_list("total", "position")) == [(30, 30)] * 2
    assert len(platform.asked) == len(set(platform.asked)) == 60
    assert not Order.objects.exists()


def test_without_the_lease_they_get_into_each_others_way(
    clerk: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    monkeypatch.setattr(number_checks, "_free", Q)
    upload(clerk, mobiles(30))
    together(*[number_checks.check_waiting] * 4)
    assert NumberCheck.objects.get().attempts > 1


# --- the limit of slow orders -----------------------------------------------------------------------------------
NUMBER = "13800138000"


@pytest.fixture
def limited(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> BothLook:
    """One number gets ¥ 100 by slow orders; of two who place one, each has counted before either goes on."""
    settings.NUMBER_INFO, settings.SLOW_LIMIT_PER_NUMBER = False, 100
    both = BothLook()
    monkeypatch.setattr(SlowCounts, "look_up", both.at(SlowCounts.look_up))
    return both


@pytest.fixture
def nothing_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "lock_target", lambda order: None)
    monkeypatch.setattr(making, "lock_all_targets", lambda: None)


def slow_order(clerk: User, face_value: int) -> Callable[[], object]:
    return lambda: placing.place_mobile_order(placed_by=clerk, mobile=NUMBER, face_value=face_value, speed=Speed.SLOW)


def slow_batch(clerk: User) -> Callable[[], object]:
    draft = upload(clerk, [f"{NUMBER},50,慢"])
    return lambda: making.make_batch(draft=draft, made_by=clerk)


def test_two_at_once_keep_to_the_limit_of_slow_orders(limited: BothLook, clerk: User) -> None:
    refused = together(slow_order(clerk, 100), limited.second(slow_order(clerk, 50)))
    assert [type(error) for error in refused] == [InvalidOrder]
    assert Order.objects.count() == 1


def test_order_and_batch_at_once_keep_to_the_limit_of_slow_orders(limited: BothLook, clerk: User) -> None:
    refused = together(slow_order(clerk, 100), limited.second(slow_batch(clerk)))
    assert [type(error) for error in refused] == [BadLines]
    assert Order.objects.count() == 1


@pytest.mark.usefixtures("nothing_locks")
def test_without_the_lock_two_at_once_pass_the_limit_of_slow_orders(limited: BothLook, clerk: User) -> None:
    assert together(slow_order(clerk, 100), limited.second(slow_order(clerk, 50))) == []
    assert Order.objects.count() == 2
