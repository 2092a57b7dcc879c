"""Whoever replaces checks at the last moment: a replacement never goes out while its original may have spent money."""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from django.test import Client, override_settings

from recharge.approvals import services as approving
from recharge.batches.services import assembling, draining, making, managing
from recharge.choices import BatchState, EventKind, MarkKind, Submission
from recharge.core.errors import NotReplaceable
from recharge.fulfilment.services import checking, reports, submission
from recharge.limits.services import emergency_stop
from recharge.models import Batch, Order, Spending
from recharge.operations.services import sweeping
from recharge.orders.services import interventions, placing
from tests import actions
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MOBILE = "13800138000"


@pytest.fixture
def original(platform: FakePlatform) -> Order:
    """Refused in clear words, although the platform has taken it."""
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=MOBILE, face_value=50)
    platform.behaviour = "reject_wrongly"
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.is_provably_unspent
    return order


def replace(original: Order) -> Order:
    return placing.place_mobile_order(placed_by=original.placed_by, mobile=MOBILE, face_value=50, replaces=original)


def comes_alive(order: Order, platform: FakePlatform, *, by: str) -> None:
    """The platform tells of it, by a callback or in answer to the query that follows on every refusal."""
    if by == "callback":
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, 1))
    else:
        Order.objects.filter(pk=order.pk).update(next_check_at=F("next_check_at") - dt.timedelta(minutes=6))
        checking.check_due_orders()
    order.refresh_from_db()
    assert not order.is_provably_unspent


def assert_held(replacement: Order, platform: FakePlatform, original: Order) -> None:
    replacement.refresh_from_db()
    assert replacement.order_no not in platform.books
    assert (replacement.submission, replacement.marked_as) == (
        Submission.AWAITING_APPROVAL,
        [MarkKind.REPLACEMENT_HELD],
    )
    assert replacement.counted_on is None
    assert known(replacement.events.last()).kind == EventKind.HELD
    assert original.order_no in known(replacement.events.last()).note


def shown_to_approver(address: str) -> str:
    client = Client()
    user = person("approver")
    user.user_permissions.add(Permission.objects.get(codename="change_batch"))
    client.force_login(user)
    return client.get(address).content.decode()


def page(order: Order, who: str = "clerk") -> str:
    client = Client()
    client.force_login(person(who))
    return client.get(f"/orders/{order.order_no}/").content.decode()


def test_a_refused_order_is_asked_about_once_some_minutes_later(original: Order, platform: FakePlatform) -> None:
    assert original.next_check_at
    comes_alive(original, platform, by="query")
    assert (original.submission, original.marked_as) == (Submission.ACCEPTED, [MarkKind.UNEXPECTED])


def test_a_refusal_that_the_query_bears_out_is_not_asked_about_again(platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=MOBILE, face_value=50)
    platform.behaviour = "reject"
    submission.submit_order(order_id=order.pk)
    Order.objects.update(next_check_at=F("next_check_at") - dt.timedelta(minutes=6))
    checking.check_due_orders()
    order.refresh_from_db()
    assert (order.submission, order.next_check_at, order.marked_as) == (Submission.REJECTED, None, [])
    assert order.is_provably_unspent


def test_an_order_is_replaced_once_whatever_became_of_its_replacement(original: Order) -> None:
    replacement = replace(original)
    interventions.withdraw(order_id=replacement.pk, actor=person("clerk"))
    with pytest.raises(NotReplaceable, match="已被代替过"):
        replace(original)


@pytest.mark.parametrize("by", ["callback", "query"])
def test_after_an_emergency_stop(original: Order, platform: FakePlatform, by: str) -> None:
    stop = emergency_stop.stop_everything(actor=person("clerk"), reason="why")
    replacement = replace(original)
    comes_alive(original, platform, by=by)
    assert 'data-to-be-held="1"' in shown_to_approver("/stop/go-on/")
    emergency_stop.go_on(stop_id=stop.pk, actor=person("approver"))
    submission.submit_order(order_id=replacement.pk)
    assert_held(replacement, platform, original)
    assert Spending.objects.get(person=None).amount == (50 if original.submission == Submission.ACCEPTED else 0)
    for order in (original, replacement):
        assert 'data-notice="chain"' in page(order)


def test_a_message_that_comes_twice_holds_it_once(original: Order, platform: FakePlatform) -> None:
    replacement = replace(original)
    comes_alive(original, platform, by="query")
    for _ in range(3):
        submission.submit_order(order_id=replacement.pk)
        sweeping.sweep()
    assert_held(replacement, platform, original)
    assert replacement.events.filter(kind=EventKind.HELD).count() == 1


def test_while_it_awaits_approval(original: Order, platform: FakePlatform) -> None:
    with override_settings(APPROVAL_ABOVE=10):
        replacement = replace(original)
    comes_alive(original, platform, by="query")
    client = Client()
    client.force_login(person("approver"))
    address = f"/approvals/orders/{replacement.order_no}/"
    assert 'data-notice="chain"' in client.get(address).content.decode()
    refused = client.post(address, {"decision": "approve", "password": "x"})
    assert "alert-danger" in refused.content.decode()
    with pytest.raises(NotReplaceable, match=original.order_no):
        approving.approve_order(order_id=replacement.pk, actor=person("approver"))
    replacement.refresh_from_db()
    assert replacement.submission == Submission.AWAITING_APPROVAL


def test_held_one_may_go_on_once_its_original_is_proven_dead_again(original: Order, platform: FakePlatform) -> None:
    replacement = replace(original)
    comes_alive(original, platform, by="query")
    submission.submit_order(order_id=replacement.pk)
    for status in (3, 4):
        platform.books[original.order_no].status = status
        actions.answer(original, platform.report(original.order_no))
    original.refresh_from_db()
    assert original.is_provably_unspent
    approving.approve_order(order_id=replacement.pk, actor=person("approver"))
    submission.submit_order(order_id=replacement.pk)
    replacement.refresh_from_db()
    assert (replacement.submission, replacement.marked_as) == (Submission.ACCEPTED, [])
    assert replacement.marks.get().closed_by == person("approver")


def test_held_one_can_be_withdrawn(original: Order, platform: FakePlatform) -> None:
    replacement = replace(original)
    comes_alive(original, platform, by="query")
    submission.submit_order(order_id=replacement.pk)
    interventions.withdraw(order_id=replacement.pk, actor=person("clerk"))
    replacement.refresh_from_db()
    assert (replacement.submission, replacement.marked_as) == (Submission.WITHDRAWN, [])


def test_no_replacement_of_a_replacement_gets_round_the_first_attempt(original: Order, platform: FakePlatform) -> None:
    """Withdrawn itself, the second attempt proves nothing about the first."""
    second = replace(original)
    comes_alive(original, platform, by="query")
    interventions.withdraw(order_id=second.pk, actor=person("clerk"))
    with pytest.raises(NotReplaceable, match=original.order_no):
        replace(Order.objects.get(pk=second.pk))


def test_third_attempt_is_held_when_the_first_comes_alive(original: Order, platform: FakePlatform) -> None:
    second = replace(original)
    interventions.withdraw(order_id=second.pk, actor=person("clerk"))
    third = replace(Order.objects.get(pk=second.pk))
    assert (second.first_attempt, third.first_attempt) == (original, original)
    comes_alive(original, platform, by="query")
    submission.submit_order(order_id=third.pk)
    assert_held(third, platform, original)


@pytest.fixture
def failed_batch(platform: FakePlatform) -> Batch:
    """Three orders, all refused in clear words, although the platform has taken them."""
    batch = batch_of(*mobiles(3), made_by=person("clerk"))
    Batch.objects.update(state=BatchState.RUNNING, canary_until=None)
    platform.behaviour, *platform.next_behaviours = ["reject_wrongly"] * 3
    draining.submit_batches()
    assert Order.objects.filter(submission=Submission.REJECTED).count() == 3
    Batch.objects.update(state=BatchState.HANDED_OVER)
    return batch


def anew(batch: Batch) -> Batch:
    new = making.make_again(
        batch_id=batch.pk, made_by=person("clerk"), nonce=uuid.uuid4(), orders_seen=3, money_seen=150
    )
    Batch.objects.filter(pk=new.pk).update(state=BatchState.RUNNING, canary_until=None)
    return new


def test_in_a_paused_batch(failed_batch: Batch, platform: FakePlatform) -> None:
    new = anew(failed_batch)
    managing.pause(batch_id=new.pk, actor=person("clerk"))
    alive = Order.objects.filter(batch=failed_batch).order_by("id")[1]
    comes_alive(alive, platform, by="query")
    others = Order.objects.filter(batch=failed_batch).exclude(pk=alive.pk)
    others.update(submission=Submission.REJECTED, gateway_order_no=None, status=None, confirmed_at=None, open_marks=0)
    assert 'data-to-be-held="1"' in shown_to_approver(f"/batches/{new.pk}/resume/")
    actions.resume(new, person("clerk"))
    draining.submit_batches()
    held = Order.objects.get(batch=new, replaces=alive)
    assert_held(held, platform, alive)
    assert held.order_no not in platform.books


def test_in_a_running_batch_the_others_go_on(failed_batch: Batch, platform: FakePlatform) -> None:
    new = anew(failed_batch)
    alive = Order.objects.filter(batch=failed_batch).order_by("id").first()
    assert alive
    reports.receive_callback(order_no=alive.order_no, report=platform.report(alive.order_no, 1))
    draining.submit_batches()
    held = Order.objects.get(batch=new, replaces=alive)
    assert_held(held, platform, alive)
    rest = Order.objects.filter(batch=new).exclude(pk=held.pk)
    assert set(rest.values_list("submission", flat=True)) == {Submission.ACCEPTED}
    sweeping.sweep()
    new.refresh_from_db()
    assert new.state == BatchState.HANDED_OVER


def test_in_a_batch_that_awaits_approval(failed_batch: Batch, platform: FakePlatform) -> None:
    with override_settings(APPROVAL_ABOVE=100):
        new = making.make_again(
            batch_id=failed_batch.pk, made_by=person("clerk"), nonce=uuid.uuid4(), orders_seen=3, money_seen=150
        )
    alive = Order.objects.filter(batch=failed_batch).order_by("id").first()
    assert alive
    reports.receive_callback(order_no=alive.order_no, report=platform.report(alive.order_no, 1))
    assert 'data-to-be-held="1"' in shown_to_approver(f"/approvals/batches/{new.pk}/")
    approving.approve_batch(batch_id=new.pk, actor=person("approver"))
    assert_held(Order.objects.get(batch=new, replaces=alive), platform, alive)
    assert Spending.objects.get(person=None).amount == 100


def test_what_failed_in_a_chain_with_a_living_attempt_is_not_placed_anew(
    failed_batch: Batch, platform: FakePlatform
) -> None:
    new = anew(failed_batch)
    for order in Order.objects.filter(batch=new):
        interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    Order.objects.filter(batch=new).update(submission=Submission.REJECTED)
    assert assembling.failed_orders(new).count() == 3
    alive = Order.objects.filter(batch=failed_batch).order_by("id").first()
    assert alive
    reports.receive_callback(order_no=alive.order_no, report=platform.report(alive.order_no, 1))
    assert assembling.failed_orders(new).count() == 2
