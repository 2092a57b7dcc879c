"""Oil card recharges share everything with top-ups; what differs is tested here."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from oilcards.choices import CardAction, State
from oilcards.models import OilCard
from portal.kit.append_only import open_to_change
from recharge.approvals import services as approving
from recharge.choices import EventKind, MarkKind, Speed, Submission
from recharge.core.errors import DuplicateOrder, InvalidOrder, LimitReached, NotReplaceable
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order, OrderEvent
from recharge.orders.services import placing
from tests.actions import acknowledge
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.oil_cards import active_card

pytestmark = pytest.mark.usefixtures("sent")


@pytest.fixture
def card(clerk_user: User) -> OilCard:
    return active_card(clerk_user)


def pass_time(*, minutes: float) -> None:
    delta = dt.timedelta(minutes=minutes)
    Order.objects.update(**{moment: F(moment) - delta for moment in ("submitted_at", "next_check_at", "asked_at")})
    with open_to_change(connection, OrderEvent):
        OrderEvent.objects.update(at=F("at") - delta)


def ask_after(order: Order, *, minutes: float) -> None:
    pass_time(minutes=minutes)
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()


def settle_that_there_is_no_query(order: Order) -> None:
    submission.submit_order(order_id=order.pk)
    for _ in range(4):
        ask_after(order, minutes=11)


@pytest.fixture
def order(clerk_user: User, card: OilCard, platform: FakePlatform) -> Order:
    return placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)


def test_recharge_goes_to_the_platforms_card_and_comes_back(order: Order, platform: FakePlatform) -> None:
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert platform.books[order.order_no].target == "77"
    assert (order.submission, order.speed) == (Submission.ACCEPTED, Speed.SLOW)
    platform.books[order.order_no].status = 2
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.settled_at
    assert order.confirmed_at


def test_recharge_above_the_limit_waits_for_a_second_person(
    clerk_user: User, card: OilCard, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.APPROVAL_ABOVE, settings.DAILY_LIMIT = 499, 999
    orders = [
        placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500, duplicate_reason=reason)
        for reason in ("", "两次")
    ]
    submission.submit_order(order_id=orders[0].pk)
    assert {order.submission for order in orders} == {Submission.AWAITING_APPROVAL}
    assert not platform.books
    approver = User.objects.create_user("approver")
    approving.approve_order(order_id=orders[0].pk, actor=approver)
    with pytest.raises(LimitReached):
        approving.approve_order(order_id=orders[1].pk, actor=approver)
    submission.submit_order(order_id=orders[0].pk)
    assert set(platform.books) == {orders[0].order_no}
    orders[1].refresh_from_db()
    assert orders[1].submission == Submission.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("field", "changes"),
    [("face_value", {"face_value": 50}), ("speed", {"speed": Speed.FAST})],
)
def test_value_that_no_card_may_get_is_refused(
    clerk_user: User, card: OilCard, platform: FakePlatform, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        placing.place_oil_order(**{"placed_by": clerk_user, "oil_card": card, "face_value": 500, **changes})
    assert refusal.value.field == field
    assert not Order.objects.exists()


def test_only_active_cards_can_be_recharged(clerk_user: User, card: OilCard, platform: FakePlatform) -> None:
    OilCard.objects.update(state=State.UNKNOWN, action=CardAction.CHANGE)
    with pytest.raises(InvalidOrder):
        placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    assert not Order.objects.exists()


def test_card_that_is_in_doubt_keeps_its_orders_queued(order: Order, card: OilCard, platform: FakePlatform) -> None:
    OilCard.objects.update(state=State.CHANGE_FAILED)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED
    assert order.next_push_at
    assert order.claims == 0
    OilCard.objects.update(state=State.ACTIVE)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.ACCEPTED


def test_same_card_again_within_a_day_needs_a_reason(order: Order, card: OilCard, clerk_user: User) -> None:
    with pytest.raises(DuplicateOrder):
        placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    other = active_card(clerk_user, number="1000111100007654321", platform_card_id="78")
    placing.place_oil_order(placed_by=clerk_user, oil_card=other, face_value=500)


@pytest.mark.parametrize("change", [{"mobile": "13800138000"}, {"oil_card": None}, {"product": "MOBILE"}])
def test_database_refuses_two_targets_or_none(order: Order, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="order_one_target"), transaction.atomic():
        Order.objects.update(**change)


def test_report_about_another_card_is_a_conflict(order: Order, platform: FakePlatform) -> None:
    submission.submit_order(order_id=order.pk)
    platform.books[order.order_no].target = "78"
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.marked_as) == (None, [MarkKind.CONFLICT])


class TestPlatformWithoutAQueryForOilOrders:
    @pytest.fixture(autouse=True)
    def no_query(self, platform: FakePlatform) -> None:
        platform.has_oil_query = False

    def test_one_answer_or_several_at_once_prove_nothing(self, order: Order) -> None:
        submission.submit_order(order_id=order.pk)
        for minutes in (0, 2, 2, 2):
            pass_time(minutes=minutes)
            checking.check_order(order_id=order.pk)
        order.refresh_from_db()
        assert order.events.filter(kind=EventKind.QUERIED).count() == 4
        assert not order.one_witness
        assert order.next_check_at

    def test_answers_in_quick_succession_count_once(self, order: Order) -> None:
        submission.submit_order(order_id=order.pk)
        for minutes in (1, 2, 35):
            ask_after(order, minutes=minutes)
        assert not order.one_witness

    def test_answers_before_one_that_shows_the_query_do_not_count(self, order: Order, platform: FakePlatform) -> None:
        submission.submit_order(order_id=order.pk)
        for has_query in (False, False, True, False, False):
            platform.has_oil_query = has_query
            ask_after(order, minutes=20)
        assert not order.one_witness

    def test_silence_in_between_proves_nothing_either_way(self, order: Order, platform: FakePlatform) -> None:
        submission.submit_order(order_id=order.pk)
        for silent in (False, True, False, True, False):
            platform.has_oil_query = silent
            platform.query_behaviour = "unclear"
            ask_after(order, minutes=20)
        assert order.one_witness

    def test_order_lives_on_callbacks_alone(self, order: Order, platform: FakePlatform, clerk_user: User) -> None:
        settle_that_there_is_no_query(order)
        assert order.one_witness
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 4))
        order.refresh_from_db()
        assert order.settled_at
        assert order.confirmed_at is None
        with pytest.raises(NotReplaceable):
            placing.place_oil_order(
                placed_by=clerk_user, oil_card=known(order.oil_card), face_value=500, replaces=order
            )

    def test_it_is_asked_about_once_a_day_until_the_week_is_over(self, order: Order, platform: FakePlatform) -> None:
        settle_that_there_is_no_query(order)
        days = 0
        while order.next_check_at and days < 20:
            wait = order.next_check_at - timezone.now()
            assert dt.timedelta(0) < wait <= dt.timedelta(days=1)
            ask_after(order, minutes=wait.total_seconds() / 60 + 1)
            days += 1
        assert order.marked_as == [MarkKind.OVERDUE]
        assert 7 <= days <= 8

    def test_query_that_exists_after_all_confirms(self, order: Order, platform: FakePlatform) -> None:
        settle_that_there_is_no_query(order)
        platform.books[order.order_no].status = 2
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))
        platform.has_oil_query = True
        ask_after(order, minutes=2)
        assert not order.one_witness
        assert order.settled_at
        assert order.confirmed_at

    @pytest.mark.parametrize("status", [1, 3])
    def test_platforms_own_answer_reopens_what_hearsay_has_settled(
        self, order: Order, platform: FakePlatform, status: int
    ) -> None:
        settle_that_there_is_no_query(order)
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 2))
        platform.has_oil_query = True
        platform.books[order.order_no].status = status
        ask_after(order, minutes=2)
        assert order.status == 2
        assert order.settled_at is None
        assert order.next_check_at

    def test_unfinished_order_gets_attention_after_a_week(self, order: Order, platform: FakePlatform) -> None:
        platform.behaviour = "hang"
        submission.submit_order(order_id=order.pk)
        checking.check_order(order_id=order.pk)
        ask_after(order, minutes=8 * 24 * 60)
        assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.OVERDUE])
        assert order.next_check_at is None

    def test_what_callbacks_alone_tell_goes_to_the_desk_after_a_while(
        self, order: Order, platform: FakePlatform, clerk_user: User
    ) -> None:
        settle_that_there_is_no_query(order)
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 2))
        order.refresh_from_db()
        assert (bool(order.settled_at), order.marked_as) == (True, [])
        assert order.next_check_at == known(order.status_at) + dt.timedelta(hours=24), "it is asked once more then"
        Order.objects.update(status_at=F("status_at") - dt.timedelta(hours=24))
        ask_after(order, minutes=24 * 60)
        assert order.marked_as == [MarkKind.ONE_WITNESS]
        assert not order.next_check_at
        acknowledge(order, clerk_user)
        ask_after(order, minutes=24 * 60)
        assert order.marked_as == [], "once is enough"

    def test_the_platforms_own_answer_after_all_clears_it(self, order: Order, platform: FakePlatform) -> None:
        settle_that_there_is_no_query(order)
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 2))
        Order.objects.update(status_at=F("status_at") - dt.timedelta(hours=24))
        ask_after(order, minutes=24 * 60)
        platform.has_oil_query, platform.books[order.order_no].status = True, 2
        ask_after(order, minutes=2)
        assert (order.marked_as, bool(order.confirmed_at)) == ([], True)

    def test_nobody_is_called_where_that_is_switched_off(
        self, order: Order, platform: FakePlatform, settings: LazySettings
    ) -> None:
        settings.ONE_WITNESS_AFTER = dt.timedelta()
        settle_that_there_is_no_query(order)
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 2))
        order.refresh_from_db()
        assert order.next_check_at is None
