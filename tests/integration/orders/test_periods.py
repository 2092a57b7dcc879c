"""Days that people ask for by a word, by placing or by settling, in the portal's time zone."""

import datetime as dt
import re

import pytest
import time_machine
from django.db import connection
from django.test import Client

from recharge.choices import Submission
from recharge.core.periods import Period, days_of
from recharge.models import Order
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
NOW = dt.datetime(2026, 3, 1, 0, 30, tzinfo=SHANGHAI)
"""A Sunday in Shanghai, and still the Saturday of the month before in UTC."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        (Period.TODAY, "2026-03-01", "2026-03-01", "2026-03-01"),
        (Period.YESTERDAY, "2026-03-01", "2026-02-28", "2026-02-28"),
        (Period.YESTERDAY, "2028-03-01", "2028-02-29", "2028-02-29"),
        (Period.LAST_7_DAYS, "2026-03-01", "2026-02-23", "2026-03-01"),
        (Period.THIS_WEEK, "2026-03-01", "2026-02-23", "2026-03-01"),
        (Period.THIS_WEEK, "2026-03-02", "2026-03-02", "2026-03-02"),
        (Period.THIS_MONTH, "2026-03-31", "2026-03-01", "2026-03-31"),
        (Period.LAST_MONTH, "2026-03-31", "2026-02-01", "2026-02-28"),
        (Period.LAST_MONTH, "2026-01-01", "2025-12-01", "2025-12-31"),
    ],
)
def test_which_days_a_period_has(period: Period, today: str, first: str, last: str) -> None:
    assert days_of(period, day(today)) == (day(first), day(last))


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def withdrawn(number: int, *, placed: str, settled: str) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=f"138001{number:05}", face_value=50)
    Order.objects.filter(pk=order.pk).update(
        submission=Submission.WITHDRAWN,
        next_push_at=None,
        placed_at=at(placed),
        settled_at=at(settled),
        counted_on=None,
    )
    return order


def shown(client: Client, query: str) -> list[str]:
    with time_machine.travel(NOW, tick=False):
        client.force_login(person("clerk"))
        page = client.get(f"/orders/?{query}").content.decode()
    return re.findall(r'<a href="/orders/(\d{20})/">', page)


@pytest.mark.books_broken
def test_orders_are_found_by_the_day_of_placing_or_settling(clerk: Client, platform: FakePlatform) -> None:
    early = withdrawn(1, placed="2026-02-27 23:59:59", settled="2026-03-01 00:10:00")
    late = withdrawn(2, placed="2026-02-28 00:00:00", settled="2026-02-28 23:59:59")
    today = withdrawn(3, placed="2026-03-01 00:00:00", settled="2026-03-01 00:00:00")
    still_open = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    Order.objects.filter(pk=still_open.pk).update(placed_at=at("2026-03-01 00:20:00"))
    names = {early.order_no: "early", late.order_no: "late", today.order_no: "today", still_open.order_no: "open"}

    def found(query: str) -> list[str]:
        return [names[number] for number in shown(clerk, query)]

    assert found("period=today") == ["open", "today"]
    assert found("period=yesterday") == ["late"]
    assert found("period=last_month") == ["late", "early"]
    assert found("period=today&period_of=settled") == ["early", "today"], "sorted by when they were settled"
    assert found("period=yesterday&period_of=settled") == ["late"]
    assert found("period=this_week&period_of=settled") == ["early", "today", "late"]
    assert found("period=this_month&period_of=settled&submission=QUEUED") == []
    assert found("period=yesterday&placed_from=2026-03-01") == []
    assert found("period=nonsense") == []


def test_a_period_keeps_the_other_filters_and_they_keep_it(clerk: Client, platform: FakePlatform) -> None:
    page = clerk.get("/orders/?submission=QUEUED&period=today&before=9").content.decode()
    assert 'href="?submission=QUEUED&amp;period=yesterday"' in page
    assert 'href="?submission=QUEUED&amp;period=today&amp;period_of=settled"' in page
    assert '<input type="hidden" name="period" value="today">' in page


@pytest.mark.books_broken
def test_pages_of_what_was_settled_show_every_order_once(clerk: Client, platform: FakePlatform) -> None:
    """Many at the same moment, in another order than that of placing."""
    for number in range(120):
        withdrawn(number, placed="2026-02-28 12:00:00", settled=f"2026-02-28 1{3 + number % 3}:00:00")
    wanted = list(Order.objects.order_by("-settled_at", "-id").values_list("order_no", flat=True))
    seen: list[str] = []
    query = "period=yesterday&period_of=settled"
    with time_machine.travel(NOW, tick=False):
        clerk.force_login(person("clerk"))
        pages = []
        while query:
            page = clerk.get(f"/orders/?{query}").content.decode()
            pages.append(re.findall(r'<a href="/orders/(\d{20})/">', page))
            seen += pages[-1]
            older = re.search(r'rel="next" href="\?([^"]*)"', page)
            query = older[1].replace("&amp;", "&") if older else ""
        newer = re.search(r'rel="prev" href="\?([^"]*)"', page)
        assert newer
        back = clerk.get(f"/orders/?{newer[1].replace('&amp;', '&')}").content.decode()
    assert seen == wanted
    assert re.findall(r'<a href="/orders/(\d{20})/">', back) == pages[1]


def test_the_list_of_what_was_settled_is_read_from_its_index(clerk: Client, platform: FakePlatform) -> None:
    start, end = at("2026-02-01 00:00:00"), at("2026-03-01 00:00:00")
    listed = Order.objects.settled_between(start, end).order_by("-settled_at", "-id")
    plan = listed[:51].explain()
    if connection.vendor == "postgresql":  # a small table is read whole: whether it could be is asked
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        plan = listed[:51].explain()
    assert "order_settled" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_an_export_holds_what_the_period_finds(client: Client, platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    client.force_login(person("auditor"))
    assert order.order_no in client.get("/orders/export.csv?period=today").getvalue().decode()
    assert order.order_no not in client.get("/orders/export.csv?period=today&period_of=settled").getvalue().decode()
