"""What is handed out about an order: texts to copy, the evidence and the receipt to print."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from oilcards.models import OilCard
from recharge.choices import MarkKind
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.filters import MAX_ORDERS
from recharge.orders.services import interventions, placing
from recharge.orders.wording import can_have_receipt, for_customer, for_vendor
from tests.actions import mark
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
NUMBER = "13800138000"
WHOLE = re.compile(r"138 ?0013 ?8000")


def place(by: str = "clerk", mobile: str = NUMBER) -> Order:
    order = placing.place_mobile_order(placed_by=person(by), mobile=mobile, face_value=50, note=f"客户 {mobile}")
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def tell(order: Order, platform: FakePlatform, *statuses: int, confirmed: bool = True) -> Order:
    for status in statuses:
        platform.books[order.order_no].status = status
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))
    if confirmed:
        Order.objects.filter(pk=order.pk).update(asked_at=None)
        checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def colleague() -> User:
    """Somebody who may not see whole numbers, but of what he placed."""
    user, _ = User.objects.get_or_create(username="colleague")
    user.groups.add(Group.objects.get(name="Operators"))
    return user


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return place()


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(person("auditor"))
    return client


CUSTOMER = {
    (1,): "正在处理中",
    (2,): "已到账",
    (3,): "没有充值成功",
    (9,): "没有充值成功",
    (3, 4): "没有充值成功",
    (2, 10): "到账后又被运营商退回",
    (11,): "只到账了一部分",
}


@pytest.mark.parametrize("statuses", CUSTOMER)
def test_a_customer_is_told_what_is_true_in_chinese(
    order: Order, platform: FakePlatform, statuses: tuple[int, ...]
) -> None:
    with override("en"):
        text = for_customer(tell(order, platform, *statuses))
    assert CUSTOMER[statuses] in text
    assert re.search(r"您好，您 \d+月\d+日 \d\d:\d\d 为138\*{4}8000充值的 50 元，", text)
    assert not WHOLE.search(text)


@pytest.mark.parametrize("status", [2, 3, 4, 9, 11])
def test_hearsay_is_told_to_no_customer(order: Order, platform: FakePlatform, status: int) -> None:
    tell(order, platform, status, confirmed=False)
    assert "我们正在核实结果" in for_customer(order)
    assert "查询尚未核实" in for_vendor(order, person("clerk"))


def test_a_contradiction_is_told_as_one(order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 2)
    tell(order, platform, 3, confirmed=False)
    assert order.marked_as == [MarkKind.CONFLICT]
    assert "我们正在核实结果" in for_customer(order)
    assert "互相矛盾" in for_vendor(order, person("clerk"))
    assert not can_have_receipt(order)


def test_of_a_part_the_size_is_told(order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 11)
    order.credited_amount = Decimal("20.0000")
    assert "只到账了 20 元" in for_customer(order)


def test_who_asks_about_an_order_that_was_placed_again_hears_of_the_new_one(
    order: Order, platform: FakePlatform
) -> None:
    tell(order, platform, 3, 4)
    again = placing.place_mobile_order(placed_by=person("clerk"), mobile=NUMBER, face_value=50, replaces=order)
    submission.submit_order(order_id=again.pk)
    again.refresh_from_db()
    assert "为您重新充值，正在处理中" in for_customer(order, again)
    assert "为您重新充值，已到账" in for_customer(order, tell(again, platform, 2))


VENDOR = {
    (): "贵方受理后没有进一步状态",
    (1,): "请协助处理并告知结果",
    (2,): "如客户反映未到账，请提供充值凭证",
    (3,): "请尽快退款",
    (2, 10): "请尽快退款",
    (11,): "请补足或退还其余款项",
    (3, 4): "贵方已退款",
}


@pytest.mark.parametrize("statuses", VENDOR)
def test_the_vendor_is_asked_what_the_state_calls_for(
    order: Order, platform: FakePlatform, statuses: tuple[int, ...]
) -> None:
    if statuses:
        tell(order, platform, *statuses)
    text = for_vendor(order, person("clerk"))
    assert VENDOR[statuses] in text
    for part in (order.order_no, str(order.gateway_order_no), NUMBER, "50 元"):
        assert part in text
    assert NUMBER not in for_vendor(order, colleague())
    assert "138****8000" in for_vendor(order, colleague())


@pytest.mark.parametrize("behaviour", ["reject", "lost"])
def test_the_vendor_is_asked_about_what_he_did_not_take(platform: FakePlatform, behaviour: str) -> None:
    platform.behaviour = behaviour
    order = place()
    expected = "贵方已拒单：1001 余额不足" if behaviour == "reject" else "请核实贵方是否收到此单"
    assert expected in for_vendor(order, person("clerk"))
    assert "已到账" not in for_customer(order)


def test_the_vendor_can_know_nothing_of_what_was_not_sent(platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=NUMBER, face_value=50)
    assert for_vendor(order, person("clerk")) == ""
    order = interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    assert for_vendor(order, person("clerk")) == ""


# --- paper ------------------------------------------------------------------------------------------------------------


def test_evidence_is_whole_but_for_the_number(auditor: Client, order: Order, platform: FakePlatform) -> None:
    User.objects.filter(username="clerk").update(first_name="王小明")
    tell(order, platform, 3)
    page = auditor.get(f"/orders/{order.order_no}/evidence/").content.decode()
    assert page.count("<li") >= order.events.count()
    for part in (order.order_no, str(order.gateway_order_no), "王小明", "138****8000", "充值失败"):
        assert part in page
    assert not WHOLE.search(page), "masked, whoever looks"
    page = auditor.get(f"/orders/{order.order_no}/evidence/?whole=1").content.decode()
    assert WHOLE.search(page)


@pytest.mark.parametrize("paper", ["evidence", "receipt"])
def test_who_may_not_see_the_number_gets_it_nowhere(
    client: Client, order: Order, platform: FakePlatform, paper: str
) -> None:
    tell(order, platform, 2)
    client.force_login(colleague())
    page = client.get(f"/orders/{order.order_no}/{paper}/?whole=1").content.decode()
    assert "138****8000" in page
    assert not WHOLE.search(page)
    assert "?whole=1" not in page.split("<main")[1]


def test_evidence_of_many(
    auditor: Client, platform: FakePlatform, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    orders = [place(mobile=f"1380013801{end}") for end in range(6)]
    numbers = [order.order_no for order in orders]
    with django_assert_max_num_queries(14):
        page = auditor.post("/orders/evidence/", {"order_no": numbers}).content.decode()
    assert page.count("data-evidence=") == 6
    assert "1380013801" not in page
    page = auditor.post("/orders/evidence/", {"order_no": numbers, "whole": 1}).content.decode()
    assert page.count("138 0013 801") == 6
    assert auditor.post("/orders/evidence/", {"order_no": ["1"] * (MAX_ORDERS + 1)}).status_code == 400
    assert auditor.post("/orders/evidence/", {"order_no": ["\x00"]}).status_code == 302
    assert auditor.get("/orders/evidence/").status_code in (404, 405)


def test_a_receipt_is_for_what_certainly_arrived(auditor: Client, order: Order, platform: FakePlatform) -> None:
    address = f"/orders/{order.order_no}/receipt/"
    tell(order, platform, 2, confirmed=False)
    assert "data-receipt" not in auditor.get(address).content.decode(), "a callback alone is hearsay"
    assert address not in auditor.get(f"/orders/{order.order_no}/").content.decode()
    tell(order, platform, 2)
    assert address in auditor.get(f"/orders/{order.order_no}/").content.decode()
    page = auditor.get(address).content.decode()
    assert "data-receipt" in page
    assert "138****8000" in page
    assert not WHOLE.search(page)
    mark(order, MarkKind.CONFLICT)
    assert "data-receipt" not in auditor.get(address).content.decode()


def test_of_a_card_nothing_but_its_last_digits(auditor: Client, card: OilCard, platform: FakePlatform) -> None:
    order = placing.place_oil_order(placed_by=person("clerk"), oil_card=card, face_value=500)
    submission.submit_order(order_id=order.pk)
    order = tell(order, platform, 2)
    for address in ("evidence/?whole=1", "receipt/?whole=1", ""):
        page = auditor.get(f"/orders/{order.order_no}/{address}").content.decode()
        assert card.last_four in page
        for secret in (card.card_number, card.holder_name, card.holder_phone, card.national_id):
            assert secret not in page
    assert f"尾号 {card.last_four} 的油卡" in for_customer(order)
