"""A clerk steps in: asks, cancels, withdraws, marks as dealt with; each confirmed first, done by a POST, recorded."""

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.gateway import NotSent, OutcomeUnknown, Rejected
from recharge.choices import Attention, EventKind, Submission
from recharge.models import Order, OrderEvent
from recharge.services import placing, submission
from tests.fake_platform import FakePlatform
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


def do(client: Client, order: Order, deed: str, **fields: str) -> str:
    response: HttpResponse = client.post(f"/orders/{order.order_no}/{deed}/", fields, follow=True)
    assert response.redirect_chain[-1][0] == f"/orders/{order.order_no}/"
    return response.content.decode()


def everything() -> tuple[list[object], int]:
    return list(Order.objects.values()), OrderEvent.objects.count()


@pytest.mark.parametrize("deed", DEEDS)
def test_question_comes_first_and_changes_nothing(clerk: Client, order: Order, deed: str) -> None:
    before = everything()
    response = clerk.get(f"/orders/{order.order_no}/{deed}/")
    assert response.status_code == 200
    assert '<form class="card" method="post"' in response.content.decode()
    assert everything() == before


def test_clerk_withdraws_what_was_not_sent(clerk: Client, order: Order) -> None:
    assert f"/orders/{order.order_no}/withdraw/" in clerk.get(f"/orders/{order.order_no}/").content.decode()
    assert "已撤回" in do(clerk, order, "withdraw")
    order.refresh_from_db()
    assert order.submission == Submission.WITHDRAWN
    assert order.events.get(kind=EventKind.WITHDRAWN).actor.username == "clerk"


def test_clerk_asks_the_platform_now(clerk: Client, accepted: Order, sent: list[tuple[str, int]]) -> None:
    do(clerk, accepted, "ask")
    assert accepted.events.filter(kind=EventKind.ASKED_BY_HAND, actor__username="clerk").count() == 1


@pytest.mark.parametrize("deed", ["ask", "cancel"])
def test_what_was_not_sent_is_neither_asked_for_nor_cancelled(clerk: Client, order: Order, deed: str) -> None:
    before = everything()
    assert "alert-danger" in do(clerk, order, deed)
    assert everything() == before


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
        (NotSent("refused"), "连不上平台"),
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
    Order.objects.filter(pk=accepted.pk).update(attention=Attention.CONFLICT)
    assert f"/orders/{accepted.order_no}/acknowledge/" in clerk.get(f"/orders/{accepted.order_no}/").content.decode()
    do(clerk, accepted, "acknowledge", note="平台确认成功")
    accepted.refresh_from_db()
    assert accepted.attention == ""
    assert "平台确认成功" in accepted.events.get(kind=EventKind.ACKNOWLEDGED).note


@pytest.mark.parametrize("note", ["", "   ", "x" * 201, "\x00"])
def test_mark_without_a_usable_note_changes_nothing(clerk: Client, accepted: Order, note: str) -> None:
    Order.objects.filter(pk=accepted.pk).update(attention=Attention.CONFLICT)
    before = everything()
    response = clerk.post(f"/orders/{accepted.order_no}/acknowledge/", {"note": note})
    assert response.status_code == 200
    assert "invalid-feedback" in response.content.decode()
    assert everything() == before


def test_auditor_sees_no_buttons(client: Client, accepted: Order) -> None:
    client.force_login(person("auditor"))
    text = client.get(f"/orders/{accepted.order_no}/").content.decode()
    assert not [deed for deed in DEEDS if f"/{deed}/" in text]
