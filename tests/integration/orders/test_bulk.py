"""The same for many orders at once: each is done by itself, and what can't be done is said."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from recharge.choices import EventKind, MarkKind, Submission
from recharge.fulfilment.services import submission
from recharge.models import Order
from recharge.orders import filters
from recharge.orders.filters import MAX_ORDERS
from recharge.orders.services import interventions, placing
from tests.actions import mark
from tests.batches import batch_of, mobile, mobiles
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def orders(platform: FakePlatform) -> list[Order]:
    """Two that wait, and one that the platform has."""
    placed = [
        placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{number}", face_value=50)
        for number in range(3)
    ]
    submission.submit_order(order_id=placed[2].pk)
    return placed


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def send(client: Client, action: str, orders: list[Order], **more: object) -> str:
    numbers = [order.order_no for order in orders]
    response = client.post("/orders/bulk/", {"action": action, "order_no": numbers, **more})
    assert response.status_code == 200
    return str(response.content.decode())


def seen(orders: list[Order]) -> list[str]:
    return [f"{order.order_no}:{order.events.latest('pk').pk}" for order in orders]


def states(orders: list[Order]) -> list[str]:
    for order in orders:
        order.refresh_from_db()
    return [order.submission for order in orders]


def test_the_first_page_does_nothing_and_says_what_would_be_done(clerk: Client, orders: list[Order]) -> None:
    page = send(clerk, "withdraw", orders)
    assert states(orders) == ["QUEUED", "QUEUED", "ACCEPTED"]
    assert f'data-left-out="{orders[2].order_no}"' in page
    assert "¥ 100" in page
    assert page.count('name="order_no"') == 2


def test_each_is_done_by_itself_and_told(clerk: Client, orders: list[Order]) -> None:
    page = send(clerk, "withdraw", orders, confirmed=1)
    assert states(orders) == ["WITHDRAWN", "WITHDRAWN", "ACCEPTED"]
    assert (page.count('data-done="yes"'), page.count('data-done="no"')) == (2, 1)
    assert send(clerk, "withdraw", orders, confirmed=1).count('data-done="no"') == 3, "nothing is left to be done"


def test_the_platform_is_asked_about_those_that_it_can_know(clerk: Client, orders: list[Order]) -> None:
    send(clerk, "ask", orders, confirmed=1)
    asked = Order.objects.filter(events__kind=EventKind.ASKED_BY_HAND)
    assert [order.order_no for order in asked] == [orders[2].order_no]


def test_only_what_was_shown_is_dealt_with(clerk: Client, orders: list[Order]) -> None:
    for order in orders:
        mark(order, MarkKind.CONFLICT)
    shown = seen(orders)
    mark(orders[1], MarkKind.UNKNOWN_CODE)
    page = send(clerk, "acknowledge", orders, confirmed=1, note="looked", seen=shown)
    assert (page.count('data-done="yes"'), page.count('data-done="no"')) == (2, 1)
    for order in orders:
        order.refresh_from_db()
    assert [order.marked_as for order in orders] == [[], [MarkKind.CONFLICT, MarkKind.UNKNOWN_CODE], []]
    assert "looked" in orders[0].events.latest("pk").note


@pytest.mark.parametrize("more", [{"confirmed": 1}, {"confirmed": 1, "note": ""}, {"note": "x"}])
def test_without_a_note_or_what_was_seen_nothing_is_dealt_with(
    clerk: Client, orders: list[Order], more: dict[str, object]
) -> None:
    mark(orders[0], MarkKind.CONFLICT)
    send(clerk, "acknowledge", orders, **more)
    send(clerk, "acknowledge", orders, confirmed=1, note="x")
    orders[0].refresh_from_db()
    assert orders[0].marked_as == [MarkKind.CONFLICT]


def test_odd_requests_do_nothing(clerk: Client, orders: list[Order]) -> None:
    assert clerk.post("/orders/bulk/", {"action": "burn"}).status_code == 400
    assert clerk.post("/orders/bulk/", {"action": "ask", "order_no": ["1"] * (MAX_ORDERS + 1)}).status_code == 400
    assert clerk.get("/orders/bulk/").status_code == 405
    nothing = send(clerk, "withdraw", [], confirmed=1, seen=["x", ":", "1:²", "\x00:1"], order_no=["\x00", "no"])
    assert "data-done" not in nothing
    assert states(orders)[:2] == [Submission.QUEUED] * 2


def test_who_may_only_look_changes_nothing(client: Client, orders: list[Order]) -> None:
    client.force_login(person("auditor"))
    numbers = [order.order_no for order in orders]
    response = client.post("/orders/bulk/", {"action": "withdraw", "order_no": numbers, "confirmed": 1})
    assert response.status_code == 403
    assert states(orders)[:2] == [Submission.QUEUED] * 2


def test_the_statements_do_not_grow_where_nothing_is_done(
    clerk: Client, orders: list[Order], django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        send(clerk, "withdraw", orders)


@pytest.mark.parametrize("event", ["9" * 5000, "²", "-1", "", "x", "9" * 40])
def test_a_number_that_nobody_can_have_seen_is_no_fault(clerk: Client, event: str) -> None:
    said = {"action": "ask", "order_no": "1", "confirmed": "1", "seen": f"1:{event}"}
    assert clerk.post("/orders/bulk/", said).status_code in (200, 400)


# --- all that a list finds --------------------------------------------------------------------------------------------
def as_a_browser_sends(page: str) -> dict[str, list[str]]:
    """Return what the form of a list sends: the boxes that are ticked, and what stands beside them."""
    ticked = re.findall(r'name="order_no" value="(\d+)" aria-label="\d+" checked', page)
    found, shown = (re.findall(rf'name="{name}" value="(\d+)"', page) for name in ("found", "shown"))
    return {"order_no": ticked, "found": found, "shown": shown}


@pytest.fixture
def settled_the_other_way_round(orders: list[Order], monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """Orders of which the first one that was placed was settled last; three may be chosen at once."""
    monkeypatch.setattr(filters, "MAX_ORDERS", 3)
    more = [
        placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile(n), face_value=50) for n in range(50, 55)
    ]
    for number, order in enumerate(more):
        interventions.withdraw(order_id=order.pk, actor=person("clerk"))
        Order.objects.filter(pk=order.pk).update(settled_at=timezone.now() - dt.timedelta(seconds=number))
    return more


def test_more_than_the_maximum_is_said_and_those_on_top_of_the_list_are_chosen(
    clerk: Client, settled_the_other_way_round: list[Order]
) -> None:
    on_top = [order.order_no for order in settled_the_other_way_round[:3]]
    page = clerk.get("/orders/?period=today&period_of=settled&choose=all").content.decode()
    sent = as_a_browser_sends(page)
    assert sent["found"] == on_top
    assert sorted(sent["order_no"]) == sorted(on_top), "no box is ticked of an order that isn't among them"
    assert 'data-found="3"' in page
    assert "data-more" in page
    asked = clerk.post("/orders/bulk/", {"action": "again", **sent}).content.decode()
    assert sorted(re.findall(r'name="order_no" value="(\d+)"', asked)) == sorted(on_top)
    by_key = clerk.get("/orders/?submission=WITHDRAWN&choose=all").content.decode()
    assert as_a_browser_sends(by_key)["found"] == [o.order_no for o in settled_the_other_way_round[:1:-1]]
    few = clerk.get(f"/orders/?q={on_top[0]}&choose=all").content.decode()
    assert "data-more" not in few
    assert 'data-found="1"' in few


def test_the_orders_of_a_batch_are_chosen_on_its_page(clerk: Client, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(60), made_by=person("clerk"))
    numbers = list(batch.orders.order_by("pk").values_list("order_no", flat=True))
    page = clerk.get(f"/batches/{batch.pk}/?choose=all").content.decode()
    sent = as_a_browser_sends(page)
    assert (sent["found"], sent["order_no"], sent["shown"]) == (numbers, numbers[:50], numbers[:50])
    assert "data-more" not in page
    sent["order_no"].remove(numbers[3])  # one is unticked
    address = re.search(r'name="back" value="([^"]+)"', page)
    assert address
    done = clerk.post(
        "/orders/bulk/", {"action": "withdraw", "confirmed": 1, "back": address[1], **sent}
    ).content.decode()
    assert done.count('data-done="yes"') == 59
    assert f'href="/batches/{batch.pk}/?choose=all"' in done
    assert batch.orders.exclude(submission=Submission.WITHDRAWN).get().order_no == numbers[3]
    papers = clerk.post("/orders/evidence/", sent)
    assert papers.status_code == 200
    assert papers.content.decode().count("<article") == 59
    client = Client()
    client.force_login(person("auditor"))
    look = client.get(f"/batches/{batch.pk}/").content.decode()
    assert 'formaction="/orders/evidence/"' in look
    assert 'value="withdraw"' not in look
