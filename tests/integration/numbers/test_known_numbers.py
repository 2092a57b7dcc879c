"""What is known of a number stands in its order from the day on which it is placed: statistics ask for it later."""

import csv
import datetime as dt
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from oilcards.models import OilCard
from portal.gateway import MobileInfo
from recharge.choices import Carrier, KnownFrom
from recharge.core import phone_numbers
from recharge.models import NumberInfo, Order
from recharge.numbers.services import known
from recharge.orders.services import placing
from tests.batches import batch_of, mobiles
from tests.pages import streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]
NUMBER = "13875345019"


def told(original: str = "移动", now: str = "移动", province: str = "湖南", city: str = "益阳") -> MobileInfo:
    return MobileInfo(original, now, province, city, "{}")


def place(by: User, number: str = NUMBER, confirmed: str = "") -> Order:
    order = placing.place_mobile_order(placed_by=by, mobile=number, face_value=50, number_confirmed=confirmed)
    order.refresh_from_db()
    return order


def facts(order: Order) -> tuple[str, str, bool | None, str]:
    return order.carrier, order.province, order.ported, order.known_from


def test_without_the_platform_it_is_the_hint_of_the_first_digits(clerk_user: User) -> None:
    assert facts(place(clerk_user)) == (Carrier.CMCC, "湖南", None, KnownFrom.HINT)


def test_what_the_platform_said_goes_before_the_hint(clerk_user: User, settings: Settings) -> None:
    settings.NUMBER_INFO = True
    known.keep_info(NUMBER, told(now="中国联通"))
    assert facts(place(clerk_user, confirmed="ported")) == (Carrier.UNICOM, "湖南", True, KnownFrom.PLATFORM)


def test_a_batch_stores_it_too_each_line_its_own(clerk_user: User, settings: Settings) -> None:
    settings.NUMBER_INFO = True
    known.keep_info("13800000002", told(now="电信", province="广东省"))
    orders = batch_of(*mobiles(3), made_by=clerk_user, reason="客户确认").orders.order_by("line")
    assert [facts(order) for order in orders] == [
        (Carrier.CMCC, "北京", None, KnownFrom.HINT),
        (Carrier.TELECOM, "广东", True, KnownFrom.PLATFORM),
        (Carrier.CMCC, "北京", None, KnownFrom.HINT),
    ]


def test_what_was_said_too_long_ago_is_not_gone_by_and_goes(clerk_user: User, settings: Settings) -> None:
    settings.NUMBER_INFO = True
    known.keep_info(NUMBER, told(now="联通"))
    NumberInfo.objects.update(told_at=timezone.now() - dt.timedelta(days=settings.NUMBER_ANSWER_DAYS, seconds=1))
    assert facts(place(clerk_user))[2:] == (None, KnownFrom.HINT)
    known.forget_old()
    assert not NumberInfo.objects.exists()


@pytest.mark.parametrize(
    ("said", "carrier", "ported"),
    [
        (told("移动", "移动"), Carrier.CMCC, False),
        (told("CHINA MOBILE", "中国移动通信"), Carrier.CMCC, False),
        (told("移动", ""), Carrier.CMCC, None),
        (told("", "广电"), Carrier.BROADNET, None),
        (told("1", "2"), Carrier.OTHER, None),
        (told("移动", "某某通信"), Carrier.OTHER, True),
        (told("\x00" * 9000, "\x00" * 9000, "\x00" * 9000, "x" * 9000), Carrier.OTHER, None),
    ],
)
def test_answers_are_read_tolerantly(said: MobileInfo, carrier: str, ported: bool | None) -> None:
    info = known.keep_info(NUMBER, said)
    assert info is not None
    info.refresh_from_db()
    assert (info.carrier, info.ported) == (carrier, ported)


def test_an_answer_that_names_no_carrier_says_nothing() -> None:
    assert known.keep_info(NUMBER, told("", " ")) is None
    assert not NumberInfo.objects.exists()


def test_orders_of_cards_have_nothing_of_it(clerk_user: User, card: OilCard) -> None:
    order = placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    order.refresh_from_db()
    assert facts(order) == ("", "", None, "")


def test_nothing_is_read_for_it_where_the_platform_is_never_asked(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        known.describe([Order(product="MOBILE", mobile=f"138{number:08d}") for number in range(500)])


def test_a_piece_of_a_batch_asks_once_however_long(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.NUMBER_INFO = True
    with django_assert_num_queries(1):
        known.describe([Order(product="MOBILE", mobile=f"138{number:08d}") for number in range(500)])


@pytest.mark.parametrize(
    ("text", "province"),
    [
        ("广东省深圳市", "广东"),
        ("内蒙古乌兰察布市", "内蒙古"),
        ("北京", "北京"),
        ("中国", ""),
        ("", ""),
        ("Guangdong", ""),
    ],
)
def test_provinces_have_one_short_name(text: str, province: str) -> None:
    assert phone_numbers.province_in(text) == province


def test_the_page_and_the_sheet_say_it(client: Client, settings: Settings) -> None:
    settings.NUMBER_INFO = True
    known.keep_info(NUMBER, told(now="联通"))
    order = place(person("clerk"), confirmed="ported")
    client.force_login(person("administrator"))
    page = " ".join(client.get(f"/orders/{order.order_no}/").content.decode().split())
    assert "中国联通 湖南, <strong>携号转网</strong>" in page
    assert "（平台告知）" in page or "(平台告知)" in page
    row = next(csv.DictReader(io.StringIO(streamed(client.get("/orders/export.csv")).decode("utf-8-sig"))))
    assert (row["运营商"], row["省份"], row["携号转网"], row["信息来源"]) == ("中国联通", "湖南", "是", "平台告知")
    assert "中国联通 湖南 携号转网" in client.get("/orders/?columns=carrier").content.decode()


def test_an_older_order_shows_nothing_of_it(client: Client) -> None:
    order = place(person("clerk"))
    Order.objects.update(carrier="", province="", known_from="")
    client.force_login(person("clerk"))
    assert "data-known" not in client.get(f"/orders/{order.order_no}/").content.decode()
