"""Placing a top-up, below the form: numbers, nonces, duplicates."""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from portal import platform as platform_settings
from recharge.choices import Speed, Submission
from recharge.core import phone_numbers, queue
from recharge.core.errors import DuplicateOrder, FormAlreadyUsed, InvalidOrder, NotConfigured, TooLate
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import rules
from recharge.models import Order
from recharge.orders.services import interventions, placing
from tests.fake_platform import FakePlatform
from tests.people import person

Messages = list[tuple[str, int]]


def place(clerk: User, **changes: object) -> Order:
    return placing.place_mobile_order(
        **{"placed_by": clerk, "mobile": "13800138000", "face_value": 50, **changes}  # type: ignore[arg-type]
    )


@pytest.mark.django_db(transaction=True)
def test_worker_is_told_only_after_the_row_is_there(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    order = place(clerk_user)
    assert sent == [(queue.SUBMIT, order.pk)]
    assert order.submission == Submission.QUEUED


@pytest.mark.django_db(transaction=True)
def test_broker_that_is_down_loses_no_order(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(task: str, order_id: int) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(queue, "send", fail)
    order = place(clerk_user)
    assert Order.objects.get().next_push_at
    assert order.submission == Submission.QUEUED


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("mobile", {"mobile": "1380013800"}),
        ("mobile", {"mobile": "12800138000"}),
        ("mobile", {"mobile": "17012345678"}),
        ("mobile", {"mobile": "14912345678"}),
        ("mobile", {"mobile": ""}),
        ("mobile", {"mobile": "1380013800\x00"}),
        ("face_value", {"face_value": 51}),
        ("face_value", {"face_value": 0}),
        ("face_value", {"face_value": -50}),
    ],
)
def test_value_that_no_order_may_have_is_refused(
    clerk_user: User, platform: FakePlatform, sent: Messages, field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        place(clerk_user, **changes)
    assert refusal.value.field == field
    assert not Order.objects.exists()
    assert not sent


def test_nothing_is_placed_without_credentials(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform_settings, "is_configured", lambda: False)
    with pytest.raises(NotConfigured):
        place(clerk_user)
    assert not Order.objects.exists()


def test_same_form_makes_one_order(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    nonce = uuid.uuid4()
    assert place(clerk_user, nonce=nonce) == place(clerk_user, nonce=nonce)
    assert Order.objects.count() == 1


def test_used_form_with_other_contents_is_refused(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    nonce = uuid.uuid4()
    first = place(clerk_user, nonce=nonce)
    for changes in ({"mobile": "13900139000"}, {"face_value": 100}, {"speed": Speed.SLOW}):
        with pytest.raises(FormAlreadyUsed) as refusal:
            place(clerk_user, nonce=nonce, **changes)
        assert refusal.value.order == first
    assert Order.objects.count() == 1


def test_same_value_again_within_a_day_needs_a_reason(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    first = place(clerk_user)
    with pytest.raises(DuplicateOrder) as refusal:
        place(clerk_user, mobile="+86 138-0013-8000")
    assert refusal.value.earlier == first
    assert Order.objects.count() == 1
    assert place(clerk_user, duplicate_reason="two phones, one number").duplicate_reason
    place(clerk_user, face_value=100)
    place(clerk_user, mobile="13900139000")


def test_a_reason_given_for_one_order_is_none_for_a_later_one(
    clerk_user: User, platform: FakePlatform, sent: Messages
) -> None:
    first = place(clerk_user)
    second = place(clerk_user, duplicate_reason="two phones", duplicate_of=first.order_no)
    with pytest.raises(DuplicateOrder) as refusal:
        place(clerk_user, duplicate_reason="two phones", duplicate_of=first.order_no)
    assert refusal.value.earlier == second
    place(clerk_user, duplicate_reason="three phones", duplicate_of=second.order_no)
    assert Order.objects.count() == 3


def test_dead_or_old_orders_are_no_duplicates(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    interventions.withdraw(order_id=place(clerk_user).pk, actor=clerk_user)
    order = place(clerk_user)
    submission.submit_order(order_id=order.pk)
    old = {moment: F(moment) - rules.DUPLICATE_WINDOW for moment in ("placed_at", "submitted_at")}
    Order.objects.update(**old)
    with pytest.raises(DuplicateOrder):
        place(clerk_user)  # old, but still open
    platform.books[order.order_no].status = 2
    checking.check_order(order_id=order.pk)
    place(clerk_user)


def test_order_that_was_handed_over_within_a_day_is_a_duplicate_whenever_it_was_placed(
    clerk_user: User, platform: FakePlatform, sent: Messages
) -> None:
    order = place(clerk_user)
    Order.objects.update(placed_at=F("placed_at") - dt.timedelta(days=3))  # a weekend without anybody to approve it
    submission.submit_order(order_id=order.pk)
    platform.books[order.order_no].status = 2
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.settled_at
    with pytest.raises(DuplicateOrder):
        place(clerk_user)
    Order.objects.update(submitted_at=F("submitted_at") - rules.DUPLICATE_WINDOW)
    place(clerk_user)


def test_what_came_after_a_dead_order_is_shown_before_that_is_placed_again(
    clerk_user: User, platform: FakePlatform, sent: Messages
) -> None:
    dead = place(clerk_user)
    platform.behaviour = "reject"
    submission.submit_order(order_id=dead.pk)
    later = place(clerk_user)
    submission.submit_order(order_id=later.pk)
    platform.books[later.order_no].status = 2
    checking.check_order(order_id=later.pk)
    days = dt.timedelta(days=3)
    Order.objects.update(placed_at=F("placed_at") - days, submitted_at=F("submitted_at") - days)
    with pytest.raises(DuplicateOrder) as refusal:
        place(clerk_user, replaces=dead)
    assert refusal.value.earlier == later
    assert place(clerk_user, replaces=dead, duplicate_reason="once more").replaces == dead


@pytest.mark.parametrize("behaviour", ["accept", "hang"])
def test_order_that_was_taken_up_cannot_be_withdrawn(
    clerk_user: User, platform: FakePlatform, sent: Messages, behaviour: str
) -> None:
    order = place(clerk_user)
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    before = Order.objects.values().get()
    with pytest.raises(TooLate):
        interventions.withdraw(order_id=order.pk, actor=clerk_user)
    assert Order.objects.values().get() == before


def test_withdrawn_order_is_never_pushed(clerk_user: User, platform: FakePlatform, sent: Messages) -> None:
    order = place(clerk_user)
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.WITHDRAWN
    assert not platform.books


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 138 0013 8000",
        "+8613800138000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
        " 138\u00a00013\u30008000\n",
        "(138) 0013.8000",
    ],
)
def test_number_in_any_usual_form_becomes_eleven_digits(text: str) -> None:
    assert phone_numbers.normalize(text) == "13800138000"


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_clear_refusal(text: str) -> None:
    try:
        digits = phone_numbers.normalize(text)
    except phone_numbers.InvalidMobile as refusal:
        digits = ""
        reason = str(refusal)
    assert digits.isascii() if digits else reason


def test_numbers_are_masked_and_grouped_for_people() -> None:
    assert phone_numbers.masked("13800138000") == "138****8000"
    assert phone_numbers.grouped("13800138000") == "138 0013 8000"


def test_a_note_goes_on_with_a_replacement(clerk_user: User, platform: FakePlatform) -> None:
    order = placing.place_mobile_order(
        placed_by=clerk_user, mobile="13800138000", face_value=50, note="  王姐 三号店  "
    )
    assert order.note == "王姐 三号店"
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    order.refresh_from_db()
    again = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50, replaces=order)
    assert again.note == order.note


def test_a_note_is_typed_in_the_form(client: Client, clerk_user: User, platform: FakePlatform) -> None:
    client.force_login(person("clerk"))
    client.post("/orders/new/", {"mobile": "13800138000", "face_value": "50", "note": "王姐"})
    order = Order.objects.get()
    assert order.note == "王姐"
    assert "王姐" in client.get(f"/orders/{order.order_no}/").content.decode()
    too_long = client.post("/orders/new/", {"mobile": "13900139000", "face_value": "50", "note": "长" * 201})
    assert too_long.status_code == 200
    assert Order.objects.count() == 1
