"""The desk: every case at once, calm and urgent ones apart, and who looks after it."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recharge.choices import EventKind, MarkKind, Submission
from recharge.core.errors import InvalidOrder, TooLate
from recharge.fulfilment.services import submission
from recharge.models import Case, Order
from recharge.orders.services import cases, placing
from recharge.status import Status
from tests.actions import mark
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def place(end: int = 0, by: str = "clerk") -> Order:
    return placing.place_mobile_order(placed_by=person(by), mobile=f"1380013800{end}", face_value=50)


@pytest.fixture
def unknown(platform: FakePlatform) -> Order:
    """An order of which nobody knows whether it arrived."""
    order = place()
    platform.behaviour = "hang"
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.UNKNOWN
    return order


def shown(client: Client, query: str = "") -> str:
    return client.get(f"/attention/{query}").content.decode()


def history(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


def test_an_unknown_order_is_a_case_at_once_and_calm_at_first(clerk: Client, unknown: Order) -> None:
    page = shown(clerk)
    assert unknown.order_no in page
    assert 'data-kind="UNKNOWN"' in page
    assert 'data-calm="1"' in page
    assert unknown.order_no not in shown(clerk, "?urgency=urgent")
    assert unknown.order_no in shown(clerk, "?urgency=calm")
    assert not Order.objects.urgent().exists()

    Order.objects.update(submitted_at=timezone.now() - dt.timedelta(minutes=31))
    assert list(Order.objects.urgent()) == [unknown]
    assert "data-calm" not in shown(clerk)
    assert unknown.order_no in shown(clerk, "?urgency=urgent&kind=UNKNOWN")
    assert unknown.order_no not in shown(clerk, "?kind=UNKNOWN&older_than=1")
    assert unknown.order_no not in shown(clerk, "?kind=REFUND_OWED")


def test_a_refund_that_is_owed_is_a_case_and_rises_with_age(
    clerk: Client, unknown: Order, platform: FakePlatform
) -> None:
    owed = place(1)
    submission.submit_order(order_id=owed.pk)
    Order.objects.filter(pk=owed.pk).update(status=Status.FAILED, status_at=timezone.now())
    assert owed.order_no in shown(clerk, "?kind=REFUND_OWED")
    assert owed not in Order.objects.urgent()
    Order.objects.filter(pk=owed.pk).update(status_at=timezone.now() - dt.timedelta(days=3, hours=1))
    assert owed in Order.objects.urgent()
    page = shown(clerk, "?older_than=3")
    assert owed.order_no in page
    assert unknown.order_no not in page
    assert re.findall(r'data-older="\d">([^<]+)<', page) == ["1 笔 3–7 天"], "each case is in its oldest group alone"
    Order.objects.filter(pk=owed.pk).update(status_at=timezone.now() - dt.timedelta(days=8))
    assert re.findall(r'data-older="\d">([^<]+)<', shown(clerk)) == ["1 笔超过 7 天"]


def test_a_case_is_taken_by_one_person(clerk: Client, unknown: Order) -> None:
    assert clerk.post(f"/orders/{unknown.order_no}/take/").status_code == 302
    assert Case.objects.get().assignee == person("clerk")
    cases.take(order_id=unknown.pk, actor=person("clerk"))  # once more: nothing happens
    assert history(unknown).count(EventKind.TAKEN) == 1
    with pytest.raises(TooLate, match="clerk"):
        cases.take(order_id=unknown.pk, actor=person("approver"))
    assert unknown.order_no in shown(clerk, "?person=me")
    assert unknown.order_no not in shown(clerk, "?person=nobody")
    assert unknown.order_no in clerk.get("/mine/").content.decode()


def test_a_case_is_handed_over_with_words(clerk: Client, unknown: Order) -> None:
    colleague = User.objects.create_user("colleague", first_name="小明")
    colleague.groups.add(*person("clerk").groups.all())
    with pytest.raises(InvalidOrder):
        cases.hand_over(order_id=unknown.pk, actor=person("clerk"), to=person("outsider"), note="")
    page = clerk.get(f"/orders/{unknown.order_no}/hand-over/").content.decode()
    assert "小明" in page
    assert "outsider" not in page
    words = {"to": colleague.pk, "note": "问过客户"}
    assert clerk.post(f"/orders/{unknown.order_no}/hand-over/", words).status_code == 302
    case = Case.objects.get()
    assert (case.assignee, case.note) == (colleague, "问过客户")
    assert unknown.events.latest("pk").note == "小明: 问过客户"
    assert "问过客户" in shown(clerk)
    assert unknown.order_no in shown(clerk, f"?person={colleague.pk}")


def test_what_is_put_off_comes_back_by_itself(clerk: Client, unknown: Order) -> None:
    assert clerk.post(f"/orders/{unknown.order_no}/put-off/", {"hours": "24"}).status_code == 302
    assert unknown.order_no not in shown(clerk)
    assert unknown.order_no in shown(clerk, "?put_off=yes")
    Case.objects.update(look_again_at=timezone.now() - dt.timedelta(seconds=1))
    assert unknown.order_no in shown(clerk)
    for until in (timezone.now(), timezone.now() + dt.timedelta(days=91)):
        with pytest.raises(InvalidOrder):
            cases.put_off(order_id=unknown.pk, actor=person("clerk"), until=until, note="")


def test_the_customers_note_is_changed_with_history(clerk: Client, unknown: Order) -> None:
    address = f"/orders/{unknown.order_no}/change-note/"
    assert clerk.post(address, {"note": "王姐", "seen_note": ""}).status_code == 302
    unknown.refresh_from_db()
    assert unknown.note == "王姐"
    assert "王姐" in unknown.events.latest("pk").note
    outdated = clerk.post(address, {"note": "李哥", "seen_note": ""})
    assert outdated.status_code == 200
    assert "李哥" in outdated.content.decode()  # what was typed stays
    unknown.refresh_from_db()
    assert unknown.note == "王姐"


def test_what_needs_nobody_is_no_case(clerk: Client, platform: FakePlatform) -> None:
    order = place()
    for address in ("take", "note", "put-off"):
        clerk.post(f"/orders/{order.order_no}/{address}/", {"note": "x", "hours": "1"})
    assert not Case.objects.exists()
    assert history(order) == [EventKind.PLACED]


def test_all_that_a_filter_finds_is_what_was_there_when_the_page_was_made(
    clerk: Client, platform: FakePlatform
) -> None:
    orders = [place(end) for end in range(3)]
    for order in orders:
        mark(order, MarkKind.CONFLICT)
    page = shown(clerk, "?kind=CONFLICT&choose=all")
    assert page.count('name="found"') == 3
    assert page.count("checked") >= 3
    late = place(4)
    mark(late, MarkKind.CONFLICT)
    unticked, *ticked = (order.order_no for order in orders)
    sent = {
        "action": "take",
        "confirmed": 1,
        "found": [unticked, *ticked],
        "shown": [unticked, ticked[0]],
        "order_no": [ticked[0]],
    }
    result = clerk.post("/orders/bulk/", sent).content.decode()
    assert result.count('data-done="yes"') == 2
    assert set(Case.objects.values_list("order__order_no", flat=True)) == set(ticked)


def test_dead_orders_are_placed_again_once_each(clerk: Client, platform: FakePlatform) -> None:
    dead, living = place(0), place(1)
    cases_before = Order.objects.count()
    clerk.post(f"/orders/{dead.order_no}/withdraw/")
    numbers = [dead.order_no, living.order_no]
    question = clerk.post("/orders/bulk/", {"action": "again", "order_no": numbers}).content.decode()
    assert f'data-left-out="{living.order_no}"' in question
    assert Order.objects.count() == cases_before
    for _ in range(2):  # and the same confirmation sent twice
        clerk.post("/orders/bulk/", {"action": "again", "order_no": numbers, "confirmed": 1})
    assert Order.objects.count() == cases_before + 1
    assert Order.objects.get(replaces=dead).face_value == 50


def test_who_may_only_look_takes_nothing(client: Client, unknown: Order) -> None:
    client.force_login(person("auditor"))
    assert client.post(f"/orders/{unknown.order_no}/take/").status_code == 403
    sent = {"action": "take", "order_no": [unknown.order_no], "confirmed": 1}
    assert client.post("/orders/bulk/", sent).status_code == 403
    assert not Case.objects.exists()
    assert 'name="action"' not in shown(client)


def test_the_desk_asks_as_many_questions_for_many_cases_as_for_one(
    clerk: Client, unknown: Order, django_assert_max_num_queries: object
) -> None:
    for end in range(1, 8):
        mark(place(end), MarkKind.OVERDUE)
    with django_assert_max_num_queries(26):  # type: ignore[operator]
        shown(clerk)
