"""What must never be, the database itself refuses: each constraint is attacked with a plain UPDATE."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from portal.kit.history import AppendOnlyError
from recharge.choices import MARK_BITS, BatchEventKind, BatchState, Brake, EventKind, MarkKind, Submission
from recharge.models import Balance, Batch, BatchEvent, EmergencyStop, Order, OrderEvent, Pace, Spending

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
        ("order_number_known_from_somebody", {}, {"carrier": "CMCC"}),
        ("order_number_known_from_somebody", {}, {"known_from": "HINT", "ported": True}),
        ("order_number_known_from_somebody", {}, {"known_from": "RUMOUR"}),
        ("order_amounts_not_negative", {}, {"cost_price": -1}),
        ("order_amounts_not_negative", {}, {"credited_amount": -1}),
        ("order_submission_known", {}, {"submission": "LOST", "next_push_at": None, "open_marks": 1}),
        ("order_speed_known", {}, {"speed": 7}),
        ("order_status_known", ACCEPTED, {"status": 13}),
        ("order_chain_iff_replacement", {}, {"first_attempt_id": F("id")}),
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
            {"submission": Submission.WITHDRAWN, "next_push_at": None, "open_marks": 1},
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


def a_batch(**columns: Any) -> Batch:
    clerk, _ = User.objects.get_or_create(username="clerk")
    values = {"product": "MOBILE", "size": 1, "total": 50, "state": BatchState.RUNNING, "made_by": clerk, **columns}
    return Batch.objects.create(nonce=uuid.uuid4(), **values)


def refuses(constraint: str, rows: Any, change: dict[str, Any]) -> None:
    """Try a plain UPDATE; the database must name the constraint, and nothing may have changed."""
    before = rows.values().get()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows.update(**change)
    assert rows.values().get() == before


PAUSED = {"state": BatchState.PAUSED, "brake": Brake.BY_HAND, "braked_at": NOW}


@pytest.mark.parametrize(
    ("constraint", "start", "change"),
    [
        ("batch_state_known", {}, {"state": "LOST"}),
        ("batch_not_empty", {}, {"size": 0}),
        ("batch_not_empty", {}, {"total": 0}),
        ("batch_approver_is_another", {}, {"approved_by": F("made_by")}),
        ("batch_brake_iff_paused", {}, {"state": BatchState.PAUSED}),
        ("batch_brake_iff_paused", {}, {"brake": Brake.BY_HAND}),
        ("batch_brake_iff_paused", {}, {"braked_at": NOW}),
        ("batch_brake_iff_paused", PAUSED, {"brake": ""}),
        ("batch_brake_iff_paused", PAUSED, {"brake": "WHATEVER"}),
        ("batch_brake_iff_paused", PAUSED, {"braked_at": None}),
        ("batch_brake_iff_paused", PAUSED, {"state": BatchState.RUNNING}),
    ],
)
def test_database_refuses_of_a_batch(constraint: str, start: dict[str, Any], change: dict[str, Any]) -> None:
    refuses(constraint, Batch.objects.filter(pk=a_batch(**start).pk), change)


def test_database_refuses_a_second_batch_of_a_draft() -> None:
    first, second = a_batch(), a_batch()
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=second.pk).update(nonce=first.nonce)


def test_database_refuses_that_somebody_approves_his_own_order() -> None:
    order = queued()
    refuses("order_approver_is_another", Order.objects.filter(pk=order.pk), {"approved_by": order.placed_by})
    other = User.objects.create_user("approver")
    Order.objects.filter(pk=order.pk).update(approved_by=other)
    refuses("order_approver_is_another", Order.objects.filter(pk=order.pk), {"placed_by": other})


def test_database_refuses_an_order_that_is_half_in_a_batch() -> None:
    order, batch = queued(), a_batch()
    refuses("order_line_iff_in_batch", Order.objects.filter(pk=order.pk), {"line": 1})
    refuses("order_line_iff_in_batch", Order.objects.filter(pk=order.pk), {"batch": batch})


def test_database_refuses_two_orders_of_one_line() -> None:
    batch, other = a_batch(), a_batch()
    first, second = queued("1"), queued("2")
    Order.objects.filter(pk=first.pk).update(batch=batch, line=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(batch=batch, line=1)
    Order.objects.filter(pk=second.pk).update(batch=other, line=1)


def test_database_refuses_that_less_than_nothing_is_spent() -> None:
    row = Spending.objects.create(day=NOW.date(), amount=50)
    refuses("spending_not_negative", Spending.objects.filter(pk=row.pk), {"amount": F("amount") - 51})


def test_database_refuses_a_second_sum_of_a_day() -> None:
    clerk = queued().placed_by
    for person in (None, clerk):
        Spending.objects.create(day=NOW.date(), person=person)
        with pytest.raises(IntegrityError), transaction.atomic():
            Spending.objects.create(day=NOW.date(), person=person)
    assert Spending.objects.count() == 2


def test_database_refuses_a_second_stop_while_one_is_on() -> None:
    clerk = queued().placed_by
    EmergencyStop.objects.create(started_by=clerk, reason="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyStop.objects.create(started_by=clerk, reason="y")
    EmergencyStop.objects.update(on=False, ended_at=NOW, ended_by=clerk)
    EmergencyStop.objects.create(started_by=clerk, reason="y")


@pytest.mark.parametrize("missing", ["on", "ended_at", "ended_by"])
def test_database_refuses_a_stop_that_is_half_ended(missing: str) -> None:
    stop = EmergencyStop.objects.create(started_by=queued().placed_by, reason="x")
    ended = {"on": False, "ended_at": NOW, "ended_by": stop.started_by}
    del ended[missing]
    refuses("stop_off_iff_ended", EmergencyStop.objects.filter(pk=stop.pk), ended)


def test_database_refuses_a_second_pace() -> None:
    with pytest.raises(IntegrityError, match="pace_one_row"), transaction.atomic():
        Pace.objects.create(pk=2)


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
    Order.objects.filter(pk=first.pk).update(replaces=dead, first_attempt=dead)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(replaces=dead, first_attempt=dead)


def test_database_refuses_a_second_balance() -> None:
    with pytest.raises(IntegrityError, match="balance_one_row"), transaction.atomic():
        Balance.objects.create(pk=2)


def test_attention_is_a_next_step_too() -> None:
    order = queued()
    Order.objects.filter(pk=order.pk).update(
        submission=Submission.UNKNOWN, next_push_at=None, open_marks=MARK_BITS[MarkKind.OVERDUE]
    )


def test_history_of_a_batch_can_neither_be_changed_nor_deleted() -> None:
    event = BatchEvent.objects.create(batch=a_batch(), kind=BatchEventKind.MADE)
    event.note = "changed"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    assert BatchEvent.objects.get().note == ""


def test_history_can_neither_be_changed_nor_deleted() -> None:
    event = OrderEvent.objects.create(order=queued(), kind=EventKind.PLACED)
    event.note = "changed"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    assert OrderEvent.objects.get().note == ""
