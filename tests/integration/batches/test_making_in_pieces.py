"""A large batch is made piece by piece by a worker, while others place orders; nothing goes out before it is whole."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from portal.kit.database import from_now
from recharge.batches.services import assembling, draining, judging, making, managing, uploading
from recharge.batches.services.skipped_lines import skipped_lines_of
from recharge.choices import BatchEventKind, BatchState, LimitPeriod, NumberVerdict, Submission
from recharge.core import queue
from recharge.core.errors import DuplicateOrder, LimitReached, ReasonNeeded
from recharge.limits.services import number_limits, slow_hold
from recharge.models import (
    Batch,
    BatchDraft,
    BatchMaking,
    NumberLimit,
    NumberRule,
    Order,
    OrderEvent,
    Spending,
)
from recharge.numbers.services import judging as numbers
from recharge.operations.services import restoring, sweeping
from recharge.orders.services import placing
from recharge.status import Status
from tests.actions import answer
from tests.batches import mobile, mobiles, upload
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]


class Died(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 3)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)


def begun(clerk: User, lines: list[str] | None = None, **said: Any) -> Batch:
    batch = making.make_batch(draft=upload(clerk, lines or mobiles(5)), made_by=clerk, **said)
    assert batch.state == BatchState.MAKING
    return batch


def assemble(*, after: dict[int, Callable[[], object]]) -> None:
    """Do a worker's work; after so many pieces something happens."""
    original, count = assembling._place, 0

    def place(*arguments: Any) -> None:
        nonlocal count
        original(*arguments)
        count += 1
        after.get(count, lambda: None)()

    with mock.patch.object(assembling, "_place", place):
        assembling.assemble_waiting()


def die() -> None:
    raise Died


def killed_after(pieces: int) -> None:
    with pytest.raises(Died):
        assemble(after={pieces: die})
    BatchMaking.objects.update(lease_until=timezone.now() - assembling.LEASE)


def spent() -> int:
    return Spending.objects.filter(person=None).values_list("amount", flat=True).first() or 0


def test_a_large_batch_is_left_to_a_worker(clerk_user: User) -> None:
    with mock.patch.object(queue, "start_drains") as started:
        batch = begun(clerk_user)
    started.assert_called_once_with(queue.ASSEMBLE, 1)
    assert not Order.objects.exists()
    assert (batch.size, batch.total) == (5, 250)
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.total, batch.canary_until) == (BatchState.CANARY, 5, 250, 4)
    assert [event.kind for event in batch.events.all()] == [BatchEventKind.BEGUN, BatchEventKind.MADE]
    orders = list(batch.orders.order_by("line").values_list("line", "mobile"))
    assert orders == [(number + 1, mobile(number)) for number in range(1, 6)]
    assert OrderEvent.objects.count() == 5
    assert spent() == 250
    assert not BatchDraft.objects.exists()
    assert not BatchMaking.objects.exists()


def test_the_same_form_makes_one_batch_while_it_is_being_made(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    first = making.make_batch(draft=draft, made_by=clerk_user)
    assert making.make_batch(draft=draft, made_by=clerk_user) == first
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=upload(clerk_user, mobiles(5)), made_by=clerk_user)


def test_nothing_goes_out_before_the_batch_is_whole(clerk_user: User, platform: FakePlatform) -> None:
    begun(clerk_user)
    killed_after(2)
    assert Order.objects.filter(submission=Submission.QUEUED).count() == 4
    sweeping.sweep()
    draining.submit_batches()
    assert platform.books == {}
    assembling.assemble_waiting()
    draining.submit_batches()
    assert len(platform.books) == 5


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_whoever_comes_after_a_killed_worker_goes_on(clerk_user: User, pieces: int) -> None:
    batch = begun(clerk_user)
    killed_after(pieces)
    assert Order.objects.count() == spent() // 50 == min(5, 2 * pieces)
    with mock.patch.object(queue, "start_drains") as started:
        sweeping.sweep()
    assert mock.call(queue.ASSEMBLE, 1) in started.mock_calls
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.left_out) == (BatchState.CANARY, 5, 0)
    assert list(batch.orders.order_by("line").values_list("line", flat=True)) == [2, 3, 4, 5, 6]
    assert spent() == 250


def test_one_worker_at_a_time_is_at_it(clerk_user: User) -> None:
    begun(clerk_user)
    assemble(after={1: assembling.assemble_waiting})  # another one finds nothing to do
    assert Order.objects.count() == 5
    begun(clerk_user, mobiles(5, first=50))

    def overtaken() -> None:
        BatchMaking.objects.update(lease_until=from_now(-assembling.LEASE))
        assembling.assemble_waiting()

    assemble(after={1: overtaken})
    assert Order.objects.filter(line__in=range(2, 7)).count() == Order.objects.count() == 10
    assert Batch.objects.filter(state=BatchState.CANARY).count() == 2


def test_what_somebody_else_placed_meanwhile_is_left_out_and_named(clerk_user: User) -> None:
    batch = begun(clerk_user)
    other: list[Order] = []

    def by_hand() -> None:
        other.append(placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(4), face_value=50))

    assemble(after={1: by_hand})
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.total, batch.left_out) == (BatchState.CANARY, 4, 200, 1)
    left = skipped_lines_of(batch)
    assert [line.line for line in left] == [5]
    assert other[0].order_no in left[0].problem
    assert Order.objects.filter(mobile=mobile(4)).count() == 1
    assert spent() == 250


def test_whoever_places_by_hand_is_told_of_the_half_made_batch(clerk_user: User) -> None:
    begun(clerk_user)
    killed_after(1)
    with pytest.raises(DuplicateOrder):
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50)


def test_a_reason_counts_for_the_doubts_that_were_shown_alone(clerk_user: User) -> None:
    known = placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50)
    lines = [*mobiles(5), mobiles(1)[0], mobiles(5)[4]]
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=upload(clerk_user, lines), made_by=clerk_user)
    batch = begun(clerk_user, lines, reason="两张卡", doubts_seen=3)

    def by_hand() -> None:
        for number in (3, 5):
            placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(number), face_value=50)

    assemble(after={1: by_hand})
    batch.refresh_from_db()
    made = dict(batch.orders.values_list("line", "duplicate_reason"))
    assert made == {2: "两张卡", 3: "", 5: "", 7: "两张卡"}
    assert [line.line for line in skipped_lines_of(batch)] == [4, 6, 8], "neither the number nor its repetition"
    assert known.pk


def test_two_lists_with_the_same_numbers_at_once_place_each_once(clerk_user: User) -> None:
    first = begun(clerk_user)
    second = begun(clerk_user, [*mobiles(5), "13900139000,100"])
    assembling.assemble_waiting()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.size, second.size, second.left_out) == (5, 1, 5)
    third = begun(clerk_user, list(reversed(mobiles(5, first=20))))
    fourth = begun(clerk_user, mobiles(5, first=20))
    assembling.assemble_waiting()
    third.refresh_from_db()
    fourth.refresh_from_db()
    assert (third.state, third.size) == (BatchState.CANARY, 5)
    assert (fourth.state, fourth.size, fourth.total) == (BatchState.WITHDRAWN, 0, 0)
    assert fourth.events.last().kind == BatchEventKind.GIVEN_UP  # type: ignore[union-attr]


@override_settings(APPROVAL_ABOVE=500)
def test_a_batch_that_would_become_larger_than_shown_is_given_up(clerk_user: User, platform: FakePlatform) -> None:
    """Nothing does that; whatever does one day is stopped here."""
    lines = [*(f"{line}," for line in mobiles(5)), f"{mobile(6)},50,20"]
    draft = upload(clerk_user, lines, "手机号,面值,数量")
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    assert (batch.size, batch.total) == (5, 250)
    BatchDraft.objects.update(quantities=True)
    BatchMaking.objects.update(bad=[])
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert batch.state == BatchState.WITHDRAWN
    last = batch.events.last()
    assert last
    assert (last.kind, "超过" in last.note) == (BatchEventKind.GIVEN_UP, True)
    draining.submit_batches()
    assert platform.books == {}
    assert set(batch.orders.values_list("submission", flat=True)) == {Submission.WITHDRAWN}


def test_held_lines_stay_left_out(clerk_user: User) -> None:
    slow_hold.start(actor=clerk_user, reason="多个号码被停机")
    batch = begun(clerk_user, [f"{mobile(9)},50,慢", *mobiles(5)], leave_out_bad=True)
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.left_out) == (BatchState.CANARY, 5, 1)
    assert not batch.orders.filter(mobile=mobile(9)).exists()
    assert [line.line for line in skipped_lines_of(batch)] == [2]


def refuse_number(clerk: User) -> Callable[[], object]:
    rule = NumberRule.objects.create(prefix=mobile(9), verdict=NumberVerdict.REFUSE, reason="x")
    numbers.forget()

    def relax() -> None:
        rule.delete()
        numbers.forget()

    return relax


def hold_slow(clerk: User) -> Callable[[], object]:
    slow_hold.start(actor=clerk, reason="多个号码被停机")
    hold = slow_hold.current()
    assert hold
    return lambda: slow_hold.release(hold_id=hold.pk, actor=clerk, reason="好了")


def limit_number(clerk: User) -> Callable[[], object]:
    placing.place_mobile_order(placed_by=clerk, mobile=mobile(9), face_value=100)
    limit = NumberLimit.objects.create(period=LimitPeriod.DAY, most_orders=1)
    number_limits.forget()

    def lift() -> None:
        limit.delete()
        number_limits.forget()

    return lift


@pytest.mark.parametrize("by_worker", [False, True], ids=["while the person waits", "by a worker"])
@pytest.mark.parametrize("forbid", [refuse_number, hold_slow, limit_number])
def test_a_line_that_was_shown_as_bad_takes_no_other_ones_place(
    clerk_user: User, monkeypatch: pytest.MonkeyPatch, forbid: Callable[[User], Callable[[], object]], by_worker: bool
) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 3 if by_worker else 100)
    allow = forbid(clerk_user)
    lines = [*(f"{line},快,,1" for line in mobiles(4)), f"{mobile(9)},50,慢,,2", f"{mobile(5)},50,快,,1"]
    draft = upload(clerk_user, lines, "手机号,面值,快慢,备注,数量")
    uploading.use_quantities(draft=draft, wanted=True)
    judging.judge_waiting()
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    assert (batch.size, batch.left_out) == (5, 2 if forbid is not refuse_number else 1)

    def meanwhile() -> None:
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(3), face_value=50)
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(4), face_value=50)
        allow()

    assemble(after={1: meanwhile})
    batch.refresh_from_db()
    assert list(batch.orders.order_by("line").values_list("mobile", flat=True)) == [mobile(1), mobile(2), mobile(5)]
    left = {line.line: line.problem for line in skipped_lines_of(batch)}
    assert set(left) == {4, 5, 6}
    assert "查看名单时" in left[6]


def test_bad_lines_are_left_out_as_before(clerk_user: User) -> None:
    batch = begun(clerk_user, ["1,50", *mobiles(5)], leave_out_bad=True)
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert (batch.size, batch.left_out) == (5, 1)
    assert [line.line for line in skipped_lines_of(batch)] == [2]


@override_settings(DAILY_LIMIT=400)
def test_two_batches_that_are_being_made_never_pass_the_limit_together(clerk_user: User) -> None:
    begun(clerk_user)
    with pytest.raises(LimitReached, match="400"):
        making.make_batch(draft=upload(clerk_user, mobiles(5, first=50)), made_by=clerk_user)
    assembling.assemble_waiting()
    assert spent() == 250


@override_settings(DAILY_LIMIT=300)
def test_a_batch_that_no_longer_fits_is_given_up_and_can_be_made_again(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    batch = making.make_batch(draft=draft, made_by=clerk_user)

    def by_hand() -> None:
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(90), face_value=100)

    assemble(after={1: by_hand})
    batch.refresh_from_db()
    assert (batch.state, batch.size) == (BatchState.WITHDRAWN, 4)
    assert "300" in batch.events.last().note  # type: ignore[union-attr]
    assert set(batch.orders.values_list("submission", flat=True)) == {Submission.WITHDRAWN}
    assert spent() == 100
    with override_settings(DAILY_LIMIT=0):
        again = making.make_batch(draft=draft, made_by=clerk_user)
        assembling.assemble_waiting()
    again.refresh_from_db()
    assert (again.size, again.state) == (5, BatchState.CANARY)


@override_settings(APPROVAL_ABOVE=200, DAILY_LIMIT=100)
def test_a_large_batch_awaits_approval_and_counts_nowhere(clerk_user: User) -> None:
    batch = begun(clerk_user)
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert batch.state == BatchState.AWAITING_APPROVAL
    assert set(batch.orders.values_list("submission", "counted_on")) == {(Submission.AWAITING_APPROVAL, None)}
    assert spent() == 0


def test_making_can_be_stopped_by_a_person(clerk_user: User) -> None:
    batch = begun(clerk_user)
    assemble(after={1: lambda: managing.withdraw_rest(batch_id=batch.pk, actor=clerk_user)})
    batch.refresh_from_db()
    assert (batch.state, batch.size) == (BatchState.WITHDRAWN, 2)
    assert set(Order.objects.values_list("submission", flat=True)) == {Submission.WITHDRAWN}
    assert spent() == 0


def test_what_fails_again_and_again_is_given_up(clerk_user: User) -> None:
    batch = begun(clerk_user)
    for _attempt in range(assembling.MAX_ATTEMPTS):
        with mock.patch.object(assembling, "_place", side_effect=ZeroDivisionError), pytest.raises(ZeroDivisionError):
            assembling.assemble_waiting()
        BatchMaking.objects.update(lease_until=None)
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert batch.state == BatchState.WITHDRAWN


def test_many_failed_ones_are_placed_anew_in_pieces(clerk_user: User, platform: FakePlatform) -> None:
    failed = begun(clerk_user)
    assembling.assemble_waiting()
    managing.skip_canary(batch_id=failed.pk, actor=clerk_user)
    platform.behaviour, platform.next_behaviours = "reject", ["reject"] * 4
    with override_settings(BRAKE_REJECTIONS=0):
        draining.submit_batches()
    count = assembling.failed_orders(failed).count()
    assert count == 5
    making.make_again(batch_id=failed.pk, made_by=clerk_user, nonce=uuid.uuid4(), orders_seen=5, money_seen=250)
    killed_after(2)
    assembling.assemble_waiting()
    again = Batch.objects.get(state=BatchState.CANARY)
    assert (again.size, again.total) == (5, 250)
    assert list(again.orders.order_by("line").values_list("line", flat=True)) == [1, 2, 3, 4, 5]
    assert Order.objects.filter(replaces__batch=failed).count() == 5


def test_what_fails_after_the_question_is_left_for_another_batch(clerk_user: User, platform: FakePlatform) -> None:
    failed = begun(clerk_user)
    assembling.assemble_waiting()
    managing.skip_canary(batch_id=failed.pk, actor=clerk_user)
    platform.behaviour, platform.next_behaviours = "reject", ["accept", "reject", "reject", "reject"]
    with override_settings(BRAKE_REJECTIONS=0):
        draining.submit_batches()
    again = making.make_again(batch_id=failed.pk, made_by=clerk_user, nonce=uuid.uuid4(), orders_seen=4, money_seen=200)
    taken = failed.orders.get(submission=Submission.ACCEPTED)
    answer(taken, platform.report(taken.order_no, Status.REFUNDED))
    assert assembling.failed_orders(failed).count() == 5
    assembling.assemble_waiting()
    again.refresh_from_db()
    assert (again.state, again.size, again.total) == (BatchState.CANARY, 4, 200)
    assert assembling.failed_orders(failed).count() == 1


def test_a_restored_half_made_batch_is_over(clerk_user: User) -> None:
    batch = begun(clerk_user)
    killed_after(1)
    restoring.put_in_order()
    batch.refresh_from_db()
    assert (batch.state, batch.size) == (BatchState.WITHDRAWN, 2)
    assert set(batch.orders.values_list("submission", flat=True)) == {Submission.UNKNOWN}
    assert not BatchDraft.objects.exists()


def test_pages_say_how_far_it_has_got(client: Client) -> None:
    chief = User.objects.create_superuser("chief")
    draft = upload(chief, mobiles(5))
    batch = making.make_batch(draft=draft, made_by=chief)
    client.force_login(chief)
    empty = client.get(f"/batches/{batch.pk}/").content.decode()
    assert "0&nbsp;/&nbsp;5" in empty
    killed_after(1)
    page = client.get(f"/batches/{batch.pk}/").content.decode()
    assert "2&nbsp;/&nbsp;5" in page
    assert "hx-get" in page, "it keeps looking"
    assert "2 / 5" in client.get("/batches/").content.decode()
    assert client.get(f"/batches/new/{draft.pk}/").headers["Location"] == f"/batches/{batch.pk}/"
    assert str(draft.pk) not in client.get("/batches/new/").content.decode()
    with mock.patch.object(assembling, "MAX_ATTEMPTS", -1):
        assembling.assemble_waiting()
    assert client.get(f"/batches/{batch.pk}/").status_code == 200
    assert client.get("/batches/").status_code == 200


def test_each_piece_counts_on_its_own_day_and_is_given_back_to_it(clerk_user: User) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 27, 15, 59, 59, tzinfo=dt.UTC), tick=False) as clock:
        batch = begun(clerk_user)
        assemble(after={1: lambda: clock.shift(2)})
        days = Spending.objects.filter(person=None).order_by("day")
        assert list(days.values_list("amount", flat=True)) == [100, 150]
        managing.withdraw_rest(batch_id=batch.pk, actor=clerk_user)
        assert list(days.values_list("amount", flat=True)) == [0, 0]


def test_half_a_batch_stands_in_lists_as_what_it_is(client: Client, clerk_user: User) -> None:
    begun(clerk_user)
    killed_after(1)
    order = Order.objects.first()
    assert order
    client.force_login(person("auditor"))
    for address in ("/orders/", f"/orders/{order.order_no}/"):
        page = client.get(address).content.decode()
        assert "批次生成中" in page, address
    assembling.assemble_waiting()
    assert "批次生成中" not in client.get("/orders/").content.decode()


def test_a_number_that_was_confirmed_is_no_repetition(clerk_user: User) -> None:
    draft = upload(clerk_user, [*mobiles(3), "14500000001,50", f"{mobile(1)},50", "14500000001,50"])
    batch = making.make_batch(draft=draft, made_by=clerk_user, reason="客户确认")
    assembling.assemble_waiting()
    repeated = batch.orders.exclude(duplicate_reason="").order_by("line").values_list("line", flat=True)
    assert list(repeated) == [6, 7]
    notes = dict(OrderEvent.objects.filter(order__batch=batch).values_list("order__line", "note"))
    assert {line for line, note in notes.items() if "145" in note and "客户确认" in note} == {5, 7}
    assert OrderEvent.objects.count() == 6


def test_a_small_batch_tells_both_apart_as_well(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 100)
    draft = upload(clerk_user, ["14500000001,50", *mobiles(1), *mobiles(1)])
    batch = making.make_batch(draft=draft, made_by=clerk_user, reason="客户确认")
    assert list(batch.orders.exclude(duplicate_reason="").values_list("line", flat=True)) == [4]
    warned = OrderEvent.objects.filter(order__batch=batch, note__contains="145").values_list("order__line", flat=True)
    assert list(warned) == [2]
    assert OrderEvent.objects.filter(order__batch=batch).count() == 3
