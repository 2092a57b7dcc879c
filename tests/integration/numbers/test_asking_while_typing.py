"""The platform is asked about a number that is typed: within a second, said beside the field, never in the way."""

import time
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from portal import platform as platform_settings
from portal.gateway import GatewayError, MobileInfo, NotSent, OutcomeUnknown, Rejected
from recharge.choices import EventKind
from recharge.core.errors import DoubtfulNumber
from recharge.fulfilment.services import submission
from recharge.limits.services import number_asking
from recharge.models import NumberInfo, NumberOffer, Order, Outage, Pace
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform
from tests.people import person
from tests.unit.gateway.servers import answering, answering_then_silent, http, serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
NUMBER = "13875345019"
TYPED = {"mobile": "138 7534 5019", "face_value": "50", "speed": "1"}
PORTED = MobileInfo("移动", "联通", "湖南", "益阳", "{}")


@pytest.fixture(autouse=True)
def _on(settings: LazySettings) -> None:
    settings.NUMBER_INFO = settings.NUMBER_VERIFY = True


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def said(client: Client, **fields: str) -> str:
    return client.post("/orders/new/answer/", {**TYPED, **fields}).content.decode()


def place(client: Client, **fields: str) -> str:
    page = client.post("/orders/new/", {**TYPED, **fields})
    return "" if page.status_code == 302 else page.content.decode()


def test_the_hint_comes_at_once_and_asks_for_the_answer(clerk: Client, platform: FakePlatform) -> None:
    page = clerk.post("/orders/new/hint/", {"mobile": TYPED["mobile"]}).content.decode()
    assert "/orders/new/answer/" in page
    assert "正在询问平台" in page
    assert platform.asked == []


def test_nobody_is_asked_where_it_is_off(clerk: Client, platform: FakePlatform, settings: LazySettings) -> None:
    settings.NUMBER_INFO = settings.NUMBER_VERIFY = False
    assert "/orders/new/answer/" not in clerk.post("/orders/new/hint/", {"mobile": TYPED["mobile"]}).content.decode()
    assert said(clerk).strip() == ""
    place(clerk)
    assert platform.asked == []
    assert Order.objects.count() == 1


def test_what_the_platform_knows_is_said_and_kept(clerk: Client, platform: FakePlatform) -> None:
    platform.infos[NUMBER] = MobileInfo("移动", "移动", "湖南", "益阳", "{}")
    page = said(clerk)
    assert "中国移动 湖南 益阳" in page
    assert "可以这样充值" in page
    assert sorted(platform.asked) == [("info", NUMBER), ("verify", NUMBER)]
    assert said(clerk) == page
    assert len(platform.asked) == 2
    assert said(clerk, face_value="100") == page
    assert len(platform.asked) == 3  # another value is another question, the number is not


def test_no_value_no_question_about_the_value(clerk: Client, platform: FakePlatform) -> None:
    assert "可以这样充值" not in said(clerk, face_value="")
    assert platform.asked == [("info", NUMBER)]


@pytest.mark.parametrize("typed", ["", "138", "abc", "1" * 60, "27912345678"])
def test_half_a_number_is_asked_about_nowhere(clerk: Client, platform: FakePlatform, typed: str) -> None:
    assert said(clerk, mobile=typed).strip() == ""
    assert platform.asked == []


def test_a_ported_number_needs_a_confirmation_and_no_more(
    clerk: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.NUMBER_VERIFY = False
    platform.infos[NUMBER] = PORTED
    assert "原为中国移动，现为中国联通" in said(clerk)
    page = place(clerk)
    assert "原为中国移动，现为中国联通" in page
    assert 'value="ported"' in page
    assert not Order.objects.exists()
    assert "原为中国移动" in place(clerk, number_confirmed="unable")
    assert place(clerk, number_confirmed="ported") == ""
    order = Order.objects.get()
    assert order.ported
    assert order.carrier == "UNICOM"
    assert "原为中国移动" in order.events.get(kind=EventKind.PLACED).note


def test_what_cannot_be_topped_up_so_needs_a_confirmation(clerk: Client, platform: FakePlatform) -> None:
    platform.offers[NUMBER] = Rejected("2010", "携号转网号码不支持充值")
    assert "平台表示不能这样充值：携号转网号码不支持充值" in said(clerk)
    assert "携号转网号码不支持充值" in place(clerk)
    assert not Order.objects.exists()
    assert place(clerk, number_confirmed="unable") == ""


def test_a_ported_number_that_may_be_topped_up_raises_no_doubt(clerk: Client, platform: FakePlatform) -> None:
    platform.infos[NUMBER] = PORTED
    page = said(clerk)
    assert "可以这样充值" in page
    assert "该号码已携号转网" in page
    assert place(clerk) == ""
    assert Order.objects.get().ported


@pytest.mark.parametrize(
    "failure",
    [
        NotSent("refused"),
        OutcomeUnknown("timeout"),
        Rejected("1002", "接口不存在"),
        Rejected("1005", "签名错误"),
        Rejected("9999", "系统繁忙，请稍后重试"),
        Rejected("2006", "余额不足"),
        Rejected("", ""),
        Rejected("500", "<html>"),
    ],
)
def test_an_answer_without_meaning_is_none_and_keeps_nothing_back(
    clerk: Client, platform: FakePlatform, failure: GatewayError
) -> None:
    platform.infos[NUMBER] = platform.offers[NUMBER] = failure
    assert "未及时给出可用的答复" in said(clerk)
    assert not NumberInfo.objects.exists()
    assert not NumberOffer.objects.exists()
    assert place(clerk) == ""


def test_both_doubts_are_confirmed_together(clerk_user: User, platform: FakePlatform) -> None:
    platform.offers["14712345678"] = Rejected("2009", "该号码不支持充值")
    number_asking.ask_at_once("14712345678", 50, 1)
    with pytest.raises(DoubtfulNumber) as doubtful:
        placing.place_mobile_order(placed_by=clerk_user, mobile="14712345678", face_value=50, number_confirmed="147")
    assert doubtful.value.key == "147 unable"
    placing.place_mobile_order(
        placed_by=clerk_user, mobile="14712345678", face_value=50, number_confirmed=doubtful.value.key
    )


def test_handing_an_order_over_asks_nothing_of_it(clerk_user: User, platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile=NUMBER, face_value=50)
    submission.submit_order(order_id=order.pk)
    assert platform.asked == []


def test_in_an_outage_nobody_is_asked(clerk: Client, platform: FakePlatform) -> None:
    moment = Pace(pk=1)
    moment.save()
    moment.refresh_from_db()
    Outage.objects.create(
        because="refused", after_event=0, confirmed_at=moment.next_turn_at, next_order_at=moment.next_turn_at
    )
    assert "未及时给出可用的答复" in said(clerk)
    assert platform.asked == []


def test_where_the_turns_are_taken_for_long_nobody_waits(
    clerk: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.01
    assert "未及时给出可用的答复" in said(clerk)  # the only turn of these hundred seconds went to the first call
    began = time.monotonic()
    said(clerk, mobile="13875345018")
    assert time.monotonic() - began < 1
    assert len(platform.asked) == 1


@pytest.fixture
def real_client(settings: LazySettings) -> Iterator[None]:
    settings.WIKEYUN_APP_KEY = settings.WIKEYUN_APP_SECRET = "key"
    settings.WIKEYUN_STORE_ID = "1"
    platform_settings.asking_client.cache_clear()
    yield
    platform_settings.asking_client.cache_clear()


@pytest.mark.usefixtures("real_client")
def test_a_platform_that_hangs_is_not_waited_for(clerk: Client, settings: LazySettings) -> None:
    with serving(answering_then_silent()) as server:
        settings.WIKEYUN_BASE_URL = server.url
        began = time.monotonic()
        page = said(clerk)
        assert time.monotonic() - began < 2.0  # the calls give up at 0.8, the rest is this machine's
        assert "未及时给出可用的答复" in page
        assert not any(NUMBER.encode() in request.split(b"\r\n")[0] for request in server.requests)
    assert place(clerk) == ""


@pytest.mark.usefixtures("real_client")
@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b'{"code": "0000", "data": null}',
        b'{"code": "0000", "data": []}',
        b'{"code": "0000", "data": {"oisp": [1], "nisp": {"a": 2}, "extend": "x"}}',
        b"\x00\xff",
        b'{"data": {"nisp": "\xe8\x81\x94\xe9\x80\x9a"}}',
    ],
)
def test_garbage_says_nothing(clerk: Client, settings: LazySettings, body: bytes) -> None:
    settings.NUMBER_VERIFY = False
    with serving(answering(http(body))) as server:
        settings.WIKEYUN_BASE_URL = server.url
        assert "未及时给出可用的答复" in said(clerk)
    assert not NumberInfo.objects.exists()
    assert place(clerk) == ""
