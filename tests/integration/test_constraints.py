"""What must never be, the database itself refuses: each constraint is attacked with a plain UPDATE."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.history import AppendOnlyError
from recharge.choices import Attention, EventKind, Submission
from recharge.models import Balance, Order, OrderEvent

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ACCEPTED: dict[str, Any] = {
    "submission": Submission.ACCEPTED,
    "gateway_order_no": "W1",
    "next_push_at": None,
    "next_check_at": NOW,
}


def queued(order_no: str = "1") -> Order:
    clerk, _ = User.objects.get_or_create(username="clerk")
    return Order.objects.create(
        order_no=order_no,
        product="MOBILE",
        mobile="13800138000",
        face_value=50,
        placed_by=clerk,
        next_push_at=timezone.now(),
    )


@pytest.mark.parametrize(
    ("constraint", "start", "change"),
    [
        ("order_one_target", {}, {"mobile": ""}),
        ("order_face_value_positive", {}, {"face_value": 0}),
        ("order_amounts_not_negative", {}, {"cost_price": -1}),
        ("order_amounts_not_negative", {}, {"credited_amount": -1}),
        ("order_submission_known", {}, {"submission": "LOST", "next_push_at": None, "attention": "CONFLICT"}),
        ("order_speed_known", {}, {"speed": 7}),
        ("order_status_known", ACCEPTED, {"status": 13}),
        ("order_attention_known", {}, {"attention": "WHATEVER"}),
        ("order_number_of_platform_iff_accepted", {}, {"gateway_order_no": "W1"}),
        ("order_number_of_platform_iff_accepted", ACCEPTED, {"gateway_order_no": None}),
        ("order_number_of_platform_iff_accepted", ACCEPTED, {"gateway_order_no": ""}),
        ("order_status_only_if_accepted", {}, {"status": 1}),
        ("order_confirmed_only_with_status", ACCEPTED, {"confirmed_at": NOW}),
        ("order_settled_iff_over", {}, {"settled_at": NOW}),
        ("order_settled_iff_over", ACCEPTED, {"settled_at": NOW, "status": 2}),
        (
            "order_settled_iff_over",
            {},
            {"submission": Submission.WITHDRAWN, "next_push_at": None, "attention": "CONFLICT"},
        ),
        ("order_lease_iff_submitting", {}, {"submission": Submission.SUBMITTING, "next_push_at": None}),
        ("order_lease_iff_submitting", {}, {"lease_until": NOW}),
        ("order_push_due_iff_queued", {}, {"next_push_at": None}),
        ("order_push_due_iff_queued", ACCEPTED, {"next_push_at": NOW}),
        ("order_has_a_next_step", ACCEPTED, {"next_check_at": None}),
        ("order_has_a_next_step", {}, {"submission": Submission.UNKNOWN, "next_push_at": None}),
    ],
)
def test_database_refuses(constraint: str, start: dict[str, Any], change: dict[str, Any]) -> None:
    orders = Order.objects.filter(pk=queued().pk)
    orders.update(**start)
    before = orders.values().get()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        orders.update(**change)
    assert orders.values().get() == before


@pytest.mark.parametrize("column", ["order_no", "gateway_order_no", "nonce"])
def test_database_refuses_the_same_number_twice(column: str) -> None:
    first, second = queued("1"), queued("2")
    values = {"order_no": "1", "gateway_order_no": "W1", "nonce": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"}
    extra = ACCEPTED if column == "gateway_order_no" else {}
    Order.objects.filter(pk=first.pk).update(**{**extra, column: values[column]})
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(**{**extra, column: values[column]})


def test_database_refuses_to_replace_an_order_twice() -> None:
    dead, first, second = queued("1"), queued("2"), queued("3")
    Order.objects.filter(pk=first.pk).update(replaces=dead)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(replaces=dead)


def test_database_refuses_a_second_balance() -> None:
    with pytest.raises(IntegrityError, match="balance_one_row"), transaction.atomic():
        Balance.objects.create(pk=2)


def test_attention_is_a_next_step_too() -> None:
    order = queued()
    Order.objects.filter(pk=order.pk).update(
        submission=Submission.UNKNOWN, next_push_at=None, attention=Attention.OVERDUE
    )


def test_history_can_neither_be_changed_nor_deleted() -> None:
    event = OrderEvent.objects.create(order=queued(), kind=EventKind.PLACED)
    event.note = "changed"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    assert OrderEvent.objects.get().note == ""
