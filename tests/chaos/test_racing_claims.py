"""Two persons claim the same refunds at the same moment on PostgreSQL: one of them does.

The twin without the lock must go wrong, or the race proves nothing.
"""

import uuid
from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from portal import platform as platform_settings
from recharge.choices import Submission
from recharge.core import queue
from recharge.core.errors import Outdated
from recharge.models import ClaimedOrder, Order, RefundClaim
from recharge.orders.services import placing
from recharge.refunds.services import claiming
from recharge.status import Status
from tests.races import BothLook, together

pytestmark = [
    pytest.mark.servers,
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Orders that the platform's own answer says have failed."""
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    found = []
    for end in range(5):
        order = placing.place_mobile_order(
            placed_by=User.objects.get_or_create(username="clerk")[0], mobile=f"1380013800{end}", face_value=50
        )
        now = timezone.now()
        Order.objects.filter(pk=order.pk).update(
            submission=Submission.ACCEPTED,
            next_push_at=None,
            gateway_order_no=f"W{end}",
            status=Status.FAILED,
            status_at=now,
            next_check_at=now,
        )
        found.append(order.order_no)
    return found


def race(numbers: list[str]) -> list[Exception]:
    seen = [claiming.as_seen(order) for order in claiming.choose(numbers, again=False).fit]
    look = BothLook()

    def by(name: str) -> Callable[[], RefundClaim]:
        user, nonce = User.objects.get_or_create(username=name)[0], uuid.uuid4()
        return lambda: claiming.claim(actor=user, seen=seen, nonce=nonce)

    with mock.patch.object(claiming, "_make", look.at(claiming._make)):
        return together(by("clerk"), look.second(by("auditor")))


def claims_of_each() -> set[int]:
    return {order.claimed.count() for order in Order.objects.all()}


def test_two_persons_claim_the_same_rows_once(numbers: list[str]) -> None:
    refused = race(numbers)
    assert [type(error) for error in refused] == [Outdated]
    assert RefundClaim.objects.count() == 1
    assert claims_of_each() == {1}
    assert ClaimedOrder.objects.count() == len(numbers)


def test_without_the_lock_both_claim(numbers: list[str]) -> None:
    with mock.patch.object(claiming, "_lock"):
        assert race(numbers) == []
    assert claims_of_each() == {2}
