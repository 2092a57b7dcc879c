"""An order that only a person can find: its number stands in the console, and the platform's answer alone counts."""

import pytest
from django.test import Client

from portal.gateway import GatewayError, Rejected
from recharge.choices import EventKind, Submission
from recharge.core.errors import InvalidOrder, TooLate
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.services import interventions, placing
from recharge.orders.wording import for_customer
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def place(platform: FakePlatform, mobile: str, behaviour: str) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile, face_value=50)
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    platform.behaviour = "accept"
    order.refresh_from_db()
    return order


@pytest.fixture
def lost(platform: FakePlatform) -> Order:
    """The platform has it, but its answer was lost, and it finds no order by our number."""
    platform.finds_by_our_number = False
    order = place(platform, "13800138000", "hang")
    assert order.submission == Submission.UNKNOWN
    return order


def enter(order: Order, number: str) -> Order:
    return interventions.look_up_by_number(order_id=order.pk, platform_number=number, actor=person("clerk"))


def test_the_number_of_the_console_finds_it(lost: Order, platform: FakePlatform) -> None:
    number = platform.books[lost.order_no].gateway_order_no
    found = enter(lost, f" {number} ")
    assert (found.submission, found.gateway_order_no) == (Submission.ACCEPTED, number)
    assert found.events.filter(kind=EventKind.ASKED_BY_HAND, note=number, actor__username="clerk").exists()
    assert platform.books[lost.order_no].pushes == 1


def test_another_orders_number_changes_nothing(lost: Order, platform: FakePlatform) -> None:
    """Neither one that we have, nor one of which only the platform knows."""
    other = place(platform, "13900139000", "accept")
    with pytest.raises(InvalidOrder, match=other.order_no):
        enter(lost, other.gateway_order_no or "")
    hanging = place(platform, "13700137000", "hang")
    with pytest.raises(InvalidOrder):
        enter(lost, platform.books[hanging.order_no].gateway_order_no)
    lost.refresh_from_db()
    assert (lost.submission, lost.gateway_order_no, lost.marked_as) == (Submission.UNKNOWN, None, [])


def test_a_number_that_the_platform_does_not_know_proves_nothing(lost: Order) -> None:
    before = lost.missing_answers
    with pytest.raises(Rejected):
        enter(lost, "W999999")
    lost.refresh_from_db()
    assert (lost.submission, lost.missing_answers) == (Submission.UNKNOWN, before)


@pytest.mark.parametrize("number", ["", "W1; DROP", "号码", "x" * 65, "W 1"])
def test_what_is_no_number_is_refused(lost: Order, number: str) -> None:
    with pytest.raises(InvalidOrder):
        enter(lost, number)


def test_what_is_known_or_was_never_sent_is_not_looked_up(platform: FakePlatform) -> None:
    accepted = place(platform, "13800138000", "accept")
    waiting = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    for order in (accepted, waiting):
        with pytest.raises(TooLate):
            enter(order, "W5")


def test_an_answer_that_is_unclear_changes_nothing(lost: Order, platform: FakePlatform) -> None:
    platform.query_behaviour = "unclear"
    with pytest.raises(GatewayError):
        enter(lost, platform.books[lost.order_no].gateway_order_no)
    lost.refresh_from_db()
    assert lost.submission == Submission.UNKNOWN
    assert lost.next_check_at


def test_in_the_browser(client: Client, lost: Order, platform: FakePlatform) -> None:
    client.force_login(person("clerk"))
    address = f"/orders/{lost.order_no}/enter-number/"
    assert address in client.get(f"/orders/{lost.order_no}/").content.decode()
    wrong = client.post(address, {"platform_number": "W 1"})
    assert (wrong.status_code, "invalid-feedback" in wrong.content.decode()) == (200, True)
    number = platform.books[lost.order_no].gateway_order_no
    assert client.post(address, {"platform_number": number}).status_code == 302
    lost.refresh_from_db()
    assert lost.submission == Submission.ACCEPTED
    assert address not in client.get(f"/orders/{lost.order_no}/").content.decode()


def test_a_customer_is_told_no_more_than_is_confirmed(platform: FakePlatform) -> None:
    order = place(platform, "13800138000", "accept")
    platform.books[order.order_no].status = 2
    reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))
    order.refresh_from_db()
    assert "已到账" not in for_customer(order), "a callback alone is hearsay"
    Order.objects.update(asked_at=None)
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert "已到账" in for_customer(order)
    assert "8000" in for_customer(order)
    assert "13800138000" not in for_customer(order)
