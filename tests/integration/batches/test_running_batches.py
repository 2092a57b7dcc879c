"""A batch goes out: its first orders ahead, the rest behind them, stopped by itself or by people, to its end."""

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from portal.gateway import NotSent
from recharge.batches.services import braking, draining, managing
from recharge.choices import BatchEventKind, BatchState, Brake, EventKind, Submission
from recharge.core import queue
from recharge.core.errors import TooLate
from recharge.fulfilment.services import answers, checking, submission
from recharge.limits.services import balance, emergency_stop
from recharge.models import Balance, Batch, BatchDraft, Order, OrderEvent, Spending
from recharge.operations.services import sweeping
from recharge.orders.services import placing
from tests.actions import go_on, last_event, resume
from tests.batches import batch_of, mobiles, upload
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.oil_cards import active_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def batch(clerk_user: User, platform: FakePlatform) -> Batch:
    return batch_of(*mobiles(10), made_by=clerk_user)


@pytest.fixture
def running(batch: Batch, clerk_user: User) -> Batch:
    return managing.skip_canary(batch_id=batch.pk, actor=clerk_user)


def drain(platform: FakePlatform, *behaviours: str) -> None:
    """One drain works for as long as anything is due."""
    platform.behaviour, *platform.next_behaviours = behaviours or ("accept",)
    with suppress(WorkerKilled):
        draining.submit_batches()
    platform.behaviour, platform.next_behaviours = "accept", []


def submissions(batch: Batch) -> list[str]:
    return [order.submission for order in Order.objects.filter(batch=batch).order_by("line")]


def state(batch: Batch) -> tuple[str, str]:
    batch.refresh_from_db()
    return batch.state, batch.brake


def kinds(batch: Batch) -> list[str]:
    return [event.kind for event in batch.events.all()]


# --- the first orders -------------------------------------------------------------------------------------------
def test_three_orders_go_ahead_and_the_others_follow_once_they_are_accepted(
    batch: Batch, platform: FakePlatform
) -> None:
    pushed: list[tuple[str, int]] = []
    platform.on_push = lambda order_no: pushed.append((Batch.objects.get().state, len(platform.books)))
    drain(platform)
    assert [of for of, _ in pushed] == [BatchState.CANARY] * 3 + [BatchState.RUNNING] * 7
    assert submissions(batch) == [Submission.ACCEPTED] * 10
    sweeping.sweep()
    assert state(batch) == (BatchState.HANDED_OVER, "")
    assert kinds(batch) == [BatchEventKind.MADE, BatchEventKind.CANARY_PASSED, BatchEventKind.HANDED_OVER]


@pytest.mark.parametrize("behaviour", ["reject", "hang", "lost", "says_duplicate"])
def test_a_first_order_that_is_not_accepted_stops_the_batch(
    batch: Batch, platform: FakePlatform, behaviour: str
) -> None:
    drain(platform, "accept", behaviour)
    assert state(batch) == (BatchState.PAUSED, Brake.CANARY)
    assert submissions(batch).count(Submission.QUEUED) == 8
    drain(platform)
    assert len(platform.books) + (behaviour in ("reject", "lost")) == 2


def test_a_worker_that_dies_with_a_first_order_stops_the_batch(batch: Batch, platform: FakePlatform) -> None:
    drain(platform, "killed_after")
    drain(platform)
    assert submissions(batch)[:4] == [Submission.SUBMITTING, Submission.ACCEPTED, Submission.ACCEPTED, "QUEUED"]
    Order.objects.update(lease_until=F("lease_until") - dt.timedelta(hours=1))
    sweeping.sweep()
    assert state(batch) == (BatchState.PAUSED, Brake.CANARY)
    assert submissions(batch).count(Submission.QUEUED) == 7


def test_a_drain_ends_where_the_platform_cannot_be_reached(running: Batch, platform: FakePlatform) -> None:
    drain(platform, *["not_sent"] * 10)
    orders = Order.objects.filter(batch=running)
    assert orders.filter(not_sent=1).count() == 1, "each attempt leaves two events for ever"
    assert orders.filter(submission=Submission.QUEUED, not_sent=0).count() == 9
    drain(platform)
    assert len(platform.books) == 9


def test_a_drain_of_queries_ends_likewise(running: Batch, platform: FakePlatform) -> None:
    drain(platform)
    Order.objects.update(next_check_at=F("placed_at"))
    platform.query_behaviour = "not_sent"
    checking.check_due_orders()
    assert OrderEvent.objects.filter(kind=EventKind.QUERIED).count() == 1
    checking.check_due_orders()
    assert Order.objects.exclude(confirmed_at=None).count() == 9


def test_a_first_order_that_never_left_is_waited_for(batch: Batch, platform: FakePlatform) -> None:
    drain(platform, "not_sent")
    drain(platform)
    assert submissions(batch)[:4] == [Submission.QUEUED, Submission.ACCEPTED, Submission.ACCEPTED, Submission.QUEUED]
    assert state(batch) == (BatchState.CANARY, "")
    Order.objects.filter(submission=Submission.QUEUED).update(next_push_at=F("placed_at"))
    drain(platform)
    assert submissions(batch) == [Submission.ACCEPTED] * 10


def test_whoever_releases_it_waits_for_its_first_orders_no_more(
    batch: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    drain(platform, "reject")
    resume(batch, clerk_user, reason="空号")
    drain(platform)
    assert submissions(batch) == [Submission.REJECTED] + [Submission.ACCEPTED] * 9


def test_a_pause_by_hand_does_not_skip_the_first_orders(batch: Batch, clerk_user: User) -> None:
    managing.pause(batch_id=batch.pk, actor=clerk_user)
    assert resume(batch, clerk_user).state == BatchState.CANARY


@pytest.mark.parametrize(("canary", "size"), [(0, 10), (3, 3), (3, 2)])
def test_no_order_goes_ahead_where_none_would_follow(
    clerk_user: User, platform: FakePlatform, canary: int, size: int
) -> None:
    with override_settings(BATCH_CANARY=canary):
        assert state(batch_of(*mobiles(size), made_by=clerk_user)) == (BatchState.RUNNING, "")


def test_once_released_it_never_waits_for_its_first_orders_again(
    batch: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    drain(platform, "reject")
    assert state(batch) == (BatchState.PAUSED, Brake.CANARY)
    resume(batch, clerk_user)
    managing.pause(batch_id=batch.pk, actor=clerk_user)
    assert resume(batch, clerk_user).state == BatchState.RUNNING
    sweeping.sweep()
    assert state(batch) == (BatchState.RUNNING, "")


# --- the brake --------------------------------------------------------------------------------------------------
@override_settings(BRAKE_REJECTIONS=3)
def test_refusals_in_a_row_stop_it(running: Batch, platform: FakePlatform) -> None:
    drain(platform, "reject", "reject", "accept", "reject", "reject", "reject")
    assert state(running) == (BatchState.PAUSED, Brake.REJECTIONS)
    assert submissions(running).count(Submission.QUEUED) == 4
    assert "余额不足" in running.events.get(kind=BatchEventKind.BRAKED).note


@override_settings(BRAKE_UNKNOWNS=3)
def test_too_many_unknowns_stop_it(running: Batch, platform: FakePlatform) -> None:
    drain(platform, "hang", "accept", "lost", "accept", "hang")
    assert state(running) == (BatchState.PAUSED, Brake.UNKNOWNS)
    assert submissions(running).count(Submission.QUEUED) == 5


@override_settings(BRAKE_UNKNOWNS=3)
def test_unknowns_that_turned_out_well_count_no_more(running: Batch, platform: FakePlatform) -> None:
    drain(platform, "hang", "hang", "not_sent", *["not_sent"] * 7)
    Order.objects.update(next_check_at=F("placed_at"), asked_at=None)
    checking.check_due_orders()
    Order.objects.filter(submission=Submission.QUEUED).update(next_push_at=F("placed_at"))
    drain(platform, "hang", "hang", "accept")
    assert state(running) == (BatchState.RUNNING, "")


@override_settings(BRAKE_REJECTIONS=2)
def test_what_happened_before_its_release_does_not_stop_it_again(
    running: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    drain(platform, "reject", "reject")
    resume(running, clerk_user)
    drain(platform, "reject", "accept")
    assert state(running)[0] == BatchState.RUNNING
    assert submissions(running).count(Submission.ACCEPTED) == 7


@override_settings(BALANCE_FLOOR=1000)
def test_a_low_balance_stops_it_until_it_is_told_to_be_higher(
    running: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    Balance.objects.create(pk=1, amount="999.99", told_at=timezone.now())
    sweeping.sweep()
    assert state(running) == (BatchState.PAUSED, Brake.BALANCE)
    assert "999.99" in running.events.get(kind=BatchEventKind.BRAKED).note
    drain(platform)
    assert not platform.books
    with pytest.raises(TooLate):
        resume(running, clerk_user)
    assert state(running) == (BatchState.PAUSED, Brake.BALANCE)
    Balance.objects.update(amount=1000)
    resume(running, clerk_user)
    drain(platform)
    assert len(platform.books) == 10


@override_settings(BALANCE_FLOOR=1000)
@pytest.mark.parametrize("told_before", [None, dt.timedelta(days=3)])
def test_a_balance_that_the_platform_does_not_tell_is_not_enough(
    running: Batch, platform: FakePlatform, clerk_user: User, told_before: dt.timedelta | None
) -> None:
    if told_before:
        Balance.objects.create(pk=1, amount=5000, told_at=timezone.now() - told_before)
    sweeping.sweep()
    assert state(running)[0] == BatchState.RUNNING, "nobody has asked yet"
    platform.balance = None
    drain(platform)
    assert not platform.books
    assert state(running) == (BatchState.PAUSED, Brake.BALANCE_UNKNOWN)
    note = running.events.get(kind=BatchEventKind.BRAKED).note
    assert "没有及时回答" in note
    assert ("从未" in note) == (told_before is None)
    with pytest.raises(TooLate):
        resume(running, clerk_user)
    platform.balance = Decimal(1000)
    balance.refresh_balance()
    resume(running, clerk_user)
    drain(platform)
    assert len(platform.books) == 10


@override_settings(BALANCE_FLOOR=1000)
def test_the_balance_is_asked_for_before_the_first_order_goes_out(running: Batch, platform: FakePlatform) -> None:
    drain(platform)
    assert Balance.objects.get().amount == 100000
    assert len(platform.books) == 10


@override_settings(BALANCE_FLOOR=1000, BALANCE_MAX_AGE=60)
def test_a_balance_grows_too_old_by_the_databases_clock(running: Batch, platform: FakePlatform) -> None:
    balance.refresh_balance()
    Balance.objects.update(told_at=F("told_at") - dt.timedelta(seconds=61))
    platform.balance = Decimal(999)
    drain(platform)
    assert not platform.books
    assert state(running) == (BatchState.PAUSED, Brake.BALANCE)


# --- people -----------------------------------------------------------------------------------------------------
def test_a_paused_batch_sends_nothing_and_goes_on_where_it_was(
    running: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    managing.pause(batch_id=running.pk, actor=clerk_user, reason="等等")
    for order in Order.objects.all():
        submission.submit_order(order_id=order.pk)  # no message brings an order of a batch past its batch
    drain(platform)
    sweeping.sweep()
    assert not platform.books
    assert state(running) == (BatchState.PAUSED, Brake.BY_HAND)
    resume(running, clerk_user, reason="好了")
    drain(platform)
    assert all(booked.pushes == 1 for booked in platform.books.values())
    assert submissions(running) == [Submission.ACCEPTED] * 10
    notes = {event.kind: event.note for event in running.events.all()}
    assert (notes[BatchEventKind.PAUSED], notes[BatchEventKind.RESUMED]) == ("等等", "好了")


def test_the_rest_is_withdrawn_and_counts_no_longer(running: Batch, platform: FakePlatform, clerk_user: User) -> None:
    drain(platform, "accept", "hang", "killed_before")
    assert managing.withdraw_rest(batch_id=running.pk, actor=clerk_user, reason="错了") == 7
    assert submissions(running) == [Submission.ACCEPTED, Submission.UNKNOWN, Submission.SUBMITTING] + ["WITHDRAWN"] * 7
    assert set(Spending.objects.values_list("amount", flat=True)) == {150}
    withdrawn = Order.objects.filter(submission=Submission.WITHDRAWN)
    assert all(order.settled_at and order.events.get(kind=EventKind.WITHDRAWN).actor for order in withdrawn)
    drain(platform)
    assert len(platform.books) == 2
    with pytest.raises(TooLate):
        managing.withdraw_rest(batch_id=running.pk, actor=clerk_user)


def test_the_sweep_that_helps_to_withdraw_tells_neither_less_nor_nobody(
    running: Batch, clerk_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = managing._withdraw_waiting

    def overtaken(batch: Batch, actor: User | None) -> None:
        monkeypatch.setattr(managing, "_withdraw_waiting", real)
        sweeping.sweep()
        real(batch, actor)

    monkeypatch.setattr(managing, "_withdraw_waiting", overtaken)
    assert managing.withdraw_rest(batch_id=running.pk, actor=clerk_user) == 10
    events = OrderEvent.objects.filter(kind=EventKind.WITHDRAWN)
    assert list(events.values_list("actor", flat=True)) == [clerk_user.pk] * 10


def test_an_order_that_comes_back_to_a_withdrawn_batch_is_withdrawn_too(
    running: Batch, platform: FakePlatform, clerk_user: User
) -> None:
    def withdraw(order_no: str) -> None:
        managing.withdraw_rest(batch_id=running.pk, actor=clerk_user)

    platform.on_push = withdraw
    drain(platform, "not_sent")
    assert submissions(running).count(Submission.QUEUED) == 1
    sweeping.sweep()
    assert submissions(running) == [Submission.WITHDRAWN] * 10
    assert not platform.books


@pytest.mark.parametrize("action", [managing.pause, managing.resume, managing.skip_canary])
def test_what_does_not_fit_its_state_is_refused(running: Batch, clerk_user: User, action: object) -> None:
    managing.withdraw_rest(batch_id=running.pk, actor=clerk_user)
    events = len(kinds(running))
    seen = {"last_seen": last_event(running)} if action == managing.resume else {}
    with pytest.raises(TooLate):
        action(batch_id=running.pk, actor=clerk_user, **seen)  # type: ignore[operator]
    assert state(running) == (BatchState.WITHDRAWN, "")
    assert len(kinds(running)) == events


def test_nothing_goes_out_while_everything_is_stopped(
    running: Batch, platform: FakePlatform, clerk_user: User, sent: list[tuple[str, int]]
) -> None:
    single = placing.place_mobile_order(placed_by=clerk_user, mobile="13911112222", face_value=50)
    emergency_stop.stop_everything(actor=clerk_user, reason="平台异常")
    sent.clear()
    Order.objects.filter(pk=single.pk).update(next_push_at=F("placed_at"))
    sweeping.sweep()
    drain(platform)
    submission.submit_order(order_id=single.pk)
    assert (platform.books, sent) == ({}, [])
    go_on(clerk_user)
    sweeping.sweep()
    assert sent == [(queue.SUBMIT, single.pk)]
    drain(platform)
    assert len(platform.books) == 10


# --- order of work ----------------------------------------------------------------------------------------------
def test_single_orders_are_asked_about_before_those_of_batches(
    running: Batch, platform: FakePlatform, clerk_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(platform)
    single = placing.place_mobile_order(placed_by=clerk_user, mobile="13911112222", face_value=50)
    submission.submit_order(order_id=single.pk)
    Order.objects.update(next_check_at=F("placed_at"))
    asked: list[Order] = []
    monkeypatch.setattr(checking, "_ask", asked.append)
    checking.check_due_orders()
    assert asked[0] == single
    assert len(asked) == 11


def test_an_order_of_a_doubtful_card_holds_up_nobody(clerk_user: User, platform: FakePlatform, batch: Batch) -> None:
    card = active_card(clerk_user)
    first = Order.objects.order_by("line").first()
    assert first
    Order.objects.filter(pk=first.pk).update(product="OIL", mobile="", oil_card=card)
    type(card).objects.update(state="CHANGE_FAILED")
    managing.skip_canary(batch_id=batch.pk, actor=clerk_user)
    drain(platform)
    assert submissions(batch) == [Submission.QUEUED] + [Submission.ACCEPTED] * 9
    assert state(batch) == (BatchState.RUNNING, "")


def test_drains_are_opened_for_what_is_due_where_they_are_missing(
    running: Batch, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, int]] = []

    def sweep_opens(drains: int) -> bool:
        opened.clear()
        sweeping.sweep()
        return sum(count for task, count in opened if task == queue.SUBMIT_BATCHES) == drains

    monkeypatch.setattr(queue, "start_drains", lambda task, drains: opened.append((task, drains)))
    drains = min(10, settings.BATCH_LANES)
    assert sweep_opens(drains)
    drain(platform, "killed_before")
    drain(platform, "killed_before")
    assert Order.objects.filter(submission=Submission.SUBMITTING).count() == 2
    assert sweep_opens(min(8, drains) - 2)
    Order.objects.update(submitted_at=F("submitted_at") - dt.timedelta(seconds=settings.WIKEYUN_TIMEOUT + 6))
    assert sweep_opens(min(8, drains)), "whoever has not come back by now won't"
    drain(platform)
    assert sweep_opens(0)


def test_sweeps_of_one_process_do_not_overlap(running: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def sweep_once_more(task: str, drains: int) -> None:
        opened.append(task)
        sweeping.sweep()

    monkeypatch.setattr(queue, "start_drains", sweep_once_more)
    sweeping.sweep()
    sweeping.sweep()
    assert opened == [queue.SUBMIT_BATCHES] * 2


def test_no_drains_are_opened_for_what_waits_for_the_first_orders(
    batch: Batch, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: dict[str, int] = {}
    monkeypatch.setattr(queue, "start_drains", opened.__setitem__)
    sweeping.sweep()
    assert opened == {queue.SUBMIT_BATCHES: 3}, "the first orders go alone"
    drain(platform, "not_sent")
    drain(platform)
    opened.clear()
    sweeping.sweep()
    assert queue.SUBMIT_BATCHES not in opened, "the others wait for one that could not be sent"
    managing.skip_canary(batch_id=batch.pk, actor=batch.made_by)
    sweeping.sweep()
    assert opened[queue.SUBMIT_BATCHES] == min(7, settings.BATCH_LANES)


def test_a_drain_ends_after_some_seconds_and_opens_the_next(
    running: Batch, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "start_drains", lambda task, drains: opened.append((task, drains)))
    monkeypatch.setattr(draining, "SUBMIT_DRAIN_SECONDS", -1)
    drain(platform)
    assert (opened, platform.books) == ([(queue.SUBMIT_BATCHES, 1)], {})


def test_a_drain_ends_after_its_order_when_its_worker_is_told_to_stop(
    running: Batch, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = threading.Event()
    monkeypatch.setattr(draining, "closing", closing)
    platform.on_push = lambda order_no: closing.set()
    drain(platform)
    assert len(platform.books) == 1
    assert submissions(running).count(Submission.QUEUED) == 9


def test_drafts_are_forgotten_after_a_day(clerk_user: User) -> None:
    old, new = upload(clerk_user, ["13800138000,50"]), upload(clerk_user, ["13800138001,50"])
    BatchDraft.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - dt.timedelta(hours=25))
    sweeping.sweep()
    assert list(BatchDraft.objects.all()) == [new]


def test_a_batch_is_looked_at_though_its_last_worker_died(running: Batch, platform: FakePlatform) -> None:
    drain(platform, *["accept"] * 9, "killed_after")
    braking.look_at_all()
    assert state(running) == (BatchState.RUNNING, "")
    Order.objects.update(lease_until=F("lease_until") - dt.timedelta(hours=1))
    sweeping.sweep()
    assert state(running) == (BatchState.HANDED_OVER, "")


def test_an_order_that_comes_back_while_its_batch_is_looked_at_goes_out_all_the_same(
    running: Batch, platform: FakePlatform
) -> None:
    drain(platform, *["accept"] * 9, "killed_before")
    last = Order.objects.get(submission=Submission.SUBMITTING)
    seen: list[str] = []

    def come_back(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        """Between the first question for what is queued, which finds nothing, and whatever is asked next."""
        found = execute(sql, parameters, many, context)
        if not seen and sql.startswith("SELECT %s") and Submission.QUEUED in parameters:
            seen.append(sql)
            answers.record_failure(last, NotSent("refused"))
        return found

    with connection.execute_wrapper(come_back):
        braking.look_at(batch_id=running.pk)
    assert seen
    assert state(running) == (BatchState.RUNNING, "")
    Order.objects.filter(submission=Submission.QUEUED).update(next_push_at=F("placed_at"))
    drain(platform)
    assert submissions(running) == [Submission.ACCEPTED] * 10
