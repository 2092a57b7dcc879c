"""What callbacks and answers do to an order, beyond the transition table itself."""

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from recharge.choices import MarkKind, Submission, Verdict
from recharge.core.errors import DuplicateOrder, NotReplaceable
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import PROVABLY_UNSPENT, Order
from recharge.operations.services import sweeping
from recharge.orders.services import interventions, placing
from tests import actions
from tests.actions import acknowledge
from tests.fake_platform import FakePlatform
from tests.known import known

pytestmark = pytest.mark.usefixtures("sent")


@pytest.fixture
def order(clerk_user: User, platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)


@pytest.fixture
def accepted(order: Order) -> Order:
    submission.submit_order(order_id=order.pk)
    return refreshed(order)


def refreshed(order: Order) -> Order:
    order.refresh_from_db()
    return order


def call_back(order: Order, platform: FakePlatform, status: int, **changes: object) -> Verdict:
    report = dataclasses.replace(platform.report(order.order_no, status), **changes)  # type: ignore[arg-type]
    return reports.receive_callback(order_no=order.order_no, report=report)


def minutes_pass(minutes: int) -> None:
    moments = ("next_check_at", "asked_at", "first_missing_at", "last_missing_at", "lease_until", "submitted_at")
    Order.objects.update(**{moment: F(moment) - dt.timedelta(minutes=minutes) for moment in moments})


def accept_another(platform: FakePlatform) -> Order:
    """Let the platform have an order by which it can prove that it finds what it has."""
    another = placing.place_mobile_order(
        placed_by=User.objects.get(username="clerk"), mobile="13700137000", face_value=50
    )
    submission.submit_order(order_id=another.pk)
    checking.check_order(order_id=another.pk)
    return another


def test_words_about_the_code_before_go_with_it(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 5, reason="充值超时")
    assert refreshed(accepted).reason == "充值超时"
    call_back(accepted, platform, 2)
    assert refreshed(accepted).reason == ""


def test_why_it_failed_stands_beside_the_refund(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 3, reason="运营商返回充值失败")
    call_back(accepted, platform, 4)
    assert (refreshed(accepted).status, accepted.reason) == (4, "运营商返回充值失败")


def test_callback_is_applied_at_once_but_confirmed_only_by_the_answer(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 2, credited_amount=Decimal("50.00"))
    refreshed(accepted)
    assert (accepted.status, accepted.confirmed_at, accepted.settled_at) == (2, None, None)
    assert accepted.credited_amount == 50
    platform.books[accepted.order_no].status = 2
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    assert accepted.confirmed_at
    assert accepted.settled_at
    assert accepted.next_check_at is None


def test_news_of_progress_leaves_the_query_to_the_outcome(accepted: Order, platform: FakePlatform) -> None:
    planned = accepted.next_check_at
    for status in (6, 7, 1):
        call_back(accepted, platform, status)
        assert refreshed(accepted).next_check_at == planned
    call_back(accepted, platform, 2)
    refreshed(accepted)
    assert planned
    assert accepted.next_check_at
    assert accepted.next_check_at < planned


def test_lie_of_success_is_never_confirmed(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 2)
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    assert (accepted.status, accepted.confirmed_at, accepted.settled_at) == (2, None, None)
    platform.books[accepted.order_no].status = 3
    minutes_pass(5)
    checking.check_order(order_id=accepted.pk)
    assert refreshed(accepted).marked_as == [MarkKind.CONFLICT]


def test_lie_of_a_refund_does_not_allow_a_replacement(
    accepted: Order, platform: FakePlatform, clerk_user: User
) -> None:
    call_back(accepted, platform, 4)
    with pytest.raises(NotReplaceable):
        placing.place_mobile_order(
            placed_by=clerk_user, mobile="13800138000", face_value=50, replaces=refreshed(accepted)
        )
    assert Order.objects.count() == 1


def test_confirmed_refund_allows_one_replacement(accepted: Order, platform: FakePlatform, clerk_user: User) -> None:
    platform.books[accepted.order_no].status = 4
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    again = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50, replaces=accepted)
    assert again.replaces == accepted
    with pytest.raises(NotReplaceable):
        placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50, replaces=accepted)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_no": "someone-elses"},
        {"gateway_order_no": "W77"},
        {"mobile": "13900139000"},
        {"face_value": Decimal("200")},
    ],
)
@pytest.mark.parametrize("first_hand", [True, False])
def test_report_about_something_else_is_a_conflict(
    accepted: Order, platform: FakePlatform, changes: dict[str, object], first_hand: bool
) -> None:
    report = dataclasses.replace(platform.report(accepted.order_no, 2), **changes)  # type: ignore[arg-type]
    if first_hand:
        verdict = actions.answer(accepted, report)
    else:
        verdict = reports.receive_callback(order_no=accepted.order_no, report=report)
    assert verdict == Verdict.MISMATCH
    refreshed(accepted)
    assert (accepted.status, accepted.marked_as, accepted.gateway_order_no) == (None, [MarkKind.CONFLICT], "W1")
    assert accepted.next_check_at


def test_unknown_code_is_kept_and_shown_but_changes_nothing(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 1)
    call_back(accepted, platform, 99)
    refreshed(accepted)
    assert (accepted.status, accepted.marked_as) == (1, [MarkKind.UNKNOWN_CODE])
    assert accepted.events.filter(reported_status=99, verdict=Verdict.UNKNOWN_CODE).exists()


@pytest.mark.parametrize(("status", "attention"), [(11, MarkKind.PARTLY_ARRIVED), (10, MarkKind.REVERSED)])
def test_outcomes_that_books_cannot_settle_call_for_a_person(
    accepted: Order, platform: FakePlatform, status: int, attention: MarkKind
) -> None:
    call_back(accepted, platform, 2 if status == 10 else 1)
    call_back(accepted, platform, status)
    assert refreshed(accepted).marked_as == [attention]


def test_reversal_reopens_a_settled_order(accepted: Order, platform: FakePlatform) -> None:
    platform.books[accepted.order_no].status = 2
    checking.check_order(order_id=accepted.pk)
    assert refreshed(accepted).settled_at
    call_back(accepted, platform, 10)
    refreshed(accepted)
    assert (accepted.status, accepted.settled_at, accepted.confirmed_at) == (10, None, None)
    assert accepted.next_check_at


def test_callback_for_a_queued_order_keeps_it_from_being_pushed(order: Order, platform: FakePlatform) -> None:
    platform._book(order.order_no, order.mobile, 50)
    assert call_back(order, platform, 1) == Verdict.CONFLICT
    submission.submit_order(order_id=order.pk)
    refreshed(order)
    assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.UNEXPECTED])
    assert platform.books[order.order_no].pushes == 1
    checking.check_order(order_id=order.pk)
    assert refreshed(order).submission == Submission.ACCEPTED


def test_dead_order_comes_back_to_life_only_by_the_platforms_own_answer(order: Order, platform: FakePlatform) -> None:
    platform.behaviour = "reject"
    submission.submit_order(order_id=order.pk)
    platform._book(order.order_no, order.mobile, 50)
    call_back(order, platform, 1)
    refreshed(order)
    assert (order.submission, order.marked_as) == (Submission.REJECTED, [MarkKind.UNEXPECTED])
    checking.check_order(order_id=order.pk)
    refreshed(order)
    assert (order.submission, order.status, order.settled_at) == (Submission.ACCEPTED, 1, None)


def test_order_of_which_a_part_arrived_is_not_dead_when_the_rest_is_refunded(
    accepted: Order, platform: FakePlatform
) -> None:
    call_back(accepted, platform, 11, credited_amount=Decimal("25.00"))
    platform.books[accepted.order_no].status = 4
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    assert (accepted.status, bool(accepted.confirmed_at)) == (4, True)
    assert (accepted.marked_as, accepted.is_provably_unspent) == ([MarkKind.PARTLY_ARRIVED], False)
    acknowledge(accepted, accepted.placed_by)
    assert not refreshed(accepted).is_provably_unspent
    assert not Order.objects.filter(PROVABLY_UNSPENT).exists()
    with pytest.raises(DuplicateOrder):
        placing.place_mobile_order(placed_by=accepted.placed_by, mobile=accepted.mobile, face_value=50)


def test_contradiction_of_a_settled_order_is_asked_about_until_a_person_has_seen_it(
    accepted: Order, platform: FakePlatform
) -> None:
    platform.books[accepted.order_no].status = 2
    checking.check_order(order_id=accepted.pk)
    assert refreshed(accepted).settled_at
    assert call_back(accepted, platform, 4) == Verdict.CONFLICT
    for behaviour in ("unclear", "answer"):
        platform.query_behaviour = behaviour
        minutes_pass(60)
        checking.check_order(order_id=accepted.pk)
        assert refreshed(accepted).next_check_at, behaviour
    acknowledge(accepted, accepted.placed_by)
    minutes_pass(60 * 24)
    checking.check_due_orders()
    assert refreshed(accepted).next_check_at is None


@pytest.mark.parametrize("behaviour", ["lost", "killed_before"])
def test_order_that_never_arrived_is_proven_by_three_spaced_answers(
    order: Order, platform: FakePlatform, behaviour: str
) -> None:
    accept_another(platform)
    platform.behaviour = behaviour
    try:
        submission.submit_order(order_id=order.pk)
    except BaseException:
        minutes_pass(60)
        sweeping.sweep()
    for minutes in (2, 2, 2, 11, 11):  # the first three lie too close together to count thrice
        minutes_pass(minutes)
        checking.check_order(order_id=order.pk)
        assert refreshed(order).submission == Submission.UNKNOWN
    assert known(order.next_check_at) < timezone.now() + checking.MISSING_DELAY, (
        "the next answer may be the last that it takes"
    )
    minutes_pass(11)
    checking.check_order(order_id=order.pk)
    refreshed(order)
    assert order.submission == Submission.NOT_RECEIVED
    assert order.settled_at


@pytest.mark.parametrize("has_another", [True, False])
def test_platform_that_finds_nothing_by_our_number_proves_nothing(
    order: Order, platform: FakePlatform, has_another: bool
) -> None:
    """The document has no such query: orders that arrived, but were not answered, would all seem to be lost."""
    if has_another:
        accept_another(platform)
    platform.finds_by_our_number = False
    platform.behaviour = "hang"
    submission.submit_order(order_id=order.pk)
    for _ in range(20):
        minutes_pass(61)
        checking.check_order(order_id=order.pk)
        assert refreshed(order).submission == Submission.UNKNOWN
        assert order.next_check_at
    assert order.missing_answers > checking.MISSING_ANSWERS
    assert known(order.next_check_at) > timezone.now() + checking.MISSING_DELAY
    platform.finds_by_our_number = True
    minutes_pass(61)
    checking.check_order(order_id=order.pk)
    assert refreshed(order).submission == Submission.ACCEPTED


def test_unclear_answers_never_make_an_order_fail(order: Order, platform: FakePlatform) -> None:
    platform.behaviour = "hang"
    submission.submit_order(order_id=order.pk)
    for _ in range(20):
        minutes_pass(60)
        platform.query_behaviour = "unclear"
        checking.check_order(order_id=order.pk)
        assert refreshed(order).submission == Submission.UNKNOWN
        assert order.next_check_at
    minutes_pass(60)
    checking.check_order(order_id=order.pk)
    assert refreshed(order).submission == Submission.ACCEPTED


def test_platform_that_forgets_an_accepted_order_is_a_conflict(accepted: Order, platform: FakePlatform) -> None:
    platform.books.clear()
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    assert (accepted.submission, accepted.marked_as) == (Submission.ACCEPTED, [MarkKind.CONFLICT])


def test_order_is_asked_about_once_a_minute_at_most(accepted: Order, platform: FakePlatform, clerk_user: User) -> None:
    for _ in range(3):
        interventions.ask_now(order_id=accepted.pk, actor=clerk_user)
        checking.check_order(order_id=accepted.pk)
    assert accepted.events.filter(kind="QUERIED").count() == 1
    assert refreshed(accepted).next_check_at
    minutes_pass(2)
    checking.check_order(order_id=accepted.pk)
    assert accepted.events.filter(kind="QUERIED").count() == 2


def test_unfinished_for_a_week_calls_for_a_person_and_can_be_dealt_with(
    accepted: Order, platform: FakePlatform, clerk_user: User
) -> None:
    minutes_pass(8 * 24 * 60)
    checking.check_order(order_id=accepted.pk)
    refreshed(accepted)
    assert (accepted.marked_as, accepted.next_check_at) == ([MarkKind.OVERDUE], None)
    acknowledge(accepted, clerk_user, note="phoned them")
    refreshed(accepted)
    assert accepted.marked_as == []
    assert accepted.next_check_at


def test_raw_evidence_is_kept_even_if_it_is_hostile(accepted: Order, platform: FakePlatform) -> None:
    call_back(accepted, platform, 1, raw="a\x00b\ud800" + "x" * 100_000, reason="\x00" * 500)
    event = accepted.events.last()
    assert event
    assert event.raw.startswith("a")
    assert len(event.raw) == 16 * 1024


@pytest.mark.parametrize("behaviour", ["reject", "withdrawn"])
def test_dead_order_that_shows_life_can_neither_be_replaced_nor_repeated(
    order: Order, platform: FakePlatform, clerk_user: User, behaviour: str
) -> None:
    if behaviour == "withdrawn":
        interventions.withdraw(order_id=order.pk, actor=clerk_user)
    else:
        platform.behaviour = behaviour
        submission.submit_order(order_id=order.pk)
    platform._book(order.order_no, order.mobile, 50)
    call_back(order, platform, 2)
    platform.query_behaviour = "unclear"
    checking.check_order(order_id=order.pk)
    refreshed(order)
    assert (order.marked_as, order.is_provably_unspent) == ([MarkKind.UNEXPECTED], False)
    assert order.next_check_at, "it is asked about until that is clear"
    with pytest.raises(NotReplaceable):
        placing.place_mobile_order(placed_by=clerk_user, mobile=order.mobile, face_value=50, replaces=order)
    with pytest.raises(DuplicateOrder):
        placing.place_mobile_order(placed_by=clerk_user, mobile=order.mobile, face_value=50)
    assert Order.objects.count() == 1


def test_order_that_once_showed_life_is_never_declared_not_received(order: Order, platform: FakePlatform) -> None:
    platform.behaviour = "hang"
    submission.submit_order(order_id=order.pk)
    call_back(order, platform, 1, gateway_order_no="", face_value=Decimal("49.50"))
    platform.books.clear()
    for _ in range(6):
        minutes_pass(15)
        checking.check_order(order_id=order.pk)
    refreshed(order)
    assert order.submission == Submission.UNKNOWN
    assert order.open_marks
    assert order.next_check_at


def test_mismatching_callback_keeps_a_queued_order_from_being_pushed(order: Order, platform: FakePlatform) -> None:
    platform._book(order.order_no, order.mobile, 50)
    call_back(order, platform, 1, face_value=Decimal("49.50"))
    submission.submit_order(order_id=order.pk)
    assert refreshed(order).submission == Submission.UNKNOWN
    assert platform.books[order.order_no].pushes == 1


def test_replacement_has_the_same_target_and_no_living_twin(
    order: Order, platform: FakePlatform, clerk_user: User
) -> None:
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    for changes in ({"mobile": "13900139000"}, {"face_value": 100}):
        asked: dict[str, Any] = {"mobile": order.mobile, "face_value": 50, **changes}
        with pytest.raises(NotReplaceable):
            placing.place_mobile_order(placed_by=clerk_user, replaces=order, **asked)
    placing.place_mobile_order(placed_by=clerk_user, mobile=order.mobile, face_value=50)
    with pytest.raises(DuplicateOrder):
        placing.place_mobile_order(placed_by=clerk_user, mobile=order.mobile, face_value=50, replaces=order)


def test_callback_never_changes_confirmed_amounts(accepted: Order, platform: FakePlatform) -> None:
    platform.books[accepted.order_no].status = 2
    checking.check_order(order_id=accepted.pk)
    call_back(accepted, platform, 2, cost_price=Decimal("0.01"))
    assert refreshed(accepted).cost_price == 49
