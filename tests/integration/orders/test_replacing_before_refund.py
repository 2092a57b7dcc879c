"""Placing again before the refund shows: at a failure that the platform's own answer confirms, with a second person."""

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from recharge.approvals import services as approving
from recharge.batches.services import assembling, draining, making
from recharge.books.services.invariants import living_twice
from recharge.choices import BatchState, EventKind, MarkKind, Submission
from recharge.core.errors import NothingToPlace, NotReplaceable, NotYours, Outdated
from recharge.fulfilment.services import replacing, reports, submission
from recharge.models import Batch, Order
from recharge.orders.services import interventions, placing
from tests import actions
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MOBILE = "13800138000"


@pytest.fixture
def original(platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=MOBILE, face_value=50, note="for Li")
    submission.submit_order(order_id=order.pk)
    return refreshed(order)


@pytest.fixture(params=[3, 9])
def failed(request: pytest.FixtureRequest, original: Order, platform: FakePlatform) -> Order:
    answers(original, platform, request.param)
    return refreshed(original)


def refreshed(order: Order) -> Order:
    order.refresh_from_db()
    return order


def says(order: Order, platform: FakePlatform, status: int) -> None:
    """A callback, which is hearsay."""
    platform.books[order.order_no].status = status
    reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))


def answers(order: Order, platform: FakePlatform, status: int) -> None:
    """The platform's own answer to a query."""
    platform.books[order.order_no].status = status
    actions.answer(order, platform.report(order.order_no))


def replace(order: Order) -> Order:
    return placing.place_mobile_order(placed_by=order.placed_by, mobile=MOBILE, face_value=50, replaces=order)


def page(order: Order, who: str = "clerk") -> str:
    client = Client()
    client.force_login(person(who))
    return client.get(f"/orders/{order.order_no}/").content.decode()


def test_it_waits_for_a_second_person_whatever_its_value(failed: Order, platform: FakePlatform) -> None:
    assert "由第二人批准后重新下单" in page(failed)
    replacement = replace(failed)
    assert replacement.submission == Submission.AWAITING_APPROVAL
    assert replacement.note == "for Li"
    with pytest.raises(NotYours):
        actions.approve(replacement, person("clerk"))
    actions.approve(replacement, person("approver"), "told the customer")
    submission.submit_order(order_id=replacement.pk)
    refreshed(replacement)
    assert replacement.submission == Submission.ACCEPTED
    assert known(replacement.proof).order == failed
    approval = replacement.events.get(kind=EventKind.APPROVED)
    assert failed.order_no in approval.note
    assert "told the customer" in approval.note
    assert not list(living_twice(Order.objects.all()))
    assert 'data-attempts="2"' in page(failed)
    assert "data-notice" not in page(failed)


def test_the_refund_that_comes_later_breaks_nothing(failed: Order, platform: FakePlatform) -> None:
    replacement = replace(failed)
    actions.approve(replacement, person("approver"))
    submission.submit_order(order_id=replacement.pk)
    says(failed, platform, 4)
    assert not list(living_twice(Order.objects.all())), "a callback that tells of the refund is no sign of life"
    answers(failed, platform, 4)
    assert refreshed(failed).is_provably_unspent


def test_once_the_refund_is_confirmed_no_proof_is_named(failed: Order, platform: FakePlatform) -> None:
    replacement = replace(failed)
    answers(failed, platform, 4)
    approving.approve_order(order_id=replacement.pk, actor=person("approver"))
    assert refreshed(replacement).proof is None
    submission.submit_order(order_id=replacement.pk)
    assert refreshed(replacement).submission == Submission.ACCEPTED


@pytest.mark.parametrize("status", [3, 4, 9, 10, 11, 1, 5, 12, 2])
def test_a_callback_alone_allows_nothing(original: Order, platform: FakePlatform, status: int) -> None:
    if status == 10:
        says(original, platform, 2)
    says(original, platform, status)
    with pytest.raises(NotReplaceable):
        replace(refreshed(original))
    assert "replaces=" not in page(original)
    assert ("data-locked" in page(original)) == (status != 2), "it says which evidence is missing"


def test_nobody_approves_without_having_read_the_proof(failed: Order) -> None:
    replacement = replace(failed)
    for seen in (0, actions.last_event(replacement)):
        with pytest.raises(Outdated):
            approving.approve_order(order_id=replacement.pk, actor=person("approver"), proof_seen=seen)
    assert refreshed(replacement).submission == Submission.AWAITING_APPROVAL


def test_the_approver_is_shown_the_proof_and_names_it(failed: Order, client: Client) -> None:
    replacement = replace(failed)
    approver = person("approver")
    approver.set_password("a-long-enough-password")
    approver.save()
    client.force_login(approver)
    address = f"/approvals/orders/{replacement.order_no}/"
    shown = client.get(address)
    assert 'data-notice="proof"' in shown.content.decode()
    typed = {"decision": "approve", "password": "a-long-enough-password"}
    client.post(address, typed)
    assert refreshed(replacement).submission == Submission.AWAITING_APPROVAL
    client.post(address, {**hidden_fields(shown), **typed})
    assert refreshed(replacement).submission == Submission.QUEUED
    assert known(replacement.proof).pk == int(hidden_fields(shown)["proof_seen"])


@pytest.mark.parametrize("code", [2, 10, 11, 1])
def test_it_is_held_when_its_original_comes_alive_after_the_approval(
    failed: Order, platform: FakePlatform, code: int
) -> None:
    replacement = replace(failed)
    actions.approve(replacement, person("approver"))
    says(failed, platform, code)
    submission.submit_order(order_id=replacement.pk)
    refreshed(replacement)
    assert replacement.order_no not in platform.books
    assert (replacement.submission, replacement.marked_as) == (
        Submission.AWAITING_APPROVAL,
        [MarkKind.REPLACEMENT_HELD],
    )
    with pytest.raises(NotReplaceable, match=failed.order_no):
        actions.approve(replacement, person("approver"))


@pytest.mark.parametrize("heard", ["callback", "answer", "unreadable"])
def test_it_is_held_when_something_that_nobody_understands_was_heard(
    failed: Order, platform: FakePlatform, heard: str
) -> None:
    replacement = replace(failed)
    actions.approve(replacement, person("approver"))
    if heard == "callback":
        says(failed, platform, 98)
    elif heard == "answer":
        answers(failed, platform, 99)
    else:
        reports.keep_unreadable_callback(order_no=failed.order_no, raw="status=2.0")
    assert refreshed(failed).marked_as == [MarkKind.UNKNOWN_CODE]
    assert not failed.is_confirmed_failed
    assert known(failed.next_check_at)
    submission.submit_order(order_id=replacement.pk)
    assert refreshed(replacement).marked_as == [MarkKind.REPLACEMENT_HELD]
    assert replacement.order_no not in platform.books


def test_what_was_refunded_is_not_replaced_after_something_that_nobody_understands(
    original: Order, platform: FakePlatform
) -> None:
    answers(original, platform, 4)
    assert refreshed(original).is_provably_unspent
    reports.keep_unreadable_callback(order_no=original.order_no, raw="status=2.0")
    with pytest.raises(NotReplaceable):
        replace(refreshed(original))


def test_an_original_that_comes_alive_afterwards_breaks_the_books(failed: Order, platform: FakePlatform) -> None:
    replacement = replace(failed)
    actions.approve(replacement, person("approver"))
    submission.submit_order(order_id=replacement.pk)
    says(failed, platform, 2)
    assert list(living_twice(Order.objects.all())) == [replacement.order_no]
    assert 'data-notice="chain"' in page(failed)
    Order.objects.filter(pk=failed.pk).update(doubts=0)  # for the check after each test


def test_a_part_that_arrived_locks_it(failed: Order, platform: FakePlatform) -> None:
    Order.objects.filter(pk=failed.pk).update(credited_amount=20)
    with pytest.raises(NotReplaceable):
        replace(refreshed(failed))
    Order.objects.filter(pk=failed.pk).update(credited_amount=None)


def test_what_was_taken_back_whole_is_not_said_to_have_arrived_in_part(original: Order, platform: FakePlatform) -> None:
    answers(original, platform, 2)
    says(original, platform, 10)
    Order.objects.filter(pk=original.pk).update(credited_amount=50)
    locked = page(original).partition("data-locked>")[2].partition("</p>")[0]
    assert "该金额已收回" in locked
    assert "部分到账" not in locked
    Order.objects.filter(pk=original.pk).update(credited_amount=49, part_arrived=True)
    assert "部分到账" in page(original).partition("data-locked>")[2].partition("</p>")[0]


def test_a_chain_is_shown_whole(failed: Order, platform: FakePlatform) -> None:
    second = replace(failed)
    actions.approve(second, person("approver"))
    submission.submit_order(order_id=second.pk)
    answers(second, platform, 3)
    third = replace(refreshed(second))
    assert [proof.attempt for proof in replacing.proofs(third)] == [failed, second]
    actions.approve(third, person("approver"))
    submission.submit_order(order_id=third.pk)
    assert refreshed(third).submission == Submission.ACCEPTED
    for order in (failed, second, third):
        shown = page(order)
        assert 'data-attempts="3"' in shown
        assert "第 3 次" in shown


def test_two_clerks_place_it_again_once(failed: Order) -> None:
    replace(failed)
    with pytest.raises(NotReplaceable):
        replace(failed)


def test_the_database_refuses_a_proof_that_nobody_approved(failed: Order) -> None:
    replacement = replace(failed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=replacement.pk).update(proof=replacing.proofs(replacement)[0].event)


def test_a_batch_of_failed_orders_takes_none_whose_refund_is_awaited(platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(2), made_by=person("clerk"))
    Batch.objects.update(state=BatchState.RUNNING, canary_until=None)
    draining.submit_batches()
    for order, status in zip(Order.objects.filter(batch=batch), (3, 9), strict=True):
        answers(order, platform, status)
    assert not assembling.failed_orders(batch).exists()
    with pytest.raises(NothingToPlace):
        making.make_again(batch_id=batch.pk, made_by=person("clerk"), nonce=uuid.uuid4(), orders_seen=0, money_seen=0)


def test_a_replacement_of_a_withdrawn_one_needs_the_second_person_as_well(failed: Order) -> None:
    second = replace(failed)
    interventions.withdraw(order_id=second.pk, actor=person("clerk"))
    third = replace(refreshed(second))
    assert third.submission == Submission.AWAITING_APPROVAL


def test_one_that_nobody_approved_is_held_although_its_original_has_failed_for_certain(platform: FakePlatform) -> None:
    """It was refused in clear words, placed again without anybody's approval, and was carried out all the same."""
    first = placing.place_mobile_order(placed_by=person("clerk"), mobile=MOBILE, face_value=50)
    platform.behaviour = "reject_wrongly"
    submission.submit_order(order_id=first.pk)
    second = replace(refreshed(first))
    assert second.submission == Submission.QUEUED
    answers(first, platform, 3)
    submission.submit_order(order_id=second.pk)
    assert second.order_no not in platform.books
    assert refreshed(second).marked_as == [MarkKind.REPLACEMENT_HELD]
    actions.approve(second, person("approver"))
    submission.submit_order(order_id=second.pk)
    assert refreshed(second).submission == Submission.ACCEPTED
