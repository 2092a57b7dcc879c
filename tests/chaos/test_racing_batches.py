"""People place the same thing, or decide on the same batch, at the same moment on PostgreSQL: it is done once.

Each race has a twin without the lock, which must go wrong, or the race proves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.models import Q, Sum

from portal import platform as platform_settings
from recharge.approvals import services as approving
from recharge.batches.services import assembling, making, reading
from recharge.choices import BatchEventKind, BatchState, LimitPeriod, Submission
from recharge.core import queue
from recharge.core.errors import BadLines, DuplicateOrder, InvalidOrder, ReasonNeeded, TooLate
from recharge.core.locking import lock_batch
from recharge.limits.services import number_limits
from recharge.models import Batch, BatchDraft, NumberLimit, Order, Spending
from recharge.orders.services import placing
from tests.batches import batch_of, mobiles, upload
from tests.races import BothLook, together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
NUMBER = "13800138000"
Act = Callable[[], object]


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


def order_for(clerk: User) -> Act:
    return lambda: placing.place_mobile_order(placed_by=clerk, mobile=NUMBER, face_value=50)


def batch_with(clerk: User, *others: str) -> Act:
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


# --- a batch that is made piece by piece ---------------------------------------------------------------------


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> BothLook:
    """A worker and a clerk: the second one has looked for duplicates before the first one goes on."""
    both = BothLook()
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    monkeypatch.setattr(placing, "find_duplicate", both.at(placing.find_duplicate))
    monkeypatch.setattr(assembling, "_still_right", both.at(assembling._still_right))
    return both


@pytest.fixture
def nothing_locks_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "lock_target", lambda order: None)
    monkeypatch.setattr(assembling, "lock_all_targets", lambda: None)


def half_made(clerk: User) -> Batch:
    draft = upload(clerk, ["13900139000,50", f"{NUMBER},50", *mobiles(2)])
    with mock.patch.object(queue, "assemble_soon"):
        return making.make_batch(draft=draft, made_by=clerk)


def test_clerk_who_comes_while_a_piece_is_placed_is_told_of_it(pieces: BothLook, clerks: People) -> None:
    batch = half_made(clerks.first)
    refused = together(assembling.assemble_waiting, pieces.second(order_for(clerks.second)))
    assert [type(error) for error in refused] == [DuplicateOrder]
    batch.refresh_from_db()
    assert (placed_for_number(), batch.size, batch.state) == (1, 4, BatchState.CANARY)


def test_piece_that_comes_while_an_order_is_placed_leaves_its_number_out(pieces: BothLook, clerks: People) -> None:
    batch = half_made(clerks.first)
    assert together(order_for(clerks.second), pieces.second(assembling.assemble_waiting)) == []
    batch.refresh_from_db()
    assert (placed_for_number(), batch.size, batch.left_out) == (1, 3, 1)


@pytest.mark.usefixtures("nothing_locks_a_piece")
@pytest.mark.parametrize("clerk_first", [True, False])
def test_without_the_lock_a_piece_and_an_order_know_nothing_of_each_other(
    pieces: BothLook, clerks: People, *, clerk_first: bool
) -> None:
    """The twin: it must go wrong, or the two tests above prove nothing."""
    half_made(clerks.first)
    actions = (assembling.assemble_waiting, order_for(clerks.second))
    first, second = reversed(actions) if clerk_first else actions
    assert together(first, pieces.second(second)) == []
    assert placed_for_number() == 2


def test_two_workers_make_a_batch_once(clerks: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both believe the other one dead: a piece that was placed is not placed again."""
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "_free", Q)
    batch = half_made(clerks.first)
    together(assembling.assemble_waiting, assembling.assemble_waiting)
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.orders.count()) == (BatchState.CANARY, 4, 4)
    assert Spending.objects.get(person=None).amount == 200


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

    def approve(number: int) -> Act:
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


# --- the limits of a number ------------------------------------------------------------------------------------


@pytest.fixture
def one_order_a_day(monkeypatch: pytest.MonkeyPatch) -> BothLook:
    """One number gets one order a day; of two who place one, each has counted before either goes on."""
    NumberLimit.objects.create(period=LimitPeriod.DAY, most_orders=1)
    number_limits.forget()
    both = BothLook()
    monkeypatch.setattr(number_limits.NumberCounts, "look_up", both.at(number_limits.NumberCounts.look_up))
    return both


def of_value(by: User, face_value: int) -> Act:
    return lambda: placing.place_mobile_order(placed_by=by, mobile=NUMBER, face_value=face_value)


def batch_of_value_100(by: User) -> Act:
    draft = upload(by, [f"{NUMBER},100"])
    return lambda: making.make_batch(draft=draft, made_by=by)


def test_two_at_once_keep_to_the_limit_of_a_number(one_order_a_day: BothLook, clerks: People) -> None:
    refused = together(of_value(clerks.first, 50), one_order_a_day.second(of_value(clerks.second, 100)))
    assert [type(error) for error in refused] == [InvalidOrder]
    assert placed_for_number() == 1


@pytest.mark.usefixtures("nothing_locks")
def test_without_the_lock_two_at_once_pass_the_limit(one_order_a_day: BothLook, clerks: People) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    assert together(of_value(clerks.first, 50), one_order_a_day.second(of_value(clerks.second, 100))) == []
    assert placed_for_number() == 2


def test_order_and_batch_at_once_keep_to_the_limit_of_a_number(one_order_a_day: BothLook, clerks: People) -> None:
    refused = together(of_value(clerks.first, 50), one_order_a_day.second(batch_of_value_100(clerks.second)))
    assert [type(error) for error in refused] == [BadLines]
    assert placed_for_number() == 1
