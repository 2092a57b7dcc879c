"""People watch orders: pages keep themselves up to date, and show numbers to nobody who may not see them."""

import datetime as dt
import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recharge.choices import EventKind, MarkKind, Submission
from recharge.core import wording
from recharge.core.events import record
from recharge.demo import Story
from recharge.fulfilment.services import checking, submission
from recharge.models import Mark, Order, OrderEvent
from recharge.orders.services import placing
from recharge.status import Status
from tests import actions
from tests.actions import mark
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


def text_of(response: Page) -> str:
    return response.content.decode()


def digest_of(response: Page) -> str:
    digest = re.search(r'"X-Seen": "(\w+)"', text_of(response).replace("&quot;", '"'))
    assert digest
    return digest[1]


def settle(order: Order, platform: FakePlatform) -> None:
    submission.submit_order(order_id=order.pk)
    platform.books[order.order_no].status = Status.SUCCEEDED
    checking.check_order(order_id=order.pk)


@pytest.mark.parametrize("path", ["/orders/", "/orders/{}/"])
def test_page_asks_for_news_until_nothing_is_open(
    clerk: Client, order: Order, platform: FakePlatform, path: str
) -> None:
    address = path.format(order.order_no)
    page = clerk.get(address)
    assert 'hx-trigger="every 3s"' in text_of(page)
    seen = {**HTMX, "X-Seen": digest_of(page)}
    assert clerk.get(address, headers=seen).status_code == 204
    settle(order, platform)
    news = clerk.get(address, headers=seen)
    assert news.status_code == 200
    assert "充值成功" in text_of(news)
    assert "hx-trigger" not in text_of(news)
    assert "<html" not in text_of(news)
    assert "hx-trigger" not in text_of(clerk.get(address))


def test_every_row_of_the_list_says_what_became_of_its_own_order(clerk: Client, platform: FakePlatform) -> None:
    """Rows in the same state share what is rendered; hearsay is another state than what is confirmed."""
    orders = [
        placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{number}", face_value=50)
        for number in range(5)
    ]
    for order in orders[:4]:
        settle(order, platform)
    Order.objects.filter(pk__in=[orders[0].pk, orders[2].pk]).update(
        confirmed_at=None, settled_at=None, next_check_at=timezone.now()
    )
    mark(orders[3], MarkKind.CONFLICT)
    rows = re.findall(
        r'<td data-label="状态">(.*?)</td><td data-label="订单号"><a href="/orders/(\d+)/">',
        text_of(clerk.get("/orders/")),
        re.DOTALL,
    )
    shown = {number: ("充值成功" in state, "未核实" in state) for state, number in rows}
    expected = [(True, True), (True, False), (True, True), (False, False), (False, False)]
    assert shown == {order.order_no: seen for order, seen in zip(orders, expected, strict=True)}


def test_news_are_asked_for_with_the_same_filters(clerk: Client, order: Order) -> None:
    assert 'hx-get="/orders/?q=138&amp;status="' not in text_of(clerk.get("/orders/?q=138&status="))
    assert 'hx-get="/orders/?q=13800138000&amp;status="' in text_of(clerk.get("/orders/?q=13800138000&status="))


def test_whoever_is_signed_out_gets_the_whole_sign_in(client: Client, order: Order) -> None:
    response = client.get("/orders/", headers=HTMX)
    assert response.headers["HX-Refresh"] == "true"
    assert response.content == b""


def test_number_is_whole_only_for_who_placed_it_or_may_see_it(client: Client, order: Order) -> None:
    raw = json.dumps({"mobile": "13900139001", "text": "<script>alert(1)</script>"})
    record(order, EventKind.CALLBACK, raw=raw, note=f"about {order.mobile}, not 139 0013 9002")
    Order.objects.filter(pk=order.pk).update(
        placed_by=person("administrator"), duplicate_reason=f"{order.mobile} wants it twice"
    )
    client.force_login(person("clerk"))
    text = text_of(client.get(f"/orders/{order.order_no}/"))
    assert "138****8000" in text
    assert "13800138000" not in text
    assert "138 0013 8000" not in text
    assert "13900139001" not in text
    assert "139 0013 9002" not in text
    client.force_login(person("auditor"))
    text = text_of(client.get(f"/orders/{order.order_no}/"))
    assert "138 0013 8000" in text
    assert "13800138000" in text
    assert "13900139001" in text
    assert "<script>alert" not in text


def test_order_may_be_found_by_the_day_it_was_placed(clerk: Client, order: Order) -> None:
    day = order.placed_at if order.placed_at.tzinfo else dt.datetime.now(dt.UTC)
    today = day.astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    around = {"placed_from": str(today), "placed_to": str(today)}
    assert order.order_no in text_of(clerk.get("/orders/", around))
    before = {"placed_to": str(today - dt.timedelta(days=1))}
    assert order.order_no not in text_of(clerk.get("/orders/", before))


@pytest.mark.parametrize("query", ["status=99", "placed_from=0000-00-00", "placed_by=0", "placed_to=0001-01-01"])
def test_search_that_makes_no_sense_says_so_and_shows_nothing(clerk: Client, order: Order, query: str) -> None:
    text = text_of(clerk.get(f"/orders/?{query}"))
    assert "搜索条件有误" in text
    assert order.order_no not in text


def test_attention_list_says_why_and_what_to_do(clerk: Client, order: Order) -> None:
    assert order.order_no not in text_of(clerk.get("/attention/"))
    for reason in set(MarkKind) - {MarkKind.REPLACEMENT_HELD}:  # that one is of orders that await approval
        actions.mark(order, reason)
        text = text_of(clerk.get("/attention/"))
        assert order.order_no in text
        assert str(reason.label) not in ("", reason.value)
        assert str(wording.ADVICE[reason]) in text.replace("&#x27;", "'")


def test_every_state_has_one_phrase() -> None:
    for submission_state in Submission:
        assert wording.of(submission_state, None).label
    for code in Status:
        assert wording.of(Submission.ACCEPTED, code).label == code.label


def test_attention_is_filtered_by_kind_and_age(client: Client, clerk_user: User, platform: FakePlatform) -> None:
    first, second = (
        placing.place_mobile_order(placed_by=clerk_user, mobile=f"1390013900{n}", face_value=50) for n in range(2)
    )
    mark(first, MarkKind.CONFLICT)
    mark(second, MarkKind.UNEXPECTED)
    Mark.objects.filter(order=second).update(since=timezone.now() - dt.timedelta(days=4))
    client.force_login(person("clerk"))

    def shown(query: str) -> set[str]:
        page = client.get(f"/attention/{query}").content.decode()
        return {order.order_no for order in (first, second) if f"/orders/{order.order_no}/" in page}

    both = {first.order_no, second.order_no}
    assert shown("") == both
    assert shown("?kind=CONFLICT") == {first.order_no}
    assert shown("?older_than=3") == {second.order_no}
    assert shown("?older_than=7") == set()
    assert shown("?kind=CONFLICT&older_than=3") == set()
    page = client.get("/attention/").content.decode()
    assert page.count("data-kind=") == 2
    assert "¥ 50" in page


@pytest.mark.parametrize("path", ["/orders/", "/orders/{}/", "/search/", "/", "/attention/"])
def test_no_page_calls_what_the_platform_contradicts_a_success(
    client: Client, order: Order, platform: FakePlatform, path: str
) -> None:
    """The word itself may stand among the facts and in filters, but never as what is true."""
    settle(order, platform)
    succeeded = re.compile(r'bg-green-lt state"[^<]*(?:<[^>]+>\s*)*充值成功|text-green[^<]*(?:<[^>]+>\s*)*充值成功')
    client.force_login(person("auditor"))

    def seen() -> str:
        address = path.format(order.order_no)
        answer = client.post(address, {"q": order.order_no}) if path == "/search/" else client.get(address)
        assert answer.status_code == 200
        return text_of(answer)

    if path not in ("/", "/attention/"):
        assert succeeded.search(seen())
    mark(order, MarkKind.CONFLICT)
    assert not succeeded.search(seen())
    assert "平台说法前后矛盾" in seen()


def test_figures_count_what_is_contradicted_as_unknown(client: Client, order: Order, platform: FakePlatform) -> None:
    settle(order, platform)
    client.force_login(person("auditor"))

    def figures() -> dict[str, int]:
        return {tile["look"].icon: tile["totals"].orders for tile in client.get("/").context["tiles"]}

    assert (figures()["circle-check"], figures()["message-question"]) == (1, 0)
    mark(order, MarkKind.CONFLICT)
    assert (figures()["circle-check"], figures()["message-question"]) == (0, 1)
    both = client.get("/").context["open"]
    assert [(row["query"], row["orders"]) for row in both] == [("attention=CONFLICT", 1)]
    assert order.order_no in text_of(client.get(f"/orders/?{both[0]['query']}"))


def test_a_mark_of_another_kind_contradicts_nothing(order: Order, platform: FakePlatform) -> None:
    settle(order, platform)
    mark(order, MarkKind.OVERDUE)
    order.refresh_from_db()
    assert wording.of_order(order) == wording.OF_STATUS[Status.SUCCEEDED]
    mark(order, MarkKind.CONFLICT)
    order.refresh_from_db()
    assert wording.of_order(order) == wording.CONTRADICTED
    assert wording.badge(order)["outcome"].colour != "green"


def test_the_page_of_a_new_order_begins_at_its_headline_once(clerk: Client, platform: FakePlatform) -> None:
    form = {"mobile": "13800138000", "face_value": "50"}
    page = clerk.post("/orders/new/", form, follow=True)
    headline = r'<h1 class="page-title" tabindex="-1" autofocus>'
    assert re.search(headline, text_of(page))
    assert not re.search(headline, text_of(clerk.get(page.redirect_chain[-1][0])))


def test_a_change_of_state_is_announced_outside_of_what_is_swapped(clerk: Client, order: Order) -> None:
    page = text_of(clerk.get(f"/orders/{order.order_no}/"))
    region = page.index('role="status" data-announcement')
    assert region < page.index('id="live"') < page.index("data-state")
    assert "data-announcement" not in text_of(clerk.get(f"/orders/{order.order_no}/", headers=HTMX))


def test_history_says_what_an_answer_confirms(clerk: Client) -> None:
    story = Story(1, timezone.now() - dt.timedelta(hours=1), person("clerk")).accept().report(2).confirm()
    story.order.save(force_insert=True)
    OrderEvent.objects.bulk_create(story.events)
    page = re.sub(r"\s+", " ", text_of(clerk.get(f"/orders/{story.order.order_no}/")))
    assert page.count("证实：充值成功") == 1
    assert "已采纳" in page


def test_overview_names_what_needs_a_person(clerk: Client, order: Order) -> None:
    mark(order, MarkKind.CONFLICT)
    assert "平台说法前后矛盾" in text_of(clerk.get("/"))
