"""An order that the platform doesn't find: the vendor confirms that it never arrived, and two persons say so."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client

from recharge.books.services.invariants import declared_by_nobody
from recharge.choices import MARK_BITS, EventKind, MarkKind, PortalEventKind, Submission
from recharge.core.errors import NotYours, Outdated, TooLate
from recharge.core.events import record_of_portal
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Declaration, Order
from recharge.orders.services import declaring, placing
from tests import actions
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import confirm, hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
WORDS = "客服小王 11-28 电话：贵方这笔单我们没有收到"


def submitted(platform: FakePlatform, behaviour: str) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    platform.behaviour, platform.finds_by_our_number = behaviour, False
    submission.submit_order(order_id=order.pk)
    Order.objects.filter(pk=order.pk).update(submitted_at=F("submitted_at") - dt.timedelta(hours=25))
    return refreshed(order)


@pytest.fixture
def lost(platform: FakePlatform) -> Order:
    return submitted(platform, "lost")


@pytest.fixture
def declaration(lost: Order) -> Declaration:
    return declaring.declare(order_id=lost.pk, actor=person("clerk"), words=WORDS)


def refreshed(order: Order) -> Order:
    order.refresh_from_db()
    return order


def decide(declaration: Declaration, who: str = "approver", *, agrees: bool = True) -> Order:
    seen = actions.last_event(declaration.order)
    return declaring.decide(declaration_id=declaration.pk, actor=person(who), agrees=agrees, last_seen=seen)


def test_two_persons_make_it_one_that_never_arrived(lost: Order, declaration: Declaration) -> None:
    assert refreshed(lost).submission == Submission.UNKNOWN, "one person's word changes nothing"
    decide(declaration)
    refreshed(lost)
    assert (lost.submission, lost.is_provably_unspent) == (Submission.NOT_RECEIVED, True)
    assert lost.declared_at
    assert lost.events.get(kind=EventKind.DECLARED).note == WORDS
    assert known(lost.events.last()).kind == EventKind.AGREED
    again = placing.place_mobile_order(placed_by=lost.placed_by, mobile=lost.mobile, face_value=50, replaces=lost)
    assert again.submission == Submission.QUEUED


def test_nobody_agrees_with_himself(declaration: Declaration) -> None:
    with pytest.raises(NotYours):
        decide(declaration, "clerk")
    with pytest.raises(IntegrityError), transaction.atomic():
        Declaration.objects.update(decided_by=person("clerk"), agreed=True, decided_at=F("declared_at"))


def test_who_set_the_password_of_who_declared_is_no_second_person(lost: Order, declaration: Declaration) -> None:
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=person("approver"), about=person("clerk"))
    with pytest.raises(NotYours):
        decide(declaration)
    assert refreshed(lost).submission == Submission.UNKNOWN


def test_whoever_disagrees_leaves_it_unknown_and_it_may_be_declared_again(
    lost: Order, declaration: Declaration
) -> None:
    decide(declaration, agrees=False)
    assert refreshed(lost).submission == Submission.UNKNOWN
    with pytest.raises(TooLate):
        decide(declaration)
    declaring.declare(order_id=lost.pk, actor=person("clerk"), words=WORDS)


def test_it_is_declared_once_at_a_time(lost: Order, declaration: Declaration) -> None:
    with pytest.raises(TooLate):
        declaring.declare(order_id=lost.pk, actor=person("approver"), words=WORDS)


def test_not_before_the_waiting_time(lost: Order, client: Client) -> None:
    Order.objects.update(submitted_at=F("submitted_at") + dt.timedelta(hours=2))
    client.force_login(person("clerk"))
    shown = client.get(f"/orders/{lost.order_no}/").content.decode()
    assert "才可声明" in shown
    assert "/declare/" not in shown
    with pytest.raises(TooLate):
        declaring.declare(order_id=lost.pk, actor=person("clerk"), words=WORDS)


def test_what_the_platform_has_spoken_of_cannot_be_declared(platform: FakePlatform) -> None:
    order = submitted(platform, "hang")
    declaration = declaring.declare(order_id=order.pk, actor=person("clerk"), words=WORDS)
    report = platform.report(order.order_no, 1)
    reports.receive_callback(order_no=order.order_no, report=report)
    with pytest.raises(TooLate):
        decide(declaration)
    assert refreshed(order).submission == Submission.ACCEPTED


def test_what_happened_since_the_page_was_shown_is_shown_first(lost: Order, declaration: Declaration) -> None:
    seen = actions.last_event(lost)
    checking.check_order(order_id=lost.pk)
    with pytest.raises(Outdated):
        declaring.decide(declaration_id=declaration.pk, actor=person("approver"), agrees=True, last_seen=seen)
    assert refreshed(lost).submission == Submission.UNKNOWN


@pytest.mark.parametrize("by", ["callback", "query"])
def test_one_that_lives_after_all_comes_back_and_holds_its_replacement(platform: FakePlatform, by: str) -> None:
    order = submitted(platform, "hang")  # the vendor was wrong
    decide(declaring.declare(order_id=order.pk, actor=person("clerk"), words=WORDS))
    again = placing.place_mobile_order(placed_by=order.placed_by, mobile=order.mobile, face_value=50, replaces=order)
    if by == "callback":
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 1))
    else:
        assert refreshed(order).next_check_at, "it is asked about once more"
        platform.finds_by_our_number = True
        Order.objects.filter(pk=order.pk).update(next_check_at=F("placed_at"), asked_at=None)
        checking.check_due_orders()
    assert refreshed(order).marked_as == [MarkKind.UNEXPECTED]
    submission.submit_order(order_id=again.pk)
    assert again.order_no not in platform.books
    assert refreshed(again).marked_as == [MarkKind.REPLACEMENT_HELD]


@pytest.mark.books_broken("never_arrived")
def test_the_books_know_who_declared_it(lost: Order, declaration: Declaration) -> None:
    decide(declaration)
    assert not list(declared_by_nobody(Order.objects.all()))
    Declaration.objects.update(agreed=False)
    assert list(declared_by_nobody(Order.objects.all())) == [lost.order_no]
    Order.objects.update(declared_at=None)
    assert list(declared_by_nobody(Order.objects.all())) == [lost.order_no]


def test_in_the_browser(lost: Order, client: Client) -> None:
    client.force_login(person("clerk"))
    assert f"/orders/{lost.order_no}/declare/" in client.get(f"/orders/{lost.order_no}/").content.decode()
    confirm(client, f"/orders/{lost.order_no}/declare/", words=WORDS)
    declaration = Declaration.objects.get()
    approver = person("approver")
    approver.set_password("a-long-enough-password")
    approver.save()
    client.force_login(approver)
    assert lost.order_no[:4] in client.get("/approvals/").content.decode()
    address = f"/approvals/declarations/{declaration.pk}/"
    shown = client.get(address)
    assert WORDS in shown.content.decode()
    typed = {"decision": "approve", "password": "a-long-enough-password"}
    queue = client.post(address, {**hidden_fields(shown), **typed}, follow=True)
    assert queue.redirect_chain == [("/approvals/", 302)]
    assert f"订单 {lost.order_no} 按平台未收到处理" in queue.content.decode()
    page = client.get(f"/orders/{lost.order_no}/").content.decode()
    assert f'data-declaration="{declaration.pk}"' in page
    assert "声明，而非查证" in page
    assert refreshed(lost).submission == Submission.NOT_RECEIVED
    assert client.get("/approvals/declarations/999/").status_code == 404


def test_the_page_says_beforehand_who_may_not_agree(declaration: Declaration, client: Client) -> None:
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=person("approver"), about=person("clerk"))
    client.force_login(person("approver"))
    page = client.get(f"/approvals/declarations/{declaration.pk}/").content.decode()
    assert "密码由您设置" in page
    assert 'name="decision"' not in page


def test_the_page_offers_no_consent_that_would_be_refused(declaration: Declaration, client: Client) -> None:
    Order.objects.update(doubts=F("doubts").bitor(MARK_BITS[MarkKind.UNEXPECTED]))
    client.force_login(person("approver"))
    page = client.get(f"/approvals/declarations/{declaration.pk}/").content.decode()
    assert "data-why-no-approval" in page
    assert 'value="approve"' not in page
    assert 'value="reject"' in page
