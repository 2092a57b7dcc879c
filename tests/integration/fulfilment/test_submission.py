"""Handing an order over: every way that it can end, and who wins when two things happen at once."""

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from portal.gateway import NotSent, OutcomeUnknown, PushReceipt
from recharge.choices import EventKind, MarkKind, Submission, Verdict
from recharge.core.events import record
from recharge.fulfilment.services import answers, checking, products, reports, submission, transitions
from recharge.fulfilment.services.privacy import hiding
from recharge.limits.services import accounts, restore_guard
from recharge.models import Order
from recharge.operations.services import sweeping
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform, WorkerKilled

pytestmark = pytest.mark.usefixtures("sent")


@pytest.fixture
def order(clerk_user: User, platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)


def submit(order: Order, platform: FakePlatform, behaviour: str) -> Order:
    platform.behaviour = behaviour
    with suppress(WorkerKilled):
        submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def test_accepted_order_has_the_platforms_number_and_a_next_check(order: Order, platform: FakePlatform) -> None:
    submit(order, platform, "accept")
    assert (order.submission, order.gateway_order_no) == (Submission.ACCEPTED, "W1")
    assert order.cost_price == 49
    assert order.next_check_at
    assert dt.timedelta(seconds=25) < order.next_check_at - timezone.now() <= dt.timedelta(seconds=30)


def test_definite_refusal_settles_the_order(order: Order, platform: FakePlatform) -> None:
    submit(order, platform, "reject")
    assert order.submission == Submission.REJECTED
    assert "余额不足" in order.refusal
    assert order.settled_at
    assert not platform.books


@pytest.mark.parametrize("behaviour", ["hang", "lost", "says_duplicate"])
def test_anything_unclear_is_unknown_and_asked_about(order: Order, platform: FakePlatform, behaviour: str) -> None:
    submit(order, platform, behaviour)
    assert order.submission == Submission.UNKNOWN
    assert order.next_check_at
    assert not order.settled_at


def test_order_that_never_left_is_queued_again_with_growing_delay(order: Order, platform: FakePlatform) -> None:
    delays = []
    for _ in range(3):
        submit(order, platform, "not_sent")
        assert order.submission == Submission.QUEUED
        assert order.next_push_at
        delays.append(order.next_push_at - timezone.now())
    assert delays == sorted(delays)
    assert delays[2] > 3 * delays[0]
    assert not platform.books
    assert submit(order, platform, "accept").submission == Submission.ACCEPTED


@pytest.mark.parametrize("behaviour", ["accept", "reject", "hang", "lost", "killed_before", "killed_after"])
def test_second_message_does_nothing(order: Order, platform: FakePlatform, behaviour: str) -> None:
    submit(order, platform, behaviour)
    before = Order.objects.filter(pk=order.pk).values().get()
    events = order.events.count()
    submit(order, platform, "accept")
    assert Order.objects.filter(pk=order.pk).values().get() == before
    assert order.events.count() == events
    assert all(booked.pushes == 1 for booked in platform.books.values())


@pytest.mark.parametrize("behaviour", ["killed_before", "killed_after"])
def test_dead_workers_order_becomes_unknown_never_queued(order: Order, platform: FakePlatform, behaviour: str) -> None:
    submit(order, platform, behaviour)
    assert order.submission == Submission.SUBMITTING
    sweeping.sweep()
    order.refresh_from_db()
    assert order.submission == Submission.SUBMITTING, "its lease has not run out"
    Order.objects.update(lease_until=F("lease_until") - dt.timedelta(hours=1))
    sweeping.sweep()
    order.refresh_from_db()
    assert order.submission == Submission.UNKNOWN
    assert order.next_check_at
    assert order.events.filter(kind=EventKind.LEASE_EXPIRED).exists()


def test_worker_that_comes_back_after_its_lease_still_delivers_the_receipt(
    order: Order, platform: FakePlatform
) -> None:
    def lease_runs_out(order_no: str) -> None:
        Order.objects.update(lease_until=F("lease_until") - dt.timedelta(hours=1))
        sweeping.sweep()
        assert Order.objects.get().submission == Submission.UNKNOWN

    platform.during_push = lease_runs_out
    submit(order, platform, "callback_first")
    assert (order.submission, order.gateway_order_no) == (Submission.ACCEPTED, "W1")


@pytest.mark.parametrize("stands_still", ["time", "monotonic", ""])
def test_worker_that_was_held_up_does_not_send(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, stands_still: str
) -> None:
    """A frozen process sees both clocks go on; in a machine that was suspended one of them stands still."""
    clocks = {name: iter([0.0, 0.0 if name == stands_still else 1000.0] * 2) for name in ("time", "monotonic")}
    clocks_of_python = {name: partial(next, moments) for name, moments in clocks.items()}
    monkeypatch.setattr(submission, "time", SimpleNamespace(**clocks_of_python))
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED
    assert not platform.books


@pytest.mark.parametrize("swept", [False, True])
def test_database_has_the_last_word_on_the_lease(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, swept: bool
) -> None:
    """Both clocks of the machine may have been set back while it was suspended."""
    real = hiding

    def wake_up_late(claimed: Order) -> object:
        Order.objects.filter(pk=claimed.pk).update(lease_until=F("lease_until") - dt.timedelta(hours=1))
        if swept:
            sweeping.sweep()
        return real(claimed)

    monkeypatch.setattr(products, "hiding", wake_up_late)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == (Submission.UNKNOWN if swept else Submission.QUEUED)
    assert not platform.books


def test_another_workers_lease_is_not_ones_own(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hiding

    def claimed_again(claimed: Order) -> object:
        Order.objects.filter(pk=claimed.pk).update(claims=F("claims") + 1)
        return real(claimed)

    monkeypatch.setattr(products, "hiding", claimed_again)
    submission.submit_order(order_id=order.pk)
    assert not platform.books


def test_callback_before_the_answer_counts_as_evidence(order: Order, platform: FakePlatform) -> None:
    def report(order_no: str) -> None:
        reports.receive_callback(order_no=order_no, report=platform.report(order_no, 2))
        assert Order.objects.get().submission == Submission.ACCEPTED

    platform.during_push = report
    submit(order, platform, "callback_first")
    assert (order.submission, order.status, order.gateway_order_no) == (Submission.ACCEPTED, 2, "W1")
    assert not order.open_marks


def test_answer_is_recorded_though_the_database_is_away_for_a_moment(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "RECORDING_PAUSES", (0, 0))
    real, failures = record, [OperationalError("locked"), OperationalError("locked")]

    def fail_twice(*arguments: Any, **fields: Any) -> Any:
        if failures and arguments[1] == EventKind.ANSWERED:
            raise failures.pop()
        return real(*arguments, **fields)

    monkeypatch.setattr(transitions, "record", fail_twice)
    submit(order, platform, "accept")
    assert not failures
    assert (order.submission, order.gateway_order_no) == (Submission.ACCEPTED, "W1")


def test_failure_that_is_recorded_once_more_leaves_a_later_claim_alone(order: Order, platform: FakePlatform) -> None:
    """The connection may break at the very moment at which the database has taken the answer in."""
    error = NotSent("refused")
    submit(order, platform, "killed_before")
    answers.record_failure(order, error)
    assert Order.objects.get().submission == Submission.QUEUED

    def record_again(order_no: str) -> None:
        answers.record_failure(order, error)
        assert Order.objects.get().submission == Submission.SUBMITTING
        submission.submit_order(order_id=order.pk)

    platform.on_push = record_again
    assert submit(order, platform, "accept").submission == Submission.ACCEPTED
    assert platform.books[order.order_no].pushes == 1
    assert not order.open_marks


def contradict(platform: FakePlatform, order_no: str) -> None:
    """The platform speaks of the order while it is being pushed, but of another value."""
    platform._book(order_no, "13800138000", 50)
    report = replace(platform.report(order_no, 1), face_value=Decimal(100))
    assert reports.receive_callback(order_no=order_no, report=report) == Verdict.MISMATCH


def test_order_of_which_the_platform_spoke_is_not_refused_for_certain(order: Order, platform: FakePlatform) -> None:
    platform.on_push = partial(contradict, platform)
    submit(order, platform, "reject")
    assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.CONFLICT])
    assert order.next_check_at


def test_answer_to_a_claim_that_was_given_up_counts(order: Order, platform: FakePlatform) -> None:
    """It was recorded as never sent, and is queued again; then the platform's receipt comes after all."""
    submit(order, platform, "killed_before")
    answers.record_failure(order, NotSent("refused"))
    receipt = PushReceipt(gateway_order_no="W7", face_value=None, cost_price=None, rebate=None, raw="{}")
    answers.record_receipt(order, receipt)
    order.refresh_from_db()
    assert (order.submission, order.gateway_order_no) == (Submission.ACCEPTED, "W7")
    assert order.marked_as == [MarkKind.UNEXPECTED]
    submit(order, platform, "accept")
    assert platform.books == {}


def test_order_of_which_the_platform_spoke_is_not_queued_again(order: Order, platform: FakePlatform) -> None:
    platform.on_push = partial(contradict, platform)
    submit(order, platform, "not_sent")
    assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.CONFLICT])
    assert order.next_check_at
    submit(order, platform, "accept")
    assert platform.books[order.order_no].pushes == 1


def test_two_numbers_for_one_order_need_a_person(order: Order, platform: FakePlatform) -> None:
    def report(order_no: str) -> None:
        reports.receive_callback(order_no=order_no, report=platform.report(order_no, 1))
        platform.books[order_no].gateway_order_no = "W999"

    platform.during_push = report
    submit(order, platform, "callback_first")
    assert (order.gateway_order_no, order.marked_as) == ("W1", [MarkKind.CONFLICT])


def test_number_that_another_order_has_is_no_acceptance(order: Order, platform: FakePlatform, clerk_user: User) -> None:
    other = placing.place_mobile_order(placed_by=clerk_user, mobile="13900139000", face_value=50)
    submit(other, platform, "accept")

    def same_number(order_no: str) -> None:
        platform.books[order_no].gateway_order_no = "W1"

    platform.during_push = same_number
    submit(order, platform, "callback_first")
    assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.NUMBER_TAKEN])
    other.refresh_from_db()
    assert other.gateway_order_no == "W1"


def test_refusal_after_a_callback_is_a_conflict(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = platform.push_mobile_order

    def accept_then_refuse(**arguments: object) -> object:
        original(**arguments)  # type: ignore[arg-type]
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 1))
        platform.behaviour = "reject"
        return original(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(platform, "push_mobile_order", accept_then_refuse)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.submission, order.marked_as) == (Submission.ACCEPTED, [MarkKind.CONFLICT])
    assert order.next_check_at


@pytest.mark.parametrize("error", [NotSent("refused"), OutcomeUnknown("reset", "")])
def test_connection_is_given_back_before_the_call(
    order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    released: list[bool] = []
    monkeypatch.setattr(products, "release_connection", lambda: released.append(True))

    def push(**arguments: object) -> None:
        assert released == [True]
        raise error

    monkeypatch.setattr(platform, "push_mobile_order", push)
    submission.submit_order(order_id=order.pk)
    assert order.events.count() == 3


def test_a_lease_outlasts_two_exchanges() -> None:
    """One that hangs until its deadline, and one that a held-up worker begins at the last moment that is allowed."""
    with override_settings(WIKEYUN_TIMEOUT=7):
        assert submission.lease() == dt.timedelta(seconds=2 * 7 + 60)


@pytest.mark.parametrize("state", [Submission.UNKNOWN, Submission.WITHDRAWN, Submission.SUBMITTING])
@pytest.mark.books_broken("history", "spending")
def test_the_claim_itself_asks_whether_the_order_is_queued(order: Order, state: Submission) -> None:
    """Whoever read it may have read it a moment too early."""
    seen = restore_guard.token()
    accounts.current()
    over = {"settled_at": timezone.now()} if state == Submission.WITHDRAWN else {}
    lease = {"lease_until": timezone.now()} if state == Submission.SUBMITTING else {}
    Order.objects.update(submission=state, next_push_at=None, next_check_at=timezone.now(), **over, **lease)
    assert seen is not None
    assert not transitions.claim(order, submission.lease(), seen)
    order.refresh_from_db()
    assert (order.submission, order.claims) == (state, 0)


def test_an_acceptance_is_undisturbed_only_for_the_very_claim(order: Order, platform: FakePlatform) -> None:
    """A second claim may have been made since, of an order that the first worker could not send."""
    platform.behaviour = "killed_before"
    with suppress(WorkerKilled):
        submission.submit_order(order_id=order.pk)
    first = Order.objects.get()
    Order.objects.update(claims=F("claims") + 1)
    first.gateway_order_no = "W1"
    assert not transitions.accept_undisturbed(first, "{}")
    assert Order.objects.get().submission == Submission.SUBMITTING


@pytest.mark.parametrize("behaviour", ["unclear", "unclear_lost"])
def test_a_refusal_in_words_of_doubt_is_unknown_and_asked_about(
    order: Order, platform: FakePlatform, behaviour: str
) -> None:
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.UNKNOWN
    assert order.next_check_at
    assert not order.is_provably_unspent
    answered = order.events.get(kind=EventKind.ANSWERED)
    assert (answered.verdict, "请稍后查询订单结果" in answered.note) == (Verdict.OUTCOME_UNKNOWN, True)
    Order.objects.update(next_check_at=timezone.now() - dt.timedelta(minutes=1))
    checking.check_due_orders()
    order.refresh_from_db()
    assert (order.submission == Submission.ACCEPTED) is (behaviour == "unclear")
