"""Clerks and approvers race on PostgreSQL: no limit of the day is passed, and nothing is approved twice."""

import datetime as dt
import threading
from contextlib import suppress
from functools import partial

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from portal import platform as platform_settings
from recharge.approvals import services as approving
from recharge.choices import EventKind, Submission
from recharge.core import queue
from recharge.core.errors import LimitReached
from recharge.limits.services import spending
from recharge.models import Order, Spending
from recharge.orders.services import interventions, placing
from tests.races import together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
CLERKS = 6
ORDERS = 10
LIMIT = 1000

both_have_looked = threading.Barrier(2)


def raise_without_compare_and_swap(day: dt.date, person: User | None, amount: int, limit: int) -> None:
    """Look first, then change: what counting must not be."""
    row, _ = Spending.objects.get_or_create(day=day, person=person)
    if limit and row.amount + amount > limit:
        raise LimitReached("too much")
    if limit:
        both_have_looked.wait(timeout=5)
    Spending.objects.filter(pk=row.pk).update(amount=F("amount") + amount)


@pytest.fixture(autouse=True)
def on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)


def place_some(clerk: User, number: int) -> None:
    for turn in range(ORDERS):
        with suppress(LimitReached):
            placing.place_mobile_order(placed_by=clerk, mobile=f"138{number:04}{turn:04}", face_value=50)


def clerks() -> list[User]:
    return [User.objects.create_user(f"clerk{number}") for number in range(CLERKS)]


def queued(**of: object) -> int:
    total = Order.objects.filter(submission=Submission.QUEUED, **of).aggregate(total=Sum("face_value"))["total"]
    return int(total or 0)


def test_limit_of_all_holds_for_many_clerks_at_once(settings: LazySettings) -> None:
    settings.DAILY_LIMIT = LIMIT
    together(*(lambda c=clerk, n=n: place_some(c, n) for n, clerk in enumerate(clerks())))
    assert queued() == LIMIT
    assert Spending.objects.get(person=None).amount == LIMIT
    assert sum(Spending.objects.exclude(person=None).values_list("amount", flat=True)) == LIMIT


def test_limit_of_a_person_holds_for_one_clerk_at_many_screens(settings: LazySettings) -> None:
    settings.DAILY_LIMIT_PER_PERSON = LIMIT
    clerk = User.objects.create_user("clerk")
    together(*(lambda n=n: place_some(clerk, n) for n in range(CLERKS)))
    assert queued(placed_by=clerk) == LIMIT
    assert set(Spending.objects.values_list("amount", flat=True)) == {LIMIT}


def test_without_compare_and_swap_the_limit_is_passed(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: it must go wrong, or the tests above prove nothing."""
    settings.DAILY_LIMIT = 50
    monkeypatch.setattr(spending, "_raise", raise_without_compare_and_swap)
    Spending.objects.create(day=timezone.localdate())
    first, second = clerks()[:2]
    refused = together(
        lambda: placing.place_mobile_order(placed_by=first, mobile="13800138000", face_value=50),
        lambda: placing.place_mobile_order(placed_by=second, mobile="13900139000", face_value=50),
    )
    assert refused == []
    assert queued() == 100


def test_sums_agree_with_the_orders_whatever_is_placed_and_withdrawn_at_once(settings: LazySettings) -> None:
    settings.DAILY_LIMIT = LIMIT
    people = clerks()

    def place_and_withdraw(clerk: User, number: int) -> None:
        place_some(clerk, number)
        for order in Order.objects.filter(placed_by=clerk).order_by("pk")[::2]:
            interventions.withdraw(order_id=order.pk, actor=clerk)

    together(*(lambda c=clerk, n=n: place_and_withdraw(c, n) for n, clerk in enumerate(people)))
    assert Spending.objects.get(person=None).amount == queued()
    for clerk in people:
        assert Spending.objects.filter(person=clerk).aggregate(a=Sum("amount"))["a"] in (None, queued(placed_by=clerk))


def test_two_approvers_approve_an_order_once(settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100
    order = placing.place_mobile_order(
        placed_by=User.objects.create_user("clerk"), mobile="13800138000", face_value=200
    )
    approvers = [User.objects.create_user(f"approver{number}") for number in range(CLERKS)]
    refused = together(*(partial(approving.approve_order, order_id=order.pk, actor=approver) for approver in approvers))
    assert len(refused) == CLERKS - 1
    assert order.events.filter(kind=EventKind.APPROVED).count() == 1
    assert Spending.objects.get(person=None).amount == 200


def test_order_is_either_approved_or_withdrawn(settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100
    clerk, approver = User.objects.create_user("clerk"), User.objects.create_user("approver")
    for number in range(ORDERS):
        order = placing.place_mobile_order(placed_by=clerk, mobile=f"1380013{number:04}", face_value=200)
        together(
            partial(approving.approve_order, order_id=order.pk, actor=approver),
            partial(interventions.withdraw, order_id=order.pk, actor=clerk),
        )
    assert Order.objects.exclude(submission__in=[Submission.QUEUED, Submission.WITHDRAWN]).count() == 0
    counted = Spending.objects.filter(person=None).values_list("amount", flat=True).first() or 0
    assert counted == queued()
    with transaction.atomic():
        spending.count(person=clerk, amount=1)
