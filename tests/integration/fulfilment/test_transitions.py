"""Our own state of an order: the table, typed in a second time, and nothing that takes a step which isn't in it."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from recharge.choices import Submission
from recharge.fulfilment.services.transitions import Change, IllegalTransition
from recharge.models import Order
from recharge.orders.services import placing
from recharge.submissions import FOLLOWING
from tests.fake_platform import FakePlatform

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]

# From each state, the first letters of those that may follow: Waiting for approval, Queued, Submitting, Accepted,
# Rejected, Unknown, Never received, Taken back.
LETTERS = {
    "W": Submission.AWAITING_APPROVAL,
    "Q": Submission.QUEUED,
    "S": Submission.SUBMITTING,
    "A": Submission.ACCEPTED,
    "R": Submission.REJECTED,
    "U": Submission.UNKNOWN,
    "N": Submission.NOT_RECEIVED,
    "T": Submission.WITHDRAWN,
}
EXPECTED = {None: "WQ", "W": "QTU", "Q": "STUW", "S": "ARUQ", "U": "ANR", "R": "AU", "N": "A", "T": "A", "A": ""}
STEPS: dict[Submission, Callable[[Change], None]] = {
    Submission.AWAITING_APPROVAL: Change.hold,
    Submission.QUEUED: lambda change: change.requeue(dt.timedelta()),
    Submission.ACCEPTED: lambda change: change.accept("W1"),
    Submission.REJECTED: lambda change: change.reject("1001"),
    Submission.UNKNOWN: Change.lose,
    Submission.NOT_RECEIVED: Change.void,
    Submission.WITHDRAWN: Change.withdraw,
}


def test_the_table_is_the_expected_one() -> None:
    typed = {LETTERS[one] if one else None: {LETTERS[letter] for letter in row} for one, row in EXPECTED.items()}
    assert typed == FOLLOWING


@pytest.mark.parametrize("before", LETTERS.values())
@pytest.mark.parametrize("after", STEPS)
def test_a_step_that_the_table_has_not_is_refused(
    clerk_user: User, platform: FakePlatform, before: Submission, after: Submission
) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)
    change = Change(Order(pk=order.pk, submission=before, face_value=50))
    if after in FOLLOWING[before]:
        STEPS[after](change)
        assert change.order.submission == after
    else:
        with pytest.raises(IllegalTransition), transaction.atomic():
            STEPS[after](change)
        assert change.order.submission == before
