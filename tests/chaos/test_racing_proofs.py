"""A second person approves a replacement at the very moment at which its original comes alive, or a third approves."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from portal import platform as platform_settings
from recharge.choices import EventKind, Submission
from recharge.core import queue
from recharge.fulfilment.services import reports, submission
from recharge.models import Order
from recharge.orders.services import placing
from tests import actions
from tests.fake_platform import FakePlatform
from tests.races import together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
MOBILE = "13800138000"


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    fake = FakePlatform()
    monkeypatch.setattr(platform_settings, "client", lambda: fake)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)
    monkeypatch.setattr(queue.Messenger, "leave", lambda self, task, order_id: None)
    return fake


def person(name: str) -> User:
    return User.objects.get_or_create(username=name)[0]


@pytest.fixture
def failed(platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=MOBILE, face_value=50)
    submission.submit_order(order_id=order.pk)
    platform.books[order.order_no].status = 3
    actions.answer(order, platform.report(order.order_no))
    order.refresh_from_db()
    return order


@pytest.fixture
def replacement(failed: Order) -> Order:
    return placing.place_mobile_order(placed_by=failed.placed_by, mobile=MOBILE, face_value=50, replaces=failed)


def test_approval_and_a_sign_of_life(failed: Order, replacement: Order, platform: FakePlatform) -> None:
    """Whichever comes first, nothing goes out once the other is there."""
    approver = person("approver")
    alive = platform.report(failed.order_no, 2)
    together(
        lambda: actions.approve(replacement, approver),
        lambda: reports.receive_callback(order_no=failed.order_no, report=alive),
    )
    submission.submit_order(order_id=replacement.pk)
    replacement.refresh_from_db()
    assert replacement.order_no not in platform.books
    assert replacement.submission == Submission.AWAITING_APPROVAL


def test_two_approvers_queue_it_once(replacement: Order, platform: FakePlatform) -> None:
    first, second = person("approver"), person("administrator")
    refused = together(lambda: actions.approve(replacement, first), lambda: actions.approve(replacement, second))
    assert len(refused) == 1
    submission.submit_order(order_id=replacement.pk)
    assert platform.books[replacement.order_no].pushes == 1
    assert replacement.events.filter(kind=EventKind.APPROVED).count() == 1


def test_two_clerks_place_it_again_once(failed: Order) -> None:
    def again() -> Order:
        return placing.place_mobile_order(placed_by=failed.placed_by, mobile=MOBILE, face_value=50, replaces=failed)

    assert len(together(again, again)) == 1
    assert Order.objects.filter(replaces=failed).count() == 1
