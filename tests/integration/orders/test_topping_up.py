"""A clerk fills in the form for a top-up, wrongly, twice, and in place of a dead order."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from recharge.fulfilment.services import submission
from recharge.models import Order
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
FIELDS = {"mobile": "13800138000", "face_value": "50"}


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def send(client: Client, **fields: object) -> Page:
    return client.post("/orders/new/", {**FIELDS, **fields})


def text_of(response: Page) -> str:
    return response.content.decode()


def value_of(name: str, response: Page) -> str:
    field = re.search(rf'<input[^>]*name="{name}"[^>]*>', text_of(response))
    assert field
    value = re.search(r'value="([^"]*)"', field[0])
    return value[1] if value else ""


def dead_order(platform: FakePlatform, placed_by: str = "clerk", **fields: Any) -> Order:
    platform.behaviour = "reject"
    order = placing.place_mobile_order(
        placed_by=person(placed_by), **{"mobile": "13900139000", "face_value": 100, **fields}
    )
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.is_provably_unspent
    return order


def test_same_form_sent_twice_makes_one_order(clerk: Client, platform: FakePlatform) -> None:
    nonce = value_of("nonce", clerk.get("/orders/new/"))
    first, second = send(clerk, nonce=nonce), send(clerk, nonce=nonce)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_used_form_with_other_contents_is_told_so_and_can_go_on(clerk: Client, platform: FakePlatform) -> None:
    nonce = str(uuid.uuid4())
    send(clerk, nonce=nonce)
    response = send(clerk, nonce=nonce, mobile="139 0013 9000")
    assert Order.objects.get().order_no in text_of(response)
    assert value_of("mobile", response) == "139 0013 9000"
    fresh = value_of("nonce", response)
    assert fresh != nonce
    assert send(clerk, nonce=fresh, mobile="139 0013 9000").status_code == 302
    assert Order.objects.count() == 2


def test_requests_without_a_nonce_make_one_order_each(clerk: Client, platform: FakePlatform) -> None:
    for number in ("13800138000", "13900139000"):
        assert send(clerk, mobile=number).status_code == 302
    assert Order.objects.count() == 2


def test_repetition_shows_the_earlier_order_and_wants_a_reason(clerk: Client, platform: FakePlatform) -> None:
    send(clerk)
    earlier = Order.objects.get()
    response = send(clerk, speed="0", channel="7")
    assert f'href="/orders/{earlier.order_no}/"' in text_of(response)
    assert "排队中" in text_of(response)
    assert value_of("channel", response) == "7"
    assert re.search(r'name="speed"[^>]*value="0"[^>]*checked', text_of(response))
    assert send(clerk, duplicate_reason="   ").status_code == 200
    assert Order.objects.count() == 1
    assert send(clerk, duplicate_reason="客户要两次").status_code == 302
    assert Order.objects.latest("id").duplicate_reason == "客户要两次"


def test_a_reason_counts_for_the_order_that_was_shown_alone(clerk: Client, platform: FakePlatform) -> None:
    send(clerk)
    shown = send(clerk)
    fields = {"duplicate_reason": "客户要两次", **{name: value_of(name, shown) for name in ("nonce", "duplicate_of")}}
    colleague = placing.place_mobile_order(
        placed_by=person("administrator"), mobile="13800138000", face_value=50, duplicate_reason="又一次"
    )
    shown = send(clerk, **fields)
    assert colleague.order_no in text_of(shown), "which nobody had placed yet when the reason was given"
    assert value_of("duplicate_reason", shown) == "客户要两次"
    fields["duplicate_of"] = value_of("duplicate_of", shown)

    placing.place_mobile_order(placed_by=person("administrator"), mobile="13900139000", face_value=50)
    assert "139 0013 9000" not in text_of(shown)
    assert send(clerk, **fields, mobile="13900139000").status_code == 200, "another number, another reason"
    assert Order.objects.count() == 3
    assert send(clerk, **fields).status_code == 302
    assert Order.objects.count() == 4


def test_script_may_name_choices_by_words(clerk: Client, platform: FakePlatform) -> None:
    send(clerk, speed="SLOW", switch_channel="false")
    order = Order.objects.get()
    assert (order.speed, order.switch_channel) == (0, False)


def test_what_is_left_out_is_the_default(clerk: Client, platform: FakePlatform) -> None:
    send(clerk)
    order = Order.objects.get()
    assert (order.speed, order.switch_channel, order.channel) == (1, None, None)


def test_without_credentials_the_form_says_so(clerk: Client) -> None:
    response = send(clerk)
    assert "密钥" in text_of(response) or "凭证" in text_of(response) or "凭据" in text_of(response)
    assert value_of("mobile", response) == "13800138000"
    assert not Order.objects.exists()


def test_dead_order_is_placed_again_once(clerk: Client, platform: FakePlatform) -> None:
    dead = dead_order(platform)
    page = clerk.get(f"/orders/{dead.order_no}/")
    assert f"/orders/new/?replaces={dead.order_no}" in text_of(page)
    form = clerk.get("/orders/new/", {"replaces": dead.order_no})
    assert (value_of("mobile", form), value_of("replaces", form)) == ("139 0013 9000", dead.order_no)
    fields = {"mobile": "13900139000", "face_value": "100", "replaces": dead.order_no}
    assert send(clerk, **fields).status_code == 302
    assert Order.objects.latest("id").replaces == dead
    assert f"?replaces={dead.order_no}" not in text_of(clerk.get(f"/orders/{dead.order_no}/"))
    assert send(clerk, **fields).status_code == 200
    assert Order.objects.count() == 2


def test_order_named_in_the_address_counts_as_replaced(clerk: Client, platform: FakePlatform) -> None:
    dead = dead_order(platform)
    response = clerk.post(f"/orders/new/?replaces={dead.order_no}", {"mobile": "13900139000", "face_value": "100"})
    assert response.status_code == 302
    assert Order.objects.latest("id").replaces == dead


def test_living_order_is_not_replaced(clerk: Client, platform: FakePlatform) -> None:
    send(clerk)
    response = send(clerk, replaces=Order.objects.get().order_no)
    assert response.status_code == 200
    assert Order.objects.count() == 1


@pytest.mark.parametrize("order_no", ["", "1", "\x00", "x" * 3000])
def test_replacing_an_unknown_order_is_our_own_404(clerk: Client, order_no: str) -> None:
    assert clerk.get("/orders/new/", {"replaces": order_no}).status_code == 404


def test_form_of_a_replacement_tells_no_number_to_who_may_not_see_it(clerk: Client, platform: FakePlatform) -> None:
    dead = dead_order(platform, placed_by="administrator")
    assert value_of("mobile", clerk.get("/orders/new/", {"replaces": dead.order_no})) == ""


HINTS: Mapping[str, tuple[str, ...]] = {
    "+86 138-0013-8000": ("138 0013 8000", "中国移动", "北京"),
    "170 1234 5678": ("虚拟运营商",),
    "146 1234 5678": ("物联网", "数据"),
}


@pytest.mark.parametrize("typed", HINTS)
def test_carrier_appears_while_the_number_is_typed(clerk: Client, typed: str) -> None:
    text = text_of(clerk.post("/orders/new/hint/", {"mobile": typed}))
    assert any(word in text for word in HINTS[typed])


@pytest.mark.parametrize("typed", ["", "138", "138 0013 80", "abc", "\x00", "1" * 500])
def test_half_a_number_is_no_mistake_yet(clerk: Client, typed: str) -> None:
    response = clerk.post("/orders/new/hint/", {"mobile": typed})
    assert response.status_code == 200
    assert "text-danger" not in text_of(response)
