"""Marks are a set: none erases another, and only what answers a mark closes it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from portal.gateway import OrderReport, PushReceipt, Rejected
from recharge.choices import SIGNS_OF_LIFE, EventKind, MarkKind, Submission, Verdict
from recharge.core.errors import NotReplaceable, TooLate
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import CONFIRMED_FAILED, PROVABLY_UNSPENT, Mark, Order
from recharge.orders.services import interventions, placing
from recharge.status import Status
from tests.actions import acknowledge, answer, mark, query_of
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def accepted(platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def platform_says(order: Order, platform: FakePlatform, *statuses: int) -> None:
    """In answers to queries, one after the other."""
    for status in statuses:
        answer(order, platform.report(order.order_no, status))
    order.refresh_from_db()


def callbacks_say(order: Order, platform: FakePlatform, *statuses: int) -> None:
    for status in statuses:
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, status))
    order.refresh_from_db()


def offers_to_place_again(order: Order) -> bool:
    client = Client()
    client.force_login(person("clerk"))
    return f"?replaces={order.order_no}" in client.get(f"/orders/{order.order_no}/").content.decode()


def refuses_to_replace(order: Order) -> bool:
    try:
        placing.place_mobile_order(
            placed_by=order.placed_by, mobile=order.mobile, face_value=order.face_value, replaces=order
        )
    except NotReplaceable:
        return True
    return False


def test_unknown_code_does_not_erase_a_contradiction(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 4)
    assert offers_to_place_again(accepted)
    callbacks_say(accepted, platform, 2)
    assert not offers_to_place_again(accepted)
    callbacks_say(accepted, platform, 99)
    assert accepted.marked_as == [MarkKind.CONFLICT, MarkKind.UNKNOWN_CODE]
    assert not offers_to_place_again(accepted)
    assert refuses_to_replace(accepted)


def test_unknown_code_about_a_refunded_order_leaves_a_doubt(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 4)
    callbacks_say(accepted, platform, 99)
    assert not offers_to_place_again(accepted)
    acknowledge(accepted, person("clerk"))
    assert not offers_to_place_again(accepted)


def test_unknown_code_on_the_way_to_a_refund_leaves_none(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 99, 3, 4)
    assert accepted.marked_as == [MarkKind.UNKNOWN_CODE]
    assert offers_to_place_again(accepted)


@pytest.mark.parametrize("statuses", [(11, 99, 4), (11, 4), (11, 2, 10, 4)])
@pytest.mark.parametrize("by", [platform_says, callbacks_say])
def test_what_arrived_in_part_is_never_placed_again(
    accepted: Order, platform: FakePlatform, by: object, statuses: tuple[int, ...]
) -> None:
    by(accepted, platform, *statuses)  # type: ignore[operator]
    platform_says(accepted, platform, 4)
    assert accepted.status == Status.REFUNDED
    assert MarkKind.PARTLY_ARRIVED in accepted.marked_as
    acknowledge(accepted, person("clerk"))
    accepted.refresh_from_db()
    assert (accepted.marked_as, accepted.part_arrived) == ([], True)
    assert not offers_to_place_again(accepted)
    assert refuses_to_replace(accepted)


def test_part_told_by_an_amount_alone_counts_as_well(accepted: Order, platform: FakePlatform) -> None:
    report = platform.report(accepted.order_no, 1)
    partly = OrderReport(**{**_fields(report), "credited_amount": Decimal("20")})
    reports.receive_callback(order_no=accepted.order_no, report=partly)
    nothing = OrderReport(**{**_fields(report), "status": 4, "credited_amount": Decimal("0")})
    answer(accepted, nothing)
    accepted.refresh_from_db()
    assert (accepted.status, accepted.credited_amount) == (4, Decimal(0))
    assert refuses_to_replace(accepted)


def test_part_that_was_told_of_an_order_taken_back_is_remembered(platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    partly = OrderReport(order.order_no, "W9", 11, "", "", None, None, None, None, "", "{}")
    assert reports.receive_callback(order_no=order.order_no, report=partly) == Verdict.CONFLICT
    answer(order, replace(partly, status=4))
    order.refresh_from_db()
    assert (order.submission, order.status, order.part_arrived) == (Submission.ACCEPTED, 4, True)
    assert not offers_to_place_again(order)
    assert refuses_to_replace(order)


def test_part_that_an_overtaken_answer_told_is_remembered(accepted: Order, platform: FakePlatform) -> None:
    query = query_of(accepted)
    callbacks_say(accepted, platform, 3)
    verdict = reports.apply_answer(query=query, report=platform.report(accepted.order_no, 11))
    platform_says(accepted, platform, 3, 4)
    assert (verdict, accepted.status, accepted.part_arrived) == (Verdict.OVERTAKEN, 4, True)
    assert refuses_to_replace(accepted)


def test_part_of_another_order_is_none_of_this_one(accepted: Order, platform: FakePlatform) -> None:
    other = replace(platform.report(accepted.order_no, 11), order_no="another")
    assert answer(accepted, other) == Verdict.MISMATCH
    accepted.refresh_from_db()
    assert not accepted.part_arrived


def _fields(report: OrderReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in OrderReport.__dataclass_fields__}


def test_reversal_does_not_erase_a_contradiction(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 2)
    callbacks_say(accepted, platform, 3, 10)
    platform_says(accepted, platform, 4)
    assert accepted.marked_as == [MarkKind.CONFLICT, MarkKind.REVERSED]
    assert not offers_to_place_again(accepted)


def test_a_mark_says_since_when_and_which_event_raised_it(accepted: Order, platform: FakePlatform) -> None:
    callbacks_say(accepted, platform, 99)
    found = accepted.marks.get()
    assert found.event == accepted.events.last()
    assert (found.kind, found.closed_at, known(found.event).reported_status) == (MarkKind.UNKNOWN_CODE, None, 99)
    callbacks_say(accepted, platform, 98)
    assert accepted.marks.count() == 1, "the event that raised it first stands"


def test_a_closed_mark_says_by_whom_when_and_why(accepted: Order, platform: FakePlatform) -> None:
    callbacks_say(accepted, platform, 99)
    acknowledge(accepted, person("clerk"), "the vendor says it means nothing")
    closed = accepted.marks.get()
    assert closed.closed_at
    assert (closed.closed_by, closed.closing_event) == (person("clerk"), accepted.events.last())
    assert "the vendor says it means nothing" in closed.note
    callbacks_say(accepted, platform, 97)
    assert [one.closed_at is None for one in accepted.marks.all()] == [False, True], "the same may come again"


def test_one_of_several_marks_is_dealt_with_alone(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 2)
    callbacks_say(accepted, platform, 3, 99)
    client = Client()
    client.force_login(person("clerk"))
    address = f"/orders/{accepted.order_no}/acknowledge/"
    seen = known(accepted.events.last()).pk
    page = client.get(address).content.decode()
    assert 'data-mark="CONFLICT"' in page
    assert 'data-mark="UNKNOWN_CODE"' in page
    nothing_chosen = client.post(address, {"seen": seen, "note": "核对"})
    assert "invalid-feedback" in nothing_chosen.content.decode()
    accepted.refresh_from_db()
    assert len(accepted.marked_as) == 2
    client.post(address, {"seen": seen, "note": "核对", "marks": ["UNKNOWN_CODE"]})
    accepted.refresh_from_db()
    assert accepted.marked_as == [MarkKind.CONFLICT]
    shown = client.get(f"/orders/{accepted.order_no}/").content.decode()
    assert 'data-mark="CONFLICT"' in shown
    assert 'data-mark="UNKNOWN_CODE"' not in shown


def test_nothing_open_can_not_be_dealt_with(accepted: Order) -> None:
    with pytest.raises(TooLate):
        acknowledge(accepted, person("clerk"))


@pytest.mark.parametrize("kind", SIGNS_OF_LIFE)
def test_a_persons_word_makes_nothing_replaceable(kind: MarkKind, platform: FakePlatform) -> None:
    platform.behaviour = "reject"
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.is_provably_unspent
    mark(order, kind)
    acknowledge(order, person("clerk"))
    order.refresh_from_db()
    assert (order.marked_as, order.submission) == ([], Submission.REJECTED)
    assert not offers_to_place_again(order)
    assert refuses_to_replace(order)
    assert "不能直接重新下单" in _page(order)


def _page(order: Order) -> str:
    client = Client()
    client.force_login(person("clerk"))
    return client.get(f"/orders/{order.order_no}/").content.decode()


# --- evidence that was overtaken ------------------------------------------------------------------------------------
def test_an_answer_under_way_when_a_callback_came_decides_nothing(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 2)
    query = query_of(accepted)
    callbacks_say(accepted, platform, 10)
    verdict = reports.apply_answer(query=query, report=platform.report(accepted.order_no, 2))
    accepted.refresh_from_db()
    assert verdict == Verdict.OVERTAKEN
    assert (accepted.status, accepted.marked_as) == (Status.REVERSED, [MarkKind.REVERSED])
    kept = known(accepted.events.last())
    assert (kept.verdict, kept.reported_status, kept.began_at) == (Verdict.OVERTAKEN, 2, query.began_at)
    assert accepted.next_check_at, "the platform is asked again"
    platform_says(accepted, platform, 10)
    assert accepted.confirmed_at


def test_an_overtaken_denial_is_no_contradiction(accepted: Order, platform: FakePlatform) -> None:
    query = query_of(accepted)
    callbacks_say(accepted, platform, 6)
    checking._record_missing(query, Rejected("1004", "订单不存在", "{}"), None)
    accepted.refresh_from_db()
    assert (accepted.marked_as, accepted.missing_answers) == ([], 0)
    assert known(accepted.events.last()).verdict == Verdict.OVERTAKEN


@pytest.mark.parametrize("told", [99, 2, None])
def test_an_answer_under_way_settles_nothing_that_was_told_since(
    accepted: Order, platform: FakePlatform, told: int | None
) -> None:
    callbacks_say(accepted, platform, 2, 10, 4)
    query = query_of(accepted)
    if told is None:
        reports.keep_unreadable_callback(order_no=accepted.order_no, raw="<success")
    else:
        callbacks_say(accepted, platform, told)
    verdict = reports.apply_answer(query=query, report=platform.report(accepted.order_no, 4))
    accepted.refresh_from_db()
    assert (verdict, accepted.confirmed_at) == (Verdict.OVERTAKEN, None)
    assert accepted.next_check_at, "the platform is asked again"
    assert refuses_to_replace(accepted)
    platform_says(accepted, platform, 4)
    assert accepted.is_provably_unspent


def test_the_query_itself_says_when_it_began(accepted: Order, platform: FakePlatform) -> None:
    def overtake(order_no: str) -> None:
        platform.books[order_no].status = 2
        callbacks_say(accepted, platform, 2)

    platform.during_query = overtake
    checking.check_order(order_id=accepted.pk)
    accepted.refresh_from_db()
    assert known(accepted.events.last()).verdict == Verdict.OVERTAKEN
    assert (accepted.status, accepted.confirmed_at) == (2, None)


def test_late_news_closes_its_contradiction_when_the_next_answer_confirms(
    accepted: Order, platform: FakePlatform
) -> None:
    platform_says(accepted, platform, 2)
    callbacks_say(accepted, platform, 10)
    callbacks_say(accepted, platform, 2)  # sent once more, as the document has it
    assert MarkKind.CONFLICT in accepted.marked_as
    platform_says(accepted, platform, 10)
    assert accepted.marked_as == [MarkKind.REVERSED]
    closed = accepted.marks.get(kind=MarkKind.CONFLICT)
    assert (closed.closed_by, known(closed.closing_event).kind) == (None, EventKind.MARK_CLOSED)
    assert "平台自相矛盾" in _page(accepted) or str(MarkKind.CONFLICT.label) in _page(accepted)


@pytest.mark.parametrize("contradiction", [2, 1])
def test_what_the_order_never_was_stays_for_a_person(
    accepted: Order, platform: FakePlatform, contradiction: int
) -> None:
    platform_says(accepted, platform, 4)
    callbacks_say(accepted, platform, contradiction)
    platform_says(accepted, platform, 4)
    assert accepted.marked_as == [MarkKind.CONFLICT]
    assert not offers_to_place_again(accepted)


def test_a_second_contradiction_keeps_the_mark_open(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 2)
    callbacks_say(accepted, platform, 10, 2, 9)
    platform_says(accepted, platform, 10)
    assert MarkKind.CONFLICT in accepted.marked_as


def test_what_is_finished_is_no_longer_overdue(accepted: Order, platform: FakePlatform) -> None:
    mark(accepted, MarkKind.OVERDUE)
    platform_says(accepted, platform, 2)
    assert accepted.marked_as == []
    assert accepted.marks.get().closed_by is None


# --- receipts -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "stated", [{"face_value": Decimal(100)}, {"mobile": "13900139000"}, {"order_no": "26112799999999999999"}]
)
def test_a_receipt_for_something_else_is_a_contradiction_at_once(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, stated: dict[str, object]
) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    real = platform.push_mobile_order

    def push(**arguments: Any) -> PushReceipt:
        receipt = real(**arguments)
        fields = {name: getattr(receipt, name) for name in PushReceipt.__dataclass_fields__}
        return PushReceipt(**{**fields, **stated})

    monkeypatch.setattr(platform, "push_mobile_order", push)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.submission, order.marked_as) == (Submission.ACCEPTED, [MarkKind.CONFLICT])
    assert known(order.events.last()).verdict == Verdict.MISMATCH


# --- two forms of one rule ------------------------------------------------------------------------------------------
SOME = [
    *((None, None), (0, True), (1, False), (2, True), (3, False), (3, True)),
    *((4, False), (4, True), (10, True), (11, True)),
]


def test_both_forms_of_provably_unspent_and_of_cases_agree_over_all_states(clerk_user: User) -> None:
    """Rows that the constraints forbid are compared in memory alone; all others in both directions."""
    expected, desk, number = set(), set(), 0
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for state in Submission:
        for status, confirmed in SOME if state == Submission.ACCEPTED else [(None, None)]:
            for doubts in (0, 1, 2):
                for part in (False, True):
                    for credited in (None, Decimal(0), Decimal(20)):
                        number += 1
                        order = Order(
                            order_no=str(number), product="MOBILE", mobile="13800138000", face_value=50,
                            placed_by=clerk_user, submission=state, status=status,
                            confirmed_at=at if confirmed else None, doubts=doubts, part_arrived=part,
                            credited_amount=credited, next_check_at=at,
                            gateway_order_no=f"W{number}" if state == Submission.ACCEPTED else None,
                            next_push_at=at if state == Submission.QUEUED else None,
                            lease_until=at if state == Submission.SUBMITTING else None,
                            failure_confirmed_at=at if confirmed else None, missing_answers=3,
                        )  # fmt: skip
                        over = state in ("REJECTED", "NOT_RECEIVED", "WITHDRAWN") or (status in (2, 4) and confirmed)
                        order.settled_at = at if over else None
                        order.save(force_insert=True)
                        if order.is_provably_unspent:
                            expected.add(order.pk)
                        if order.needs_a_person:
                            desk.add(order.pk)
    unspent = Order.objects.filter(PROVABLY_UNSPENT).values_list("pk", flat=True)
    spent = Order.objects.exclude(PROVABLY_UNSPENT).values_list("pk", flat=True)
    assert set(unspent) == expected
    assert set(Order.objects.cases().values_list("pk", flat=True)) == desk
    assert set(spent) == set(Order.objects.values_list("pk", flat=True)) - expected
    failed = Order.objects.filter(CONFIRMED_FAILED).values_list("pk", flat=True)
    others = Order.objects.exclude(CONFIRMED_FAILED).values_list("pk", flat=True)
    assert set(failed) == {order.pk for order in Order.objects.all() if order.is_confirmed_failed} != set()
    assert set(failed) | set(others) == set(Order.objects.values_list("pk", flat=True))
    assert len(expected) == 3 * 2 + 2, "three dead states and a confirmed refund, nothing or 0 arrived, no doubt"


def test_bits_and_rows_of_marks_name_the_same(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 2)
    callbacks_say(accepted, platform, 3, 99, 10)
    assert set(Mark.objects.open().values_list("kind", flat=True)) == set(accepted.marked_as)


@pytest.mark.parametrize("lie", [Status.SUCCEEDED, 99])
def test_an_answer_after_a_person_dealt_with_it_ends_the_doubt(
    accepted: Order, platform: FakePlatform, lie: int
) -> None:
    platform_says(accepted, platform, 4)
    callbacks_say(accepted, platform, lie)
    acknowledge(accepted, person("clerk"))
    accepted.refresh_from_db()
    assert accepted.doubts
    assert accepted.next_check_at, "an order that is over is asked about once more"
    assert not offers_to_place_again(accepted)
    platform_says(accepted, platform, 4)
    assert accepted.doubts == 0
    assert accepted.next_check_at is None
    assert offers_to_place_again(accepted)
    closed = accepted.events.filter(kind=EventKind.MARK_CLOSED)
    assert [event.actor for event in closed] == [None]


def test_an_answer_that_was_under_way_when_a_person_dealt_with_it_ends_nothing(
    accepted: Order, platform: FakePlatform
) -> None:
    platform_says(accepted, platform, 4)
    callbacks_say(accepted, platform, 2)
    under_way = query_of(accepted)
    acknowledge(accepted, person("clerk"))
    verdict = reports.apply_answer(query=under_way, report=platform.report(accepted.order_no, 4))
    accepted.refresh_from_db()
    assert verdict == Verdict.OVERTAKEN
    assert accepted.doubts


def test_an_answer_ends_no_doubt_that_nobody_has_looked_into(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 4)
    callbacks_say(accepted, platform, 2)
    platform_says(accepted, platform, 4, 4)
    assert accepted.marked_as == [MarkKind.CONFLICT]
    assert accepted.doubts


def test_an_answer_that_tells_of_life_ends_no_doubt(accepted: Order, platform: FakePlatform) -> None:
    platform_says(accepted, platform, 3)
    callbacks_say(accepted, platform, 2)
    acknowledge(accepted, person("clerk"))
    platform_says(accepted, platform, 1)
    assert accepted.marked_as == [MarkKind.CONFLICT]
    acknowledge(accepted, person("clerk"))
    accepted.refresh_from_db()
    assert accepted.doubts
