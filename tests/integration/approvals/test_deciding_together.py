"""An approver decides about many orders at once: the sum is shown, and each is decided by itself."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from recharge.choices import EventKind, Submission
from recharge.core import queue
from recharge.fulfilment.services import submission
from recharge.models import Declaration, Order
from recharge.orders.filters import MAX_ORDERS
from recharge.orders.services import interventions, placing
from tests import actions
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform", "sent")]
PASSWORD = "a-long-enough-password"
DECIDE = "/approvals/orders/decide/"


@pytest.fixture(autouse=True)
def approval_above(settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100


def placed(mobile: str, by: str = "clerk") -> Order:
    return placing.place_mobile_order(placed_by=person(by), mobile=mobile, face_value=200)


@pytest.fixture
def orders() -> list[Order]:
    return [placed(f"1380013800{number}") for number in range(3)]


@pytest.fixture
def approver(client: Client) -> Client:
    return signed_in(client, "approver")


def signed_in(client: Client, name: str) -> Client:
    user = person(name)
    user.set_password(PASSWORD)
    user.save()
    client.post("/accounts/login/", {"username": name, "password": PASSWORD})
    return client


def send(client: Client, orders: list[Order], **more: object) -> str:
    response = client.post(DECIDE, {"order_no": [order.order_no for order in orders], **more})
    assert response.status_code == 200
    return str(response.content.decode())


def states(orders: list[Order]) -> list[str]:
    return [Order.objects.get(pk=order.pk).submission for order in orders]


AWAITING, QUEUED, WITHDRAWN = Submission.AWAITING_APPROVAL, Submission.QUEUED, Submission.WITHDRAWN


def test_the_queue_offers_a_box_for_each_but_ones_own(client: Client, orders: list[Order]) -> None:
    own = placed("13900139000", by="administrator")
    client.force_login(person("administrator"))
    page = client.get("/approvals/").content.decode()
    boxes = re.findall(r'type="checkbox" form="bulk" name="order_no" value="(\d+)"', page)
    assert sorted(boxes) == sorted(order.order_no for order in orders)
    assert own.order_no not in re.findall(
        r'name="found" value="(\d+)"', client.get("/approvals/?choose=all").content.decode()
    )


def test_the_first_page_shows_the_sum_and_decides_nothing(approver: Client, orders: list[Order]) -> None:
    page = send(approver, orders, decision="approve")
    assert "¥ 600" in page
    assert page.count('name="order_no"') == 3
    assert 'name="money_seen" value="600"' in page
    assert "checked" not in page, "nobody approves by pressing Enter"
    assert states(orders) == [AWAITING] * 3


def test_each_is_approved_by_itself_and_told(
    approver: Client, orders: list[Order], sent: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    interventions.withdraw(order_id=orders[1].pk, actor=person("clerk"))
    with django_capture_on_commit_callbacks(execute=True):
        page = send(approver, orders, money_seen=600, decision="approve", reason="已核对")
    assert states(orders) == [QUEUED, WITHDRAWN, QUEUED]
    assert (page.count('data-done="yes"'), page.count('data-done="no"')) == (2, 1)
    events = [order.events.get(kind=EventKind.APPROVED) for order in (orders[0], orders[2])]
    assert {(event.actor, event.note) for event in events} == {(person("approver"), "已核对")}
    assert sorted(sent) == [(queue.SUBMIT, orders[0].pk), (queue.SUBMIT, orders[2].pk)]
    assert send(approver, orders, money_seen=600, decision="approve").count('data-done="no"') == 3


def test_they_are_rejected_only_with_a_reason(approver: Client, orders: list[Order]) -> None:
    assert "invalid-feedback" in send(approver, orders, money_seen=600, decision="reject")
    assert states(orders) == [AWAITING] * 3
    send(approver, orders, money_seen=600, decision="reject", reason="金额不对")
    assert states(orders) == [WITHDRAWN] * 3


@pytest.mark.parametrize("more", [{}, {"money_seen": 400}, {"money_seen": ""}, {"money_seen": "x"}])
def test_nothing_is_decided_by_another_sum_than_the_one_shown(
    approver: Client, orders: list[Order], more: dict[str, object]
) -> None:
    send(approver, orders, decision="approve", **more)
    assert states(orders) == [AWAITING] * 3


def test_what_does_not_fit_into_the_day_is_refused_and_the_rest_goes_out(
    approver: Client, orders: list[Order], settings: LazySettings
) -> None:
    settings.DAILY_LIMIT = 400
    page = send(approver, orders, money_seen=600, decision="approve")
    assert sorted(states(orders)) == sorted([QUEUED, QUEUED, AWAITING])
    assert "今日总限额 ¥ 400" in page


def test_ones_own_is_left_out_and_never_decided(client: Client, orders: list[Order]) -> None:
    own = placed("13900139000", by="administrator")
    signed_in(client, "administrator")
    page = send(client, [*orders, own])
    assert f'data-left-out="{own.order_no}"' in page
    assert "¥ 600" in page
    page = send(client, [*orders, own], money_seen=800, decision="approve")
    assert states([*orders, own]) == [QUEUED, QUEUED, QUEUED, AWAITING]
    assert page.count('data-done="no"') == 1


def test_a_replacement_before_the_refund_is_read_alone(
    approver: Client, orders: list[Order], platform: FakePlatform, settings: LazySettings
) -> None:
    settings.APPROVAL_ABOVE = 0
    failed = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    submission.submit_order(order_id=failed.pk)
    platform.books[failed.order_no].status = 3
    actions.answer(failed, platform.report(failed.order_no))
    failed.refresh_from_db()
    again = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50, replaces=failed)
    assert again.submission == AWAITING
    page = send(approver, [orders[0], again])
    assert f'data-left-out="{again.order_no}"' in page
    assert "看过依据再审批" in page
    page = send(approver, [orders[0], again], money_seen=200 + again.face_value, decision="approve")
    assert states([orders[0], again]) == [QUEUED, AWAITING]
    assert "看过依据再审批" in page


def test_the_password_is_asked_for_as_for_a_single_one(client: Client, orders: list[Order]) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC), tick=False) as clock:
        signed_in(client, "approver")
        clock.shift(600)
        assert 'name="password"' in send(client, orders)
        assert "请输入密码" in send(client, orders, money_seen=600, decision="approve")
        assert "密码不正确" in send(client, orders, money_seen=600, decision="approve", password="wrong")
        assert states(orders) == [AWAITING] * 3
        send(client, orders, money_seen=600, decision="approve", password=PASSWORD)
    assert states(orders) == [QUEUED] * 3


@pytest.mark.parametrize("name", ["clerk", "auditor", "outsider"])
def test_who_may_not_approve_decides_nothing(client: Client, orders: list[Order], name: str) -> None:
    signed_in(client, name)
    numbers = [order.order_no for order in orders]
    sent = {"order_no": numbers, "money_seen": 600, "decision": "approve"}
    assert client.post(DECIDE, sent).status_code == 403
    assert states(orders) == [AWAITING] * 3


def test_odd_requests_decide_nothing(approver: Client, orders: list[Order]) -> None:
    assert approver.get(DECIDE).status_code == 405
    assert approver.post(DECIDE, {"order_no": ["1"] * (MAX_ORDERS + 1)}).status_code == 400
    assert "data-done" not in send(approver, [], money_seen=0, decision="approve", order_no=["\x00", "no"])
    assert states(orders) == [AWAITING] * 3


def test_the_statements_do_not_grow_with_the_orders(
    approver: Client, platform: FakePlatform, django_assert_max_num_queries: Any
) -> None:
    few = [placed("13900139001")]
    many = [*few, *(placed(f"139001390{number}") for number in range(10, 22))]
    with django_assert_max_num_queries(30) as with_few:
        send(approver, few)
    with django_assert_max_num_queries(30) as with_many:
        send(approver, many)
    assert len(with_many) <= len(with_few)


def test_after_a_single_decision_one_is_back_at_the_queue(approver: Client, orders: list[Order]) -> None:
    for order, said in ((orders[0], {"decision": "approve"}), (orders[1], {"decision": "reject", "reason": "x"})):
        response = approver.post(f"/approvals/orders/{order.order_no}/", said, follow=True)
        assert response.redirect_chain == [("/approvals/", 302)]
        assert f"订单 {order.order_no} 已" in response.content.decode()


def test_the_menu_counts_declarations_that_await_somebody(client: Client, platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    Order.objects.filter(pk=order.pk).update(
        submission=Submission.UNKNOWN, next_push_at=None, next_check_at=dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    )
    Declaration.objects.create(order=order, words="从未收到", declared_by=person("clerk"))
    client.force_login(person("approver"))
    assert re.search(r">审批</span><span[^>]*>1</span>", client.get("/orders/").content.decode())
    Declaration.objects.update(
        decided_by=person("approver"), decided_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), agreed=False
    )
    assert not re.search(r">审批</span><span", client.get("/orders/").content.decode())
