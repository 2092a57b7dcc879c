"""Looking at the first page: how today goes, what needs a person, and what is left to set up."""

import datetime as dt
import io
import re
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recharge.choices import MarkKind, Submission
from recharge.core.totals import Totals
from recharge.core.wording import Group
from recharge.demo import Plot, Story
from recharge.models import Balance, Mark, Order, OrderEvent
from recharge.overview import services as overview

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)


@pytest.fixture
def auditor(client: Client) -> User:
    user = User.objects.create_user("auditor")
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def configured(settings: LazySettings) -> None:
    settings.WIKEYUN_APP_KEY, settings.WIKEYUN_APP_SECRET, settings.WIKEYUN_STORE_ID = "key", "hush-hush", "1"


def tell(plot: Plot, placed_at: dt.datetime, clerk: User, number: int = 1) -> Order:
    story = plot(Story(number, placed_at, clerk))
    story.order.save(force_insert=True)
    OrderEvent.objects.bulk_create(story.events)
    Mark.objects.bulk_create(story.marks)
    return story.order


def succeed(story: Story) -> Story:
    return story.accept().report(1, 5).report(2, 60).confirm()


def refund(story: Story) -> Story:
    return story.accept().report(3, 5).report(4, 60)


def test_whoever_may_not_see_orders_sees_no_figures(client: Client) -> None:
    client.force_login(User.objects.create_user("outsider"))
    assert client.get(reverse("overview")).status_code == 403


def test_today_is_counted_by_outcome(client: Client, auditor: User) -> None:
    with time_machine.travel(NOON, tick=False):
        tell(succeed, NOON - dt.timedelta(hours=1), auditor, 1)
        tell(succeed, NOON - dt.timedelta(hours=2), auditor, 2)
        tell(Story.lose_answer, NOON - dt.timedelta(hours=3), auditor, 3)
        tell(Story.reject, NOON - dt.timedelta(hours=4), auditor, 4)
        today = overview.last_days()[-1]
    assert {group.name: totals.orders for group, totals in today.groups.items() if totals.orders} == {
        "SUCCEEDED": 2,
        "UNKNOWN": 1,
        "NOT_SPENT": 1,
    }
    assert today.groups[Group.SUCCEEDED].money == 100 + 100
    assert today.placed.orders == 4


def test_a_day_begins_at_midnight_in_shanghai(auditor: User) -> None:
    midnight = NOON.replace(hour=0)
    with time_machine.travel(NOON, tick=False):
        tell(succeed, midnight - dt.timedelta(seconds=1), auditor, 1)
        tell(succeed, midnight, auditor, 2)
        days = overview.last_days()
    assert [day.placed.orders for day in days[-2:]] == [1, 1]
    assert [day.date.day for day in days[-2:]] == [22, 23]


def test_fourteen_days_are_shown_and_no_more(auditor: User) -> None:
    with time_machine.travel(NOON, tick=False):
        tell(succeed, NOON - dt.timedelta(days=13), auditor, 1)
        tell(succeed, NOON - dt.timedelta(days=14), auditor, 2)
        days = overview.last_days()
    assert [day.placed.orders for day in days] == [1] + 13 * [0]


def test_money_came_back_only_where_the_platform_confirmed_it(auditor: User) -> None:
    with time_machine.travel(NOON, tick=False):
        tell(refund, NOON - dt.timedelta(hours=2), auditor, 1)
        assert overview.last_days()[-1].returned.orders == 0
        tell(lambda story: refund(story).confirm(), NOON - dt.timedelta(hours=1), auditor, 2)
        assert overview.last_days()[-1].returned == Totals(orders=1, money=100)


def test_past_days_are_counted_once_a_minute_and_today_always(auditor: User) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        overview.last_days()
        tell(succeed, NOON - dt.timedelta(days=1), auditor, 1)
        tell(succeed, NOON - dt.timedelta(hours=1), auditor, 2)
        assert [day.placed.orders for day in overview.last_days()[-2:]] == [0, 1]
        clock.shift(61)
        assert [day.placed.orders for day in overview.last_days()[-2:]] == [1, 1]


def test_the_chart_gets_what_the_figures_say(client: Client, auditor: User) -> None:
    with time_machine.travel(NOON, tick=False):
        tell(succeed, NOON - dt.timedelta(hours=1), auditor)
        response = client.get(reverse("overview"))
    chart = response.context["chart"]
    assert chart["days"][0], chart["days"][-1] == ("11-10", "11-23")
    assert chart["series"][0]["orders"] == 13 * [0] + [1]
    assert 'id="chart-data" type="application/json"' in response.content.decode()


def test_the_page_obeys_its_own_content_policy(client: Client, auditor: User) -> None:
    tell(succeed, NOON, auditor)
    page = client.get(reverse("overview")).content.decode()
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page)


def test_open_orders_and_those_that_need_a_person_are_counted(client: Client, auditor: User) -> None:
    now = dt.datetime.now(dt.UTC)
    tell(Story.lose_answer, now, auditor, 1)
    tell(lambda story: story.accept().report(11).confirm().mark(MarkKind.PARTLY_ARRIVED), now, auditor, 2)
    response = client.get(reverse("overview"))
    assert {(row["query"], row["orders"]) for row in response.context["open"]} == {
        ("submission=UNKNOWN", 1),
        ("status=11", 1),
    }
    assert [(row.kind, row.orders) for row in response.context["attention"]] == [
        ("PARTLY_ARRIVED", 1),
        ("UNKNOWN", 1),
        ("REFUND_OWED", 1),
    ]
    assert "?kind=PARTLY_ARRIVED" in response.content.decode()


def test_the_balance_is_shown_with_its_age(client: Client, auditor: User) -> None:
    assert client.get(reverse("overview")).context["balance"] is None
    told_at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=3)
    Balance.objects.create(pk=1, amount=Decimal("1234.5"), told_at=told_at, tried_at=told_at)
    response = client.get(reverse("overview"))
    assert "¥ 1,234.50" in response.content.decode()
    assert response.context["balance_fresh"]


def test_an_old_balance_is_marked(client: Client, auditor: User) -> None:
    told_at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6)
    Balance.objects.create(pk=1, amount=Decimal(50), told_at=told_at, tried_at=told_at, error="no answer")
    response = client.get(reverse("overview"))
    assert not response.context["balance_fresh"]
    assert "no answer" not in response.content.decode()  # the platform's own words are for the log


def test_an_order_that_nobody_takes_up_raises_the_question_of_the_worker(client: Client, auditor: User) -> None:
    order = tell(lambda story: story, dt.datetime.now(dt.UTC), auditor)
    assert client.get(reverse("overview")).context["standstills"] == []
    Order.objects.filter(pk=order.pk).update(next_push_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=7))
    response = client.get(reverse("overview"))
    assert [one.work for one in response.context["standstills"]] == ["orders"]
    assert "起停止运行" in response.content.decode()


def test_before_the_credentials_are_set_the_page_says_what_to_do(
    client: Client, auditor: User, settings: LazySettings
) -> None:
    settings.WIKEYUN_APP_KEY = ""
    response = client.get(reverse("overview"))
    done = {name: done for name, _, done in response.context["checklist"]}
    assert done["WIKEYUN_APP_KEY"] is False
    assert done["WIKEYUN_APP_SECRET"] is True
    page = response.content.decode()
    assert "WIKEYUN_APP_KEY" in page
    assert "hush-hush" not in page


def test_once_they_are_set_it_says_no_more_of_it(client: Client, auditor: User) -> None:
    response = client.get(reverse("overview"))
    assert response.context["checklist"] is None
    assert "WIKEYUN_APP_KEY" not in response.content.decode()


def test_the_number_of_statements_does_not_grow_with_the_orders(
    client: Client, auditor: User, settings: LazySettings
) -> None:
    settings.WIKEYUN_BASE_URL = "http://127.0.0.1:9000/rest/"
    client.get(reverse("overview"))  # the account of the settings is kept at the first look
    cache.clear()
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("overview"))
    cache.clear()
    settings.DEBUG = True
    call_command("demo", stdout=io.StringIO())
    settings.DEBUG = False
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("overview"))
    assert len(many) <= len(few)
    assert len(many) <= 31


def test_every_group_of_outcomes_has_a_tile(client: Client, auditor: User) -> None:
    tiles = client.get(reverse("overview")).context["tiles"]
    assert len(tiles) == len(Group)


def test_submissions_without_a_status_have_an_address_of_their_own(client: Client, auditor: User) -> None:
    tell(lambda story: story, dt.datetime.now(dt.UTC), auditor)
    row = client.get(reverse("overview")).context["open"][0]
    assert row["query"] == f"submission={Submission.QUEUED}"


def test_what_needs_a_person_is_named(client: Client, auditor: User, settings: LazySettings) -> None:
    settings.WIKEYUN_BASE_URL = "http://127.0.0.1:9000/rest/"
    settings.DEBUG = True
    call_command("demo", stdout=io.StringIO())
    settings.DEBUG = False
    response = client.get(reverse("overview"))
    named = re.findall(r'kind=(\w+)">\s*<span class="me-auto">([^<]*)</span>', response.content.decode())
    assert named
    assert dict(named) == {row.kind: str(row.label) for row in response.context["attention"]}
