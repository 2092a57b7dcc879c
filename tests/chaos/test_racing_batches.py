"""People place the same thing, or decide on the same batch, at the same moment on PostgreSQL: it is done once.

Each race has a twin without the lock, which must go wrong, or the race proves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.models import Sum

from portal import platform as platform_settings
from recharge.approvals import services as approving
from recharge.batches.services import making, reading
from recharge.choices import BatchEventKind, BatchState, Submission
from recharge.core import queue
from recharge.core.errors import DuplicateOrder, ReasonNeeded, TooLate
from recharge.core.locking import lock_batch
from recharge.models import Batch, BatchDraft, Order, Spending
from recharge.orders.services import placing
from tests.batches import batch_of, mobiles, upload
from tests.races import BothLook, together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
NUMBER = "13800138000"
Deed = Callable[[], object]


@pytest.fixture(autouse=True)
def on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(queue, "send", lambda task, order_id: None)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> BothLook:
    """Two who place something: each has looked for duplicates before either goes on."""
    both = BothLook()
    monkeypatch.setattr(placing, "find_duplicate", both.at(placing.find_duplicate))
    monkeypatch.setattr(reading, "_doubt_duplicates", both.at(reading._doubt_duplicates))
    return both


@pytest.fixture
def nothing_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "lock_target", lambda order: None)
    monkeypatch.setattr(making, "lock_all_targets", lambda: None)


@dataclass(frozen=True)
class People:
    first: User
    second: User


@pytest.fixture
def clerks() -> People:
    return People(User.objects.create_user("clerk1"), User.objects.create_user("clerk2"))


def order_for(clerk: User) -> Deed:
    return lambda: placing.place_mobile_order(placed_by=clerk, mobile=NUMBER, face_value=50)


def batch_with(clerk: User, *others: str) -> Deed:
    draft = upload(clerk, [f"{NUMBER},50", *others])
    return lambda: making.make_batch(draft=draft, made_by=clerk)


def placed_for_number() -> int:
    return Order.objects.filter(mobile=NUMBER).count()


# --- the same form ---------------------------------------------------------------------------------------------


def sent_twice(draft: BatchDraft) -> list[Batch | None]:
    """Send the form of a draft twice at once; give what each gets, None for a fault."""
    answers: list[Batch | None] = []

    def send() -> None:
        try:
            answers.append(making.make_batch(draft=draft, made_by=draft.uploaded_by))
        except IntegrityError:
            answers.append(None)

    assert together(send, send) == []
    return answers


def test_form_sent_twice_at_once_makes_one_batch(both: BothLook, clerks: People) -> None:
    answers = sent_twice(upload(clerks.first, mobiles(3)))
    assert answers == [Batch.objects.get()] * 2
    assert Order.objects.count() == 3


@pytest.mark.usefixtures("both", "nothing_locks")
def test_without_the_lock_one_of_them_gets_a_fault(clerks: People) -> None:
    """The twin: only the database's own constraint is left."""
    assert None in sent_twice(upload(clerks.first, mobiles(3)))
    assert Order.objects.count() == 3


# --- the same number -------------------------------------------------------------------------------------------


def test_two_clerks_who_top_the_same_number_up_at_once_learn_of_each_other(both: BothLook, clerks: People) -> None:
    refused = together(order_for(clerks.first), both.second(order_for(clerks.second)))
    assert [type(error) for error in refused] == [DuplicateOrder]
    assert placed_for_number() == 1


@pytest.mark.usefixtures("nothing_locks")
def test_without_the_lock_both_top_it_up(both: BothLook, clerks: People) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    assert together(order_for(clerks.first), both.second(order_for(clerks.second))) == []
    assert placed_for_number() == 2


def test_clerk_who_comes_while_a_batch_is_made_is_told_of_it(both: BothLook, clerks: People) -> None:
    refused = together(batch_with(clerks.first, *mobiles(3)), both.second(order_for(clerks.second)))
    assert [type(error) for error in refused] == [DuplicateOrder]
    assert placed_for_number() == 1
    assert Order.objects.get(mobile=NUMBER).batch == Batch.objects.get()


def test_batch_that_comes_while_an_order_is_placed_is_told_of_it(both: BothLook, clerks: People) -> None:
    refused = together(order_for(clerks.first), both.second(batch_with(clerks.second, *mobiles(3))))
    assert [type(error) for error in refused] == [ReasonNeeded]
    order = Order.objects.get()
    assert order.batch is None
    assert order.order_no in str(refused[0])


@pytest.mark.usefixtures("nothing_locks")
def test_without_the_lock_order_and_batch_know_nothing_of_each_other(both: BothLook, clerks: People) -> None:
    """The twin: it must go wrong, or the two tests above prove nothing."""
    assert together(order_for(clerks.first), both.second(batch_with(clerks.second, *mobiles(3)))) == []
    assert placed_for_number() == 2


@pytest.mark.parametrize("others", [[], ["13900139000,100"]], ids=["the same file", "another file"])
def test_two_batches_with_the_same_number_at_once_learn_of_each_other(
    both: BothLook, clerks: People, others: list[str]
) -> None:
    refused = together(batch_with(clerks.first), both.second(batch_with(clerks.second, *others)))
    assert [type(error) for error in refused] == [ReasonNeeded]
    assert placed_for_number() == Batch.objects.count() == 1


@pytest.mark.usefixtures("nothing_locks")
@pytest.mark.parametrize("others", [[], ["13900139000,100"]], ids=["the same file", "another file"])
def test_without_the_lock_two_batches_know_nothing_of_each_other(
    both: BothLook, clerks: People, others: list[str]
) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    assert together(batch_with(clerks.first), both.second(batch_with(clerks.second, *others))) == []
    assert placed_for_number() == Batch.objects.count() == 2


# --- the same decision -----------------------------------------------------------------------------------------


@pytest.fixture
def batch(settings: LazySettings) -> Batch:
    settings.APPROVAL_ABOVE = 100
    return batch_of(*mobiles(4), made_by=User.objects.create_user("clerk"))


def decide(batch: Batch, *, rejects: bool) -> list[Exception]:
    """Let two approvers decide at once; the second one approves, too, or rejects."""
    approvers = [User.objects.create_user(f"approver{number}") for number in range(2)]

    def reject() -> Batch:
        return approving.disapprove_batch(batch_id=batch.pk, actor=approvers[1], reason="x")

    def approve(number: int) -> Deed:
        return lambda: approving.approve_batch(batch_id=batch.pk, actor=approvers[number])

    return together(approve(0), reject if rejects else approve(1))


def decisions(batch: Batch) -> int:
    return batch.events.filter(kind__in=[BatchEventKind.APPROVED, BatchEventKind.DISAPPROVED]).count()


@pytest.mark.parametrize("rejects", [False, True], ids=["both approve", "one rejects"])
def test_two_approvers_decide_on_a_batch_once(batch: Batch, monkeypatch: pytest.MonkeyPatch, *, rejects: bool) -> None:
    both = BothLook()
    monkeypatch.setattr(approving, "lock_batch", both.at(lock_batch))
    refused = decide(batch, rejects=rejects)
    assert [type(error) for error in refused] == [TooLate]
    assert decisions(batch) == 1
    batch.refresh_from_db()
    queued = batch.state == BatchState.CANARY
    assert queued or batch.state == BatchState.DISAPPROVED
    of_orders = Submission.QUEUED if queued else Submission.WITHDRAWN
    assert set(batch.orders.values_list("submission", flat=True)) == {of_orders}
    assert bool(batch.approved_by) is queued
    counted = Spending.objects.filter(person=None).aggregate(yuan=Sum("amount"))["yuan"] or 0
    assert counted == (batch.total if queued else 0)


@pytest.mark.parametrize("rejects", [False, True], ids=["both approve", "one rejects"])
def test_without_the_lock_it_is_decided_twice(batch: Batch, monkeypatch: pytest.MonkeyPatch, *, rejects: bool) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    both = BothLook()
    monkeypatch.setattr(approving, "lock_batch", both.at(lambda batch_id: Batch.objects.get(pk=batch_id)))
    assert decide(batch, rejects=rejects) == []
    assert decisions(batch) == 2
