"""What silence alone never proves: it takes spaced answers, a control, and no sign of life."""

import dataclasses
import datetime as dt

import pytest
from django.db.models import F

from portal.gateway import OrderReport, Rejected
from recharge.choices import MarkKind, Submission
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.services import placing
from tests.actions import query_of
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MOMENTS = ("next_check_at", "asked_at", "first_missing_at", "last_missing_at", "submitted_at")


@pytest.fixture
def control(platform: FakePlatform) -> Order:
    """An order that the platform finds by our number, so that it proves something not to find another."""
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13700137000", face_value=50)
    submission.submit_order(order_id=order.pk)
    checking.check_order(order_id=order.pk)
    return order


@pytest.fixture
def lost(control: Order, platform: FakePlatform) -> Order:
    """Its answer was lost before the platform took it."""
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    platform.behaviour = "lost"
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.UNKNOWN
    return order


def ask(order: Order, times: int, *, every: int) -> Order:
    for _ in range(times):
        Order.objects.update(**{moment: F(moment) - dt.timedelta(minutes=every) for moment in MOMENTS})
        checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def test_spaced_answers_and_a_control_prove_it(lost: Order) -> None:
    assert ask(lost, 3, every=16).submission == Submission.NOT_RECEIVED


def test_an_order_of_which_the_platform_spoke_never_becomes_never_received(
    lost: Order, platform: FakePlatform, control: Order
) -> None:
    """With the control at hand, and all answers: only the sign of life stands between it and being placed again."""
    about_another = dataclasses.replace(platform.report(control.order_no), order_no=lost.order_no, mobile="")
    reports.receive_callback(order_no=lost.order_no, report=about_another)
    ask(lost, 4, every=16)
    assert lost.submission == Submission.UNKNOWN
    assert lost.missing_answers >= checking.MISSING_ANSWERS
    assert MarkKind.UNEXPECTED in lost.marked_as or MarkKind.NUMBER_TAKEN in lost.marked_as
    assert not lost.is_provably_unspent


def test_a_control_that_the_platform_knows_under_another_number_controls_nothing(
    lost: Order, platform: FakePlatform, control: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = platform.query_mobile_order

    def another(*, order_no: str | None = None, gateway_order_no: str | None = None) -> OrderReport:
        report = real(order_no=order_no, gateway_order_no=gateway_order_no)
        return dataclasses.replace(report, gateway_order_no="W999") if order_no == control.order_no else report

    monkeypatch.setattr(platform, "query_mobile_order", another)
    assert checking._control(lost) is None
    assert ask(lost, 4, every=16).submission == Submission.UNKNOWN


def test_answers_a_minute_apart_count_once(lost: Order) -> None:
    ask(lost, 6, every=1)
    assert lost.missing_answers == 2, "of six minutes, the first answer and the one after five"
    assert ask(lost, 2, every=16).submission == Submission.NOT_RECEIVED


def test_three_answers_within_a_quarter_of_an_hour_are_not_half_an_hour(lost: Order) -> None:
    assert ask(lost, 3, every=7).submission == Submission.UNKNOWN
    assert lost.missing_answers == 3


def test_two_answers_are_not_three(lost: Order) -> None:
    assert ask(lost, 2, every=40).submission == Submission.UNKNOWN


def test_a_denial_that_was_overtaken_counts_for_nothing(lost: Order, platform: FakePlatform) -> None:
    ask(lost, 2, every=16)
    query = query_of(lost)
    platform._book(lost.order_no, lost.mobile, lost.face_value)
    reports.receive_callback(order_no=lost.order_no, report=platform.report(lost.order_no, 1))
    Order.objects.update(**{moment: F(moment) - dt.timedelta(minutes=16) for moment in MOMENTS})
    checking._record_missing(
        query, Rejected("1004", "订单不存在", "{}"), control=Order.objects.exclude(pk=lost.pk).get()
    )
    lost.refresh_from_db()
    assert (lost.submission, lost.marked_as) == (Submission.ACCEPTED, [])
