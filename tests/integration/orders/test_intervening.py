"""A clerk steps in: asks, cancels, withdraws, marks as dealt with; each confirmed first, done by a POST, recorded."""

from typing import Any

import pytest
from django.test import Client

from portal.gateway import NotSent, OutcomeUnknown, Rejected
from recharge.choices import EventKind, MarkKind, Submission
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order, OrderEvent
from recharge.orders.services import interventions, placing
from tests import actions
from tests.actions import last_event
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import confirm, hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
DEEDS = ("ask", "cancel", "withdraw", "acknowledge")


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


@pytest.fixture
def accepted(order: Order) -> Order:
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def do(client: Client, order: Order, action: str, **fields: str) -> str:
    response = confirm(client, f"/orders/{order.order_no}/{action}/", **fields)
    assert response.redirect_chain[-1][0] == f"/orders/{order.order_no}/"
    return response.content.decode()


def everything() -> tuple[list[object], int]:
    return list(Order.objects.values()), OrderEvent.objects.count()


@pytest.mark.parametrize("action", DEEDS)
def test_question_comes_first_and_changes_nothing(clerk: Client, order: Order, action: str) -> None:
    before = everything()
    response = clerk.get(f"/orders/{order.order_no}/{action}/")
    assert response.status_code == 200
    assert '<form class="card" method="post"' in response.content.decode()
    assert everything() == before


def test_clerk_withdraws_what_was_not_sent(clerk: Client, order: Order) -> None:
    assert f"/orders/{order.order_no}/withdraw/" in clerk.get(f"/orders/{order.order_no}/").content.decode()
    assert "已撤回" in do(clerk, order, "withdraw")
    order.refresh_from_db()
    assert order.submission == Submission.WITHDRAWN
    assert known(order.events.get(kind=EventKind.WITHDRAWN).actor).username == "clerk"


def test_clerk_asks_the_platform_now(clerk: Client, accepted: Order, sent: list[tuple[str, int]]) -> None:
    do(clerk, accepted, "ask")
    assert accepted.events.filter(kind=EventKind.ASKED_BY_HAND, actor__username="clerk").count() == 1


@pytest.mark.parametrize("action", ["ask", "cancel"])
def test_what_was_not_sent_is_neither_asked_for_nor_cancelled(clerk: Client, order: Order, action: str) -> None:
    before = everything()
    assert "alert-danger" in do(clerk, order, action)
    assert everything() == before


def test_nobody_is_told_that_what_was_sent_has_not_been_sent_yet(clerk: Client, accepted: Order) -> None:
    page = clerk.get(f"/orders/{accepted.order_no}/withdraw/").content.decode()
    assert "还没有提交" not in page
    assert "可能已到达平台" in page
    assert "btn-danger" not in page


def test_what_was_sent_is_not_withdrawn(clerk: Client, accepted: Order) -> None:
    before = everything()
    assert "alert-danger" in do(clerk, accepted, "withdraw")
    assert everything() == before


def test_clerk_cancels_at_the_platform(clerk: Client, accepted: Order) -> None:
    assert "alert-success" in do(clerk, accepted, "cancel")
    assert accepted.events.filter(kind=EventKind.CANCEL_ASKED).count() == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Rejected("1009", "订单已完成"), "订单已完成"),
        (NotSent("refused"), "无法连接平台"),
        (OutcomeUnknown("timeout"), "没有明确答复"),
    ],
)
def test_refusal_to_cancel_is_shown_in_words(
    clerk: Client,
    accepted: Order,
    platform: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    words: str,
) -> None:
    def refuse(**arguments: object) -> None:
        raise error

    monkeypatch.setattr(platform, "cancel_mobile_orders", refuse)
    text = do(clerk, accepted, "cancel")
    assert "alert-danger" in text
    assert words in text
    accepted.refresh_from_db()
    assert accepted.submission == Submission.ACCEPTED


def test_clerk_marks_as_dealt_with_and_says_how(clerk: Client, accepted: Order) -> None:
    actions.mark(accepted, MarkKind.CONFLICT)
    assert f"/orders/{accepted.order_no}/acknowledge/" in clerk.get(f"/orders/{accepted.order_no}/").content.decode()
    do(clerk, accepted, "acknowledge", note="平台确认成功")
    accepted.refresh_from_db()
    assert accepted.marked_as == []
    assert "平台确认成功" in accepted.events.get(kind=EventKind.ACKNOWLEDGED).note


@pytest.mark.parametrize("note", ["", "   ", "x" * 201, "\x00"])
def test_mark_without_a_usable_note_changes_nothing(clerk: Client, accepted: Order, note: str) -> None:
    actions.mark(accepted, MarkKind.CONFLICT)
    before = everything()
    response = clerk.post(f"/orders/{accepted.order_no}/acknowledge/", {"note": note})
    assert response.status_code == 200
    assert "invalid-feedback" in response.content.decode()
    assert everything() == before


@pytest.fixture
def reversed_order(accepted: Order, platform: FakePlatform) -> Order:
    """Succeeded, reversed, refunded: only its mark keeps it from being placed anew."""
    for status in (2, 10, 4):
        tell(accepted, platform, status)
    platform.books[accepted.order_no].status = 4
    checking.check_order(order_id=accepted.pk)
    accepted.refresh_from_db()
    assert (accepted.marked_as, accepted.is_provably_unspent) == ([MarkKind.REVERSED], True)
    return accepted


def tell(order: Order, platform: FakePlatform, status: int) -> None:
    reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, status))


def test_note_clears_nothing_that_came_after_its_page_was_opened(
    clerk: Client, reversed_order: Order, platform: FakePlatform
) -> None:
    address = f"/orders/{reversed_order.order_no}/acknowledge/"
    shown = hidden_fields(clerk.get(address))
    for status in (2, 1):  # two conflicts: the second is not the one that the first refusal shows
        tell(reversed_order, platform, status)
        before = everything()
        refused = clerk.post(address, {**shown, "note": "返销，已告知客户", "marks": ["REVERSED"]})
        assert refused.status_code == 200
        for words in ("打开此页之后情况有变", str(MarkKind.CONFLICT.label), "返销，已告知客户"):
            assert words in refused.content.decode()
        assert everything() == before
        reversed_order.refresh_from_db()
        assert not reversed_order.is_provably_unspent
        shown = hidden_fields(refused)
    assert (
        "alert-success"
        in clerk.post(
            address, {**shown, "note": "已核对", "marks": ["REVERSED", "CONFLICT"]}, follow=True
        ).content.decode()
    )
    reversed_order.refresh_from_db()
    assert reversed_order.marked_as == []


def test_page_is_shown_anew_with_what_came_at_the_last_moment(
    clerk: Client, reversed_order: Order, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = interventions.acknowledge

    def overtaken(**arguments: Any) -> Order:
        tell(reversed_order, platform, 2)
        return real(**arguments)

    monkeypatch.setattr(interventions, "acknowledge", overtaken)
    refused = confirm(clerk, f"/orders/{reversed_order.order_no}/acknowledge/", note="已核对")
    assert str(MarkKind.CONFLICT.label) in refused.content.decode()
    assert hidden_fields(refused)["seen"] == str(last_event(reversed_order))


@pytest.mark.parametrize("seen", [{}, *({"seen": text} for text in ("", "0", "-1", "abc", "9" * 30, "\x00"))])
def test_mark_by_who_has_seen_nothing_changes_nothing(clerk: Client, accepted: Order, seen: dict[str, str]) -> None:
    actions.mark(accepted, MarkKind.CONFLICT)
    before = everything()
    response = clerk.post(f"/orders/{accepted.order_no}/acknowledge/", {"note": "已核对", **seen})
    assert response.status_code == 200
    assert "alert-danger" in response.content.decode()
    assert everything() == before


def test_auditor_sees_no_buttons(client: Client, accepted: Order) -> None:
    client.force_login(person("auditor"))
    text = client.get(f"/orders/{accepted.order_no}/").content.decode()
    assert not [action for action in DEEDS if f"/{action}/" in text]
