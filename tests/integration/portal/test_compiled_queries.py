"""Rows read and written by compiled querys are the rows that Django itself reads and writes."""

import datetime as dt
import threading
import uuid
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from portal.kit.compiled_queries import CompiledQuery, insert_row, lock_row, swap_row, update_row
from recharge.choices import EventKind, Submission, Verdict
from recharge.core import locking
from recharge.models import Order, OrderEvent

NOW = dt.datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=dt.UTC)
FULL: dict[str, Any] = {
    "order_no": "26110100000000000001",
    "product": "MOBILE",
    "mobile": "13800138000",
    "face_value": 50,
    "switch_channel": False,
    "channel": 6,
    "nonce": uuid.UUID(int=7),
    "submission": Submission.ACCEPTED,
    "gateway_order_no": "W1",
    "status": 2,
    "status_at": NOW,
    "confirmed_at": NOW,
    "settled_at": NOW,
    "cost_price": Decimal("49.2500"),
    "reason": "100 % 'done' \\ 充值",
}


@pytest.fixture
def order(clerk_user: User) -> Order:
    return Order.objects.create(placed_by=clerk_user, **FULL)


def columns(row: OrderEvent | Order) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_locked_row_is_what_django_reads(order: Order) -> None:
    with transaction.atomic():
        by_number, by_id = lock_row(Order, "order_no", order.order_no), lock_row(Order, "id", order.pk)
    assert by_number
    assert by_id
    wanted = columns(Order.objects.get(pk=order.pk))
    assert columns(by_number) == columns(by_id) == wanted
    assert [type(value) for value in columns(by_id).values()] == [type(value) for value in wanted.values()]
    assert not by_id._state.adding


def test_row_that_is_not_there_is_none(order: Order) -> None:
    with transaction.atomic():
        assert lock_row(Order, "order_no", "1") is None
        assert lock_row(Order, "order_no", "1' OR '1'='1") is None
        with pytest.raises(Order.DoesNotExist):
            locking.lock(order.pk + 1)
        with pytest.raises(Order.DoesNotExist):
            locking.lock_by_number("1")


@pytest.mark.django_db(transaction=True)
def test_nothing_can_be_locked_without_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        lock_row(Order, "id", 1)


def test_inserted_row_is_what_django_would_insert(order: Order, clerk_user: User) -> None:
    values: dict[str, Any] = {
        "order": order,
        "kind": EventKind.CALLBACK,
        "actor": clerk_user,
        "submission_from": Submission.UNKNOWN,
        "submission_to": Submission.ACCEPTED,
        "status_to": 2,
        "reported_status": 2,
        "verdict": Verdict.APPLIED,
        "raw": "status=2&reason=100 %s 'done' \\ 充值",
    }
    OrderEvent.objects.create(**values)
    insert_row(OrderEvent(**values))
    one, other = (columns(event) for event in OrderEvent.objects.order_by("id"))
    assert one.pop("id") != other.pop("id")
    assert abs(one.pop("at") - other.pop("at")) < dt.timedelta(minutes=1)
    assert one == other


def test_a_moment_that_is_given_is_not_left_to_the_database(order: Order) -> None:
    insert_row(OrderEvent(order=order, kind=EventKind.PLACED, at=NOW))
    assert OrderEvent.objects.get().at == NOW


def test_only_the_named_columns_are_written(order: Order) -> None:
    order.reason, order.status_at, order.rebate = "why", None, Decimal("0.5")
    order.mobile = "13900139000"
    update_row(order, ["reason", "status_at", "rebate"])
    written = columns(Order.objects.get(pk=order.pk))
    assert (written["reason"], written["status_at"], written["rebate"]) == ("why", None, Decimal("0.5"))
    assert written["mobile"] == "13800138000"
    untouched = set(FULL) - {"status_at", "reason"}
    assert {name: written[name] for name in untouched} == {name: FULL[name] for name in untouched}


def test_changing_a_row_that_is_gone_is_an_error(order: Order) -> None:
    gone = Order(pk=order.pk + 1, reason="x")
    with pytest.raises(DatabaseError, match="gone"):
        update_row(gone, ["reason"])
    assert Order.objects.get().reason == FULL["reason"]


def test_the_database_still_forbids_what_it_always_does(order: Order) -> None:
    order.status = 13
    with pytest.raises(IntegrityError), transaction.atomic():
        update_row(order, ["status"])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_row(Order(**FULL, placed_by=order.placed_by))
    assert Order.objects.get().status == 2


@pytest.mark.servers
@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_somebody_else_has_to_wait_for_a_locked_row_alone(order: Order, *, locked: bool) -> None:
    assert connection.vendor == "postgresql", "SQLite knows no row locks"
    free: list[int] = []

    def look() -> None:
        with transaction.atomic():
            free.extend(Order.objects.select_for_update(skip_locked=True).values_list("pk", flat=True))
        connection.close()

    with transaction.atomic():
        if locked:
            lock_row(Order, "id", order.pk)
        else:
            Order.objects.get(pk=order.pk)
        somebody = threading.Thread(target=look)
        somebody.start()
        somebody.join()
    assert free == ([] if locked else [order.pk])


def test_queries_are_compiled_only_once(order: Order) -> None:
    with transaction.atomic():
        lock_row(Order, "id", order.pk)
        update_row(order, ["reason"])
        with mock.patch("portal.kit.compiled_queries._fields", side_effect=AssertionError("compiled again")):
            lock_row(Order, "id", order.pk)
            update_row(order, ["reason"])


def test_swap_changes_only_what_is_as_expected(order: Order) -> None:
    order.note = "changed"
    assert not swap_row(order, ["note"], {"submission": "QUEUED", "claims": 7})
    assert Order.objects.get(pk=order.pk).note == ""
    assert swap_row(order, ["note"], {"submission": order.submission, "claims": order.claims})
    assert Order.objects.get(pk=order.pk).note == "changed"


def test_a_number_is_read_of_the_row_asked_for(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(claims=3)
    accepted = CompiledQuery(lambda key: Order.objects.filter(pk=key, submission=Submission.ACCEPTED))
    assert accepted.number(order.pk, "claims") == 3
    assert accepted.number(order.pk, "status") == 2
    assert accepted.number(order.pk + 1, "claims") is None
    assert CompiledQuery(lambda key: Order.objects.filter(pk=key, status=1)).number(order.pk, "claims") is None


def test_composed_query_asks_for_another_key_at_every_run(order: Order) -> None:
    by_key = CompiledQuery(lambda key: Order.objects.filter(pk=key), note="changed")
    with transaction.atomic():
        found = by_key.lock_first(order.pk)
        assert by_key.lock_first(order.pk + 1) is None
    assert found is not None
    assert {name: value for name, value in vars(found).items() if name != "_state"} == {
        name: value for name, value in vars(Order.objects.get(pk=order.pk)).items() if name != "_state"
    }
    assert (by_key.change(order.pk + 1), Order.objects.get(pk=order.pk).note) == (0, "")
    assert (by_key.change(order.pk), Order.objects.get(pk=order.pk).note) == (1, "changed")
