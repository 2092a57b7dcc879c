"""A number is suspended after its money has arrived: a case for the desk, which may hold slow top-ups."""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from recharge.batches.services import draining, making, preview
from recharge.choices import EventKind, MarkKind, Speed, Submission
from recharge.core.errors import BadLines, InvalidOrder, Outdated, TooLate
from recharge.fulfilment.services import submission, transitions
from recharge.limits.services import accounts, restore_guard, slow_hold
from recharge.models import Order, SlowHold
from recharge.operations.services import sweeping
from recharge.operations.services.standstill import standstills
from recharge.orders import wording
from recharge.orders.services import placing, suspending
from tests import books
from tests.actions import acknowledge, make_again
from tests.batches import batch_of, mobile, upload
from tests.fake_platform import FakePlatform
from tests.pages import confirm
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def place(number: int = 1, speed: Speed = Speed.SLOW) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile(number), face_value=50, speed=speed)


def succeed(order: Order, platform: FakePlatform) -> Order:
    submission.submit_order(order_id=order.pk)
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(status=2, confirmed_at=now, settled_at=now, next_check_at=None)
    order.refresh_from_db()
    return order


@pytest.fixture
def arrived(platform: FakePlatform) -> Order:
    return succeed(place(), platform)


def hold() -> SlowHold:
    assert slow_hold.start(actor=person("clerk"), reason="多个号码被停机")
    return SlowHold.objects.get(on=True)


def release() -> None:
    slow_hold.release(hold_id=SlowHold.objects.get(on=True).pk, actor=person("approver"), reason="供应商已处理")


def test_it_is_a_case_and_stays_a_success(arrived: Order) -> None:
    before = (arrived.status, arrived.settled_at, arrived.is_provably_unspent, arrived.doubts)
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="客户来电，次日停机")
    arrived.refresh_from_db()
    assert arrived.marked_as == [MarkKind.SUSPENDED]
    assert arrived in Order.objects.cases()
    assert (arrived.status, arrived.settled_at, arrived.is_provably_unspent, arrived.doubts) == before
    event = arrived.events.last()
    assert event
    assert (event.kind, event.actor, event.note) == (EventKind.SUSPENDED, person("clerk"), "客户来电，次日停机")
    assert slow_hold.current() is None


def test_customer_and_vendor_are_told_what_is_so(client: Client, arrived: Order) -> None:
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="停机")
    arrived.refresh_from_db()
    assert "已到账" in wording.for_customer(arrived)
    assert "款项到账后号码被停机，请查明原因并告知。" in wording.for_vendor(arrived, person("clerk"))
    assert wording.can_have_receipt(arrived)


def test_the_number_is_hidden_in_the_reason_of_a_hold_like_elsewhere(client: Client, arrived: Order) -> None:
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note=f"{arrived.mobile} 停机", hold_slow=True)
    other = User.objects.create_user("other")
    other.groups.set(person("clerk").groups.all())
    client.force_login(other)
    for shown in ("/orders/new/", "/slow/"):
        page = client.get(shown).content.decode()
        assert "data-slow-hold" in page or "暂停人" in page
        assert arrived.mobile not in page


def test_a_person_deals_with_it_and_it_may_come_again(arrived: Order) -> None:
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="停机")
    acknowledge(Order.objects.get(), person("clerk"))
    assert not Order.objects.cases().exists()
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="又停机")
    assert Order.objects.cases().count() == 1


@pytest.mark.parametrize("status", [None, 1, 3, 4])
def test_only_of_what_has_arrived_can_it_be_said(platform: FakePlatform, status: int | None) -> None:
    order = place()
    submission.submit_order(order_id=order.pk)
    Order.objects.update(status=status)
    with pytest.raises(TooLate):
        suspending.report(order_id=order.pk, actor=person("clerk"), note="停机", hold_slow=True)
    assert (order.events.filter(kind=EventKind.SUSPENDED).count(), SlowHold.objects.count()) == (0, 0)


def test_the_pages_of_it(client: Client, arrived: Order) -> None:
    client.force_login(person("clerk"))
    address = f"/orders/{arrived.order_no}/"
    assert f"{address}suspended/" in client.get(address).content.decode()
    assert "暂停全部慢充" in client.get(f"{address}suspended/").content.decode()
    confirm(client, f"{address}suspended/", note="客户来电", hold_slow="on")
    page = client.get(address).content.decode()
    assert "到账后号码被停机" in page
    assert "慢充已暂停" in page  # in its history
    assert "到账后号码被停机" in client.get("/attention/").content.decode()
    hold = SlowHold.objects.get()
    assert (hold.on, hold.order, hold.started_by) == (True, arrived, person("clerk"))
    for shown in ("/orders/new/", "/batches/new/", "/slow/"):
        assert "客户来电" in client.get(shown).content.decode(), shown
    assert client.get("/slow/release/").status_code == 403
    client.force_login(person("approver"))
    confirm(client, "/slow/release/", reason="供应商已处理")
    hold.refresh_from_db()
    assert (hold.on, hold.ended_by, hold.ended_reason) == (False, person("approver"), "供应商已处理")
    assert "供应商已处理" in client.get("/slow/").content.decode()


def test_a_fast_order_offers_no_hold(client: Client, platform: FakePlatform) -> None:
    order = succeed(place(speed=Speed.FAST), platform)
    client.force_login(person("clerk"))
    assert "暂停全部慢充" not in client.get(f"/orders/{order.order_no}/suspended/").content.decode()
    confirm(client, f"/orders/{order.order_no}/suspended/", note="停机", hold_slow="on")
    assert Order.objects.cases().count() == 1
    assert not SlowHold.objects.exists()


def test_a_release_without_a_reason_releases_nothing(client: Client, platform: FakePlatform) -> None:
    hold()
    client.force_login(person("approver"))
    client.post("/slow/release/", {"seen": str(SlowHold.objects.get().pk), "reason": ""})
    assert slow_hold.current()


def test_a_release_is_of_the_hold_that_was_shown(platform: FakePlatform) -> None:
    shown = hold()
    release()
    with pytest.raises(TooLate):
        slow_hold.release(hold_id=shown.pk, actor=person("approver"), reason="x")
    hold()
    with pytest.raises(Outdated):
        slow_hold.release(hold_id=shown.pk, actor=person("approver"), reason="x")
    assert slow_hold.current()


def test_there_is_one_hold_at_a_time_and_the_first_one_stands(arrived: Order) -> None:
    first = hold()
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="停机", hold_slow=True)
    assert SlowHold.objects.get() == first
    assert arrived.events.filter(kind=EventKind.SUSPENDED).count() == 1


# --- what is held ----------------------------------------------------------------------------------------------


def test_no_slow_top_up_is_placed_but_fast_ones_are(client: Client, platform: FakePlatform) -> None:
    hold()
    with pytest.raises(InvalidOrder, match="慢充已暂停：多个号码被停机") as refused:
        place()
    assert refused.value.field == "speed"
    assert not Order.objects.exists()
    place(speed=Speed.FAST)
    client.force_login(person("clerk"))
    page = client.post("/orders/new/", {"mobile": mobile(2), "face_value": "50", "speed": "0"}).content.decode()
    assert "慢充已暂停：多个号码被停机" in page
    release()
    place(3)


def test_slow_lines_of_a_list_can_not_be_placed(platform: FakePlatform) -> None:
    hold()
    draft = upload(person("clerk"), [f"{mobile(1)},50,慢", f"{mobile(2)},50,快"])
    seen = preview.preview(draft)
    assert (seen.bad, seen.placeable.orders) == (1, 1)
    with pytest.raises(BadLines, match="慢充已暂停"):
        making.make_batch(draft=draft, made_by=person("clerk"))
    assert not Order.objects.exists()


def test_what_is_queued_waits_and_goes_out_once_afterwards(platform: FakePlatform, sent: list[tuple[str, int]]) -> None:
    order, fast = place(), place(2, Speed.FAST)
    hold()
    sent.clear()
    for one in (order, fast):
        submission.submit_order(order_id=one.pk)
    assert list(platform.books) == [fast.order_no]
    Order.objects.filter(pk=order.pk).update(next_push_at=timezone.now() - dt.timedelta(hours=1))
    sweeping.sweep()
    assert sent == []
    assert standstills() == []
    release()
    sweeping.sweep()
    assert [order_id for _task, order_id in sent] == [order.pk]
    submission.submit_order(order_id=order.pk)
    assert platform.books[order.order_no].pushes == 1


def test_the_claim_itself_asks_for_it(platform: FakePlatform) -> None:
    """A hold that begins after the worker has looked, and before it takes the order up."""
    order = place()
    assert accounts.is_confirmed()
    hold()
    generation = restore_guard.token()
    assert generation is not None
    with transaction.atomic():
        assert not transitions.claim(order, submission.lease(), generation)
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED
    release()
    with transaction.atomic():
        assert transitions.claim(order, submission.lease(), generation)


def test_of_a_batch_the_fast_ones_go_and_the_slow_ones_wait(client: Client, platform: FakePlatform) -> None:
    lines = [f"{mobile(number)},50,{'慢' if number % 2 else '快'}" for number in range(1, 7)]
    batch = batch_of(*lines, made_by=person("clerk"))
    hold()
    for _turn in range(3):
        draining.submit_batches()
        sweeping.sweep()
    sent = batch.orders.exclude(submission=Submission.QUEUED)
    assert not sent.filter(speed=Speed.SLOW).exists()
    client.force_login(person("clerk"))
    assert "data-slow-hold" in client.get(f"/batches/{batch.pk}/").content.decode()
    waiting = batch.orders.filter(speed=Speed.SLOW).first()
    assert waiting
    assert "data-slow-hold" in client.get(f"/orders/{waiting.order_no}/").content.decode()
    release()
    for _turn in range(4):
        draining.submit_batches()
        sweeping.sweep()
    assert not batch.orders.filter(submission=Submission.QUEUED).exists()
    assert all(booked.pushes == 1 for booked in platform.books.values())
    assert len(platform.books) == 6


def test_failed_ones_of_a_batch_are_not_placed_again(platform: FakePlatform) -> None:
    batch = batch_of(f"{mobile(1)},50,慢", f"{mobile(2)},50,快", made_by=person("clerk"))
    platform.behaviour, platform.next_behaviours = "reject", ["reject"]
    draining.submit_batches()
    draining.submit_batches()
    assert batch.orders.filter(submission=Submission.REJECTED).count() == 2
    hold()
    again = make_again(batch, person("clerk"), nonce=uuid.uuid4())
    assert [order.speed for order in again.orders.all()] == [Speed.FAST]


def test_cards_go_on(clerk_user: User, request: pytest.FixtureRequest) -> None:
    card = request.getfixturevalue("card")
    hold()
    placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)


@pytest.mark.parametrize("change", [{"on": False}, {"ended_reason": "x"}, {"on": False, "ended_at": Now()}])
def test_the_database_refuses_half_an_end(platform: FakePlatform, change: dict[str, object]) -> None:
    started = hold()
    with pytest.raises(IntegrityError, match="slow_hold_off_iff_ended"), transaction.atomic():
        SlowHold.objects.filter(pk=started.pk).update(**change)


def test_the_books_hold(arrived: Order) -> None:
    suspending.report(order_id=arrived.pk, actor=person("clerk"), note="停机", hold_slow=True)
    assert not books.broken()
