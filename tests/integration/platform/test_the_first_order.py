"""What only an order shows: the page says what should come back of it, and what did."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.gateway import OrderReport
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.services import placing
from recharge.platform.choices import Witness
from recharge.platform.services.first_order import first_order
from recharge.status import Status
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def pushed(number: int = 0) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1390013900{number}", face_value=50)
    submission.submit_order(order_id=order.pk)
    return order


def call_back(fake: FakePlatform, order: Order) -> None:
    there = fake.books[order.order_no].gateway_order_no
    report = OrderReport(order.order_no, there, Status.SUCCEEDED, "", "", None, None, None, None, "", "{}")
    reports.receive_callback(order_no=order.order_no, report=report)


def confirm(fake: FakePlatform, order: Order) -> None:
    fake.books[order.order_no].status = Status.SUCCEEDED
    checking.check_order(order_id=order.pk)


def spoken() -> dict[Witness, bool]:
    return {one.witness: one.spoke_at is not None for one in first_order().testimonies}


def page() -> str:
    client = Client()
    client.force_login(person("administrator"))
    return client.get("/platform/").content.decode()


def test_the_three_witnesses_of_the_first_order(platform: FakePlatform) -> None:
    assert "data-first-order" not in page(), "what spends nothing is looked at first"
    order = pushed()
    assert spoken() == {Witness.ANSWER: True, Witness.CALLBACK: False, Witness.QUERY: False}
    query = first_order().testimonies[2]
    assert query.expected_at
    assert 0 < query.seconds_left <= 30
    assert 'data-witness="callback" data-spoke="no"' in page()
    assert 'hx-trigger="every 3s"' in page()
    call_back(platform, order)
    assert spoken()[Witness.CALLBACK]
    confirm(platform, order)
    assert first_order().is_complete
    assert "三项都已收到" in page()
    assert 'hx-trigger="every 3s"' not in page()


def test_an_answer_is_waited_for_until_the_limit_of_an_exchange(platform: FakePlatform, settings: LazySettings) -> None:
    order = pushed()
    order.refresh_from_db()
    expected = first_order().testimonies[0].expected_at
    assert expected == known(order.submitted_at) + dt.timedelta(seconds=settings.WIKEYUN_TIMEOUT)


def test_a_callback_that_did_not_come(platform: FakePlatform) -> None:
    order = pushed()
    confirm(platform, order)
    assert not first_order().is_complete
    assert "没有收到" in page()


@pytest.mark.parametrize("behaviour", ["lost", "not_sent"])
def test_who_gave_no_answer_has_not_spoken(platform: FakePlatform, behaviour: str) -> None:
    platform.behaviour, platform.query_behaviour = behaviour, "unclear"
    order = pushed()
    checking.check_order(order_id=order.pk)
    assert spoken() in ({}, dict.fromkeys(Witness, False))


def test_no_guide_once_orders_are_usual(platform: FakePlatform) -> None:
    for number in range(2):
        confirm(platform, pushed(number))
    assert not first_order().is_shown
    assert "data-first-order" not in page()


def test_as_many_statements_however_many_orders_there_are(platform: FakePlatform) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            first_order()
        return len(asked)

    pushed(0)
    before = statements()
    for number in range(1, 4):
        pushed(number)
    assert statements() == before
