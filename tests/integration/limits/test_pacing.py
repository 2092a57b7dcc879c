"""No faster than WIKEYUN_MAX_RPS: turns follow one another, and drains leave them to single orders."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from django.conf import LazySettings

from portal.gateway import OutcomeUnknown
from portal.kit.database import now
from recharge.batches.services import draining
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import balance, pacing
from recharge.models import Order, Pace
from recharge.orders.services import interventions, placing
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def slept() -> Iterator[list[float]]:
    """The seconds that were slept for, by nobody."""
    seconds: list[float] = []
    with mock.patch.object(time, "sleep", seconds.append):
        yield seconds


def next_turn_in(seconds: float) -> dt.datetime:
    at = now() + dt.timedelta(seconds=seconds)
    Pace.objects.update_or_create(pk=1, defaults={"next_turn_at": at})
    return at


def test_without_a_limit_nobody_waits(slept: list[float]) -> None:
    pacing.wait_for_turn()
    assert pacing.wait_in_drain()
    assert slept == []
    assert not Pace.objects.exists()


def test_first_turn_comes_at_once_and_the_others_one_after_the_other(
    settings: LazySettings, slept: list[float]
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    for _ in range(4):
        pacing.wait_for_turn()
    assert slept[0] == pytest.approx(0, abs=0.01)
    for number, seconds in enumerate(slept):
        assert 10 * (number - 1) < seconds <= 10 * number + 0.01


def test_whatever_is_asked_about_orders_and_money_takes_a_turn(
    settings: LazySettings, slept: list[float], platform: FakePlatform
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    checking.check_order(order_id=order.pk)
    interventions.cancel_at_platform(order_id=order.pk, actor=person("clerk"))
    with mock.patch.object(platform, "account", side_effect=OutcomeUnknown("timeout", ""), create=True):
        balance.refresh_balance()
    assert [round(seconds / 10) for seconds in slept] == [0, 1, 2, 3]


def test_unused_turns_are_not_saved_up(settings: LazySettings, slept: list[float]) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    next_turn_in(-3600)
    pacing.wait_for_turn()
    pacing.wait_for_turn()
    assert slept[1] > 1


def test_drain_takes_a_turn_that_is_near(settings: LazySettings, slept: list[float]) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    assert pacing.wait_in_drain()
    assert (Pace.objects.get().next_turn_at - now()).total_seconds() > 5


def test_drain_leaves_a_turn_that_is_far_off_to_single_orders(settings: LazySettings, slept: list[float]) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    at = next_turn_in(60)
    assert not pacing.wait_in_drain()
    assert abs(Pace.objects.get().next_turn_at - at) < dt.timedelta(milliseconds=2)
    assert slept == [pacing.DRAIN_MAX_WAIT / 2]
    pacing.wait_for_turn()
    assert 50 < slept[1] <= 60


def test_single_order_never_queues_behind_all_drains(settings: LazySettings, slept: list[float]) -> None:
    settings.WIKEYUN_MAX_RPS = 2
    for _ in range(20):  # nobody sleeps, so that drains take whatever they may
        pacing.wait_in_drain()
    slept.clear()
    pacing.wait_for_turn()
    assert slept[0] <= pacing.DRAIN_MAX_WAIT + 1 / settings.WIKEYUN_MAX_RPS


def test_order_that_is_queued_no_more_takes_no_turn(
    settings: LazySettings, slept: list[float], platform: FakePlatform
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    taken = Pace.objects.get().next_turn_at
    submission.submit_order(order_id=order.pk)
    assert Pace.objects.get().next_turn_at == taken


def test_drain_without_a_turn_sends_nothing(
    settings: LazySettings, slept: list[float], platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    batch_of(*mobiles(2), made_by=person("clerk"))
    next_turn_in(3600)
    monkeypatch.setattr(draining, "SUBMIT_DRAIN_SECONDS", 0.05)
    before = list(Order.objects.values())
    draining.submit_batches()
    assert platform.books == {}
    assert list(Order.objects.values()) == before


@pytest.mark.parametrize("wait", [pacing.wait_for_turn, pacing.wait_in_drain])
@pytest.mark.parametrize("seconds", [0, 60])
def test_nobody_sleeps_with_a_connection_that_others_need(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, wait: Callable[[], object], seconds: float
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.1
    next_turn_in(seconds)
    happened: list[str] = []
    monkeypatch.setattr(pacing, "release_connection", lambda: happened.append("released"))
    monkeypatch.setattr(time, "sleep", lambda _: happened.append("slept"))
    wait()
    assert happened == ["released", "slept"]
