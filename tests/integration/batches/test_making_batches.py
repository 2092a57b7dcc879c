"""A clerk makes a batch of a sheet: every line is judged, all orders are made at once, and never twice."""

import datetime as dt
import uuid
from collections.abc import Iterator
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from oilcards.choices import State
from oilcards.models import OilCard
from portal import platform as platform_settings
from portal.sheets import UnreadableSheet
from recharge.batches.services import assembling, draining, making, managing, reading, uploading
from recharge.choices import BatchEventKind, BatchState, EventKind, Product, Speed, Submission
from recharge.core.errors import BadLines, LimitReached, NotConfigured, NothingToPlace, Outdated, ReasonNeeded
from recharge.fulfilment.services import checking
from recharge.models import Batch, BatchDraft, Order, OrderEvent, Spending
from recharge.orders.services import placing
from tests.actions import make_again
from tests.batches import batch_of, mobile, mobiles, sheet, upload
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]


def problems(draft: BatchDraft) -> dict[int, str]:
    return {line.row.line: line.problem for line in reading.lines(draft) if line.problem}


def doubts(draft: BatchDraft) -> dict[int, list[str]]:
    return {line.row.line: line.doubts for line in reading.lines(draft) if line.doubts}


def nothing_was_made() -> bool:
    return not (Order.objects.exists() or OrderEvent.objects.exists() or Batch.objects.exists()) and not (
        Spending.objects.filter(amount__gt=0).exists()
    )


def test_each_line_becomes_an_order_with_its_history(clerk_user: User) -> None:
    draft = upload(
        clerk_user,
        ["+86 138-0013-8000,¥50,快,老客户", "13800138001,100元,慢充,", "13800138002,200.00,,"],
        header="手机号码,金额,速度,备注",
    )
    batch = making.make_batch(draft=draft, made_by=clerk_user)
    assert (batch.size, batch.total, batch.state, batch.canary_until) == (3, 350, BatchState.RUNNING, None)
    orders = list(Order.objects.filter(batch=batch).order_by("line"))
    assert [(order.mobile, order.face_value, order.speed, order.note, order.line) for order in orders] == [
        ("13800138000", 50, Speed.FAST, "老客户", 2),
        ("13800138001", 100, Speed.SLOW, "", 3),
        ("13800138002", 200, Speed.FAST, "", 4),
    ]
    assert all(order.submission == Submission.QUEUED and order.next_push_at for order in orders)
    assert all(order.placed_by == clerk_user and len(order.order_no) == 20 for order in orders)
    for order in orders:
        event = order.events.get()
        assert (event.kind, event.actor, event.submission_from, event.submission_to) == (
            EventKind.PLACED,
            clerk_user,
            "",
            Submission.QUEUED,
        )
    assert batch.events.get().kind == BatchEventKind.MADE
    assert not BatchDraft.objects.exists()


def test_columns_that_are_not_given_are_as_in_an_order_placed_by_hand(clerk_user: User) -> None:
    batch_of(*mobiles(1), made_by=clerk_user)
    by_hand = placing.place_mobile_order(placed_by=clerk_user, mobile="13911112222", face_value=50)
    by_hand.refresh_from_db()
    made = Order.objects.get(line=2)
    differ = {name for name, value in vars(made).items() if value != vars(by_hand)[name]} - {"_state"}
    assert differ == {"id", "order_no", "mobile", "placed_at", "batch_id", "line", "next_push_at"}


def test_the_same_draft_makes_one_batch_however_often_it_is_sent(clerk_user: User) -> None:
    draft = upload(clerk_user, ["13800138000,50"])
    first = making.make_batch(draft=draft, made_by=clerk_user)
    assert making.make_batch(draft=draft, made_by=clerk_user) == first
    assert Order.objects.count() == 1


def test_a_second_batch_with_the_nonce_is_refused_by_the_database(clerk_user: User) -> None:
    batch = batch_of(*mobiles(1), made_by=clerk_user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.create(
            nonce=batch.nonce, product="MOBILE", size=1, total=1, made_by=clerk_user, state=BatchState.RUNNING
        )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1380013800,50", "11 位"),
        ("17012345678,50", "170 开头"),
        ("13800138000,51", "50、100、200"),
        ("13800138000,", "没有面值"),
        ("13800138000,五十", "50、100、200"),
        ("1.38E+10,50", "科学计数"),
        ("=13800138000+0,50", "公式"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_nothing_is_made(clerk_user: User, line: str, words: str) -> None:
    draft = upload(clerk_user, ["13800138001,50", line])
    assert list(problems(draft)) == [3]
    assert words in problems(draft)[3]
    with pytest.raises(BadLines, match=f"第 3 行.*{words}"):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert nothing_was_made()
    assert BatchDraft.objects.exists(), "it can still be corrected"
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    assert batch.size == 1


@pytest.mark.parametrize("bad", ["13800138000,50,插队", "13800138000,50,2"])
def test_a_speed_that_nobody_knows_is_a_problem(clerk_user: User, bad: str) -> None:
    assert list(problems(upload(clerk_user, [bad], header="手机号,面值,快慢"))) == [2]


def test_a_sheet_of_bad_lines_only_makes_nothing(clerk_user: User) -> None:
    draft = upload(clerk_user, ["1,50"])
    with pytest.raises(NothingToPlace):
        making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    assert nothing_was_made()


def test_a_sheet_that_can_not_be_read_is_not_kept(clerk_user: User) -> None:
    with pytest.raises(UnreadableSheet):
        upload(clerk_user, ["x"], header="甲,乙")
    assert not BatchDraft.objects.exists()


def test_repetitions_need_a_reason(clerk_user: User) -> None:
    earlier = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138009", face_value=50)
    draft = upload(clerk_user, ["13800138000,50", "13800138000,50", "13800138000,100", "13800138009,50"])
    found = doubts(draft)
    assert list(found) == [3, 5]
    assert "2" in found[3][0]
    assert earlier.order_no in found[5][0]
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=draft, made_by=clerk_user, reason="  ")
    assert Order.objects.count() == 1
    making.make_batch(draft=draft, made_by=clerk_user, reason="两张卡")
    reasons = Order.objects.filter(batch__isnull=False).order_by("line").values_list("duplicate_reason", flat=True)
    assert list(reasons) == ["", "两张卡", "", "两张卡"]


def test_a_repetition_is_found_however_far_it_is_from_the_first(clerk_user: User) -> None:
    found = doubts(upload(clerk_user, [*mobiles(reading.JUDGED_AT_ONCE + 1), *mobiles(1)]))
    assert list(found) == [reading.JUDGED_AT_ONCE + 3]
    assert "2" in found[reading.JUDGED_AT_ONCE + 3][0]


@pytest.mark.books_broken("history", "spending")
def test_orders_older_than_a_day_are_duplicates_only_while_they_are_open(clerk_user: User) -> None:
    for number in (1, 2):
        placing.place_mobile_order(placed_by=clerk_user, mobile=f"1380013800{number}", face_value=50)
    Order.objects.update(placed_at=F("placed_at") - dt.timedelta(hours=25))
    Order.objects.filter(mobile="13800138001").update(
        submission=Submission.REJECTED, next_push_at=None, settled_at=F("placed_at")
    )
    assert list(doubts(upload(clerk_user, ["13800138001,50", "13800138002,50"]))) == [3]


@pytest.mark.books_broken("batches", "spending")
def test_the_same_file_again_needs_a_reason(clerk_user: User) -> None:
    batch_of(*mobiles(1), made_by=clerk_user)
    Order.objects.update(face_value=100)  # so that only the file itself is the same
    draft = upload(clerk_user, mobiles(1))
    assert len(reading.batches_of_same_file(draft)) == 1
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert Batch.objects.count() == 1
    assert making.make_batch(draft=draft, made_by=clerk_user, reason="下月的").reason == "下月的"


@override_settings(APPROVAL_ABOVE=60_000)
@pytest.mark.parametrize(("size", "waits"), [(1200, False), (1201, True)])
def test_a_batch_above_the_limit_awaits_approval_as_a_whole(clerk_user: User, size: int, *, waits: bool) -> None:
    """More than a piece of 1,000, so that the sum passes the limit when some orders are there already."""
    batch = batch_of(*mobiles(size), made_by=clerk_user)
    state, submitted = (
        (BatchState.AWAITING_APPROVAL, Submission.AWAITING_APPROVAL)
        if waits
        else (
            BatchState.CANARY,
            Submission.QUEUED,
        )
    )
    assert batch.state == state
    assert set(Order.objects.values_list("submission", flat=True)) == {submitted}
    assert set(OrderEvent.objects.values_list("submission_to", flat=True)) == {submitted}
    assert Order.objects.filter(counted_on=None).exists() == waits
    spent = Spending.objects.filter(person=None).values_list("amount", flat=True).first()
    assert spent == (None if waits else size * 50)


@override_settings(DAILY_LIMIT_PER_PERSON=100)
def test_a_batch_beyond_the_days_limit_makes_nothing(clerk_user: User) -> None:
    with pytest.raises(LimitReached, match="100"):
        batch_of(*mobiles(3), made_by=clerk_user)
    assert nothing_was_made()
    assert batch_of(*mobiles(2), made_by=clerk_user).size == 2


def test_nothing_is_made_without_credentials(clerk_user: User) -> None:
    draft = upload(clerk_user, ["13800138000,50"])
    with mock.patch.object(platform_settings, "is_configured", lambda: False), pytest.raises(NotConfigured):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert nothing_was_made()


def test_statements_grow_with_pieces_and_not_with_lines(clerk_user: User) -> None:
    def statements(size: int, first: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            batch_of(*mobiles(size, first=first), made_by=clerk_user)
        return len(captured)

    batch_of(*mobiles(1, first=20_000), made_by=clerk_user)  # the first of the day makes the rows for its sums
    assert statements(5, 0) == statements(900, 10_000)


def test_oil_cards_are_found_by_their_number(clerk_user: User) -> None:
    card = active_card(clerk_user)
    text = sheet(f"{card.card_number},500", "1000110000000000999,500", f"{card.card_number},50", header="油卡号,面值")
    draft = uploading.keep_upload(content=text, file_name="", product=Product.OIL, uploaded_by=clerk_user)
    found = problems(draft)
    assert list(found) == [3, 4]
    assert not any(card.card_number in words for words in found.values())
    making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    order = Order.objects.get()
    assert (order.oil_card, order.mobile, order.face_value, order.speed) == (card, "", 500, Speed.SLOW)


def test_cards_that_are_not_active_are_a_problem(clerk_user: User) -> None:
    card = active_card(clerk_user)
    OilCard.objects.update(state="CHANGE_FAILED")
    text = sheet(f"{card.card_number},500", header="油卡号,面值")
    draft = uploading.keep_upload(content=text, file_name="", product=Product.OIL, uploaded_by=clerk_user)
    assert list(problems(draft)) == [2]


def oil_draft(card: OilCard, by: User) -> BatchDraft:
    text = sheet(f"{card.card_number},500", header="油卡号,面值")
    return uploading.keep_upload(content=text, file_name="", product=Product.OIL, uploaded_by=by)


@pytest.mark.parametrize(("note", "statements"), [("", 0), ("x", 1)])
def test_holders_are_read_only_for_lines_with_a_note(clerk_user: User, note: str, statements: int) -> None:
    cards = [active_card(clerk_user, number=f"10001111000012345{n}", platform_card_id=f"{n}") for n in range(10, 19)]
    text = sheet(*(f"{card.card_number},500,{note}" for card in cards), header="油卡号,面值,备注")
    draft = uploading.keep_upload(content=text, file_name="list.csv", product=Product.OIL, uploaded_by=clerk_user)
    with CaptureQueriesContext(connection) as captured:
        assert [line.order.note for line in reading.lines(draft) if line.order] == [note] * len(cards)
    assert sum("holder_name" in query["sql"] for query in captured) == statements


def test_a_card_that_goes_while_its_line_is_placed_gets_no_order(
    clerk_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an order would be put off every minute for ever."""
    draft = oil_draft(active_card(clerk_user), clerk_user)

    def judged(draft: BatchDraft) -> Iterator[reading.Line]:
        yield from reading.lines(draft)
        OilCard.objects.update(state=State.DELETED)

    monkeypatch.setattr(making, "lines", judged)
    with pytest.raises(BadLines):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert nothing_was_made()


def test_what_failed_for_a_card_that_is_gone_is_not_placed_anew(clerk_user: User, platform: FakePlatform) -> None:
    batch = making.make_batch(draft=oil_draft(active_card(clerk_user), clerk_user), made_by=clerk_user)
    fail_all(batch, platform)
    OilCard.objects.update(state=State.DELETED)
    with pytest.raises(NothingToPlace):
        make_again(batch, clerk_user)
    assert Order.objects.count() == 1
    OilCard.objects.update(state=State.ACTIVE)
    assert make_again(batch, clerk_user).size == 1


def test_only_what_was_shown_is_placed_anew(clerk_user: User, platform: FakePlatform) -> None:
    with override_settings(BATCH_CANARY=0):
        batch = batch_of(*mobiles(3), made_by=clerk_user)
    fail_all(batch, platform)
    for orders_seen, money_seen in ((2, 150), (3, 100), (0, 0)):
        seen = {"orders_seen": orders_seen, "money_seen": money_seen}
        with pytest.raises(Outdated):
            making.make_again(batch_id=batch.pk, made_by=clerk_user, nonce=uuid.uuid4(), **seen)
    assert Batch.objects.count() == 1


def test_a_kept_sheet_is_not_readable_in_the_database(clerk_user: User) -> None:
    upload(clerk_user, ["13800138000,50"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM recharge_batchdraft")
        stored = cursor.fetchone()[0]
    assert "13800138000" not in stored
    assert stored.startswith("gAAAA")


def fail_all(batch: Batch, platform: FakePlatform) -> None:
    platform.behaviour, platform.next_behaviours = "reject", ["reject"] * (batch.size - 1)
    with override_settings(BRAKE_REJECTIONS=0, BATCH_CANARY=0):
        draining.submit_batches()


def test_failed_orders_are_placed_anew_and_replaced_once(clerk_user: User, platform: FakePlatform) -> None:
    with override_settings(BATCH_CANARY=0):
        batch = batch_of(*mobiles(3), made_by=clerk_user)
    platform.behaviour, platform.next_behaviours = "reject", ["hang", "reject"]
    draining.submit_batches()
    assert assembling.failed_orders(batch).count() == 2, "the one that hangs may have been taken"
    nonce = uuid.uuid4()
    again = make_again(batch, clerk_user, nonce)
    assert make_again(batch, clerk_user, nonce) == again
    assert again.size == 2
    assert {order.replaces.line for order in Order.objects.filter(batch=again) if order.replaces} == {2, 4}
    with pytest.raises(NothingToPlace):
        make_again(batch, clerk_user)
    assert Order.objects.count() == 5


def test_what_was_placed_by_hand_meanwhile_is_not_placed_anew(clerk_user: User, platform: FakePlatform) -> None:
    with override_settings(BATCH_CANARY=0):
        batch = batch_of(*mobiles(2), made_by=clerk_user)
    fail_all(batch, platform)
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50)
    again = make_again(batch, clerk_user)
    assert list(Order.objects.filter(batch=again).values_list("mobile", flat=True)) == [mobile(2)]


def test_what_another_list_placed_days_ago_is_not_placed_anew(clerk_user: User, platform: FakePlatform) -> None:
    with override_settings(BATCH_CANARY=0):
        failed = batch_of(*mobiles(3), made_by=clerk_user)
        fail_all(failed, platform)
        batch_of(*mobiles(2, first=2), made_by=clerk_user)
    draining.submit_batches()
    for booked in platform.books.values():
        booked.status = 2
    for order in Order.objects.filter(submission=Submission.ACCEPTED):
        checking.check_order(order_id=order.pk)
    days = dt.timedelta(days=3)
    Order.objects.update(placed_at=F("placed_at") - days, submitted_at=F("submitted_at") - days)
    again = make_again(failed, clerk_user)
    assert list(Order.objects.filter(batch=again).values_list("mobile", flat=True)) == [mobile(1)]


def test_failed_orders_are_read_in_pieces(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand of them, whole, would take half a gigabyte."""
    batch = batch_of(*mobiles(5), made_by=clerk_user)
    fail_all(managing.skip_canary(batch_id=batch.pk, actor=clerk_user), platform)
    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    with CaptureQueriesContext(connection) as captured:
        again = make_again(batch, clerk_user)
    whole = [query["sql"] for query in captured if '"recharge_order"."duplicate_reason"' in query["sql"]]
    assert whole
    assert all('"id" IN (' in sql or '"mobile" IN (' in sql for sql in whole)
    lines = Order.objects.filter(batch=again).order_by("line").values_list("line", "replaces__mobile", "mobile")
    assert list(lines) == [(line, mobile(line), mobile(line)) for line in range(1, 6)]


def test_failed_one_whose_number_is_open_on_another_line_is_not_placed_anew(platform: FakePlatform) -> None:
    """The same number twice in one list, on purpose: the first line is under way."""
    clerk = person("clerk")
    batch = batch_of("13800138000,50", "13800138000,50", "13900139000,50", made_by=clerk, reason="meant")
    first, second, third = Order.objects.filter(batch=batch).order_by("line")
    dead = {"submission": "REJECTED", "next_push_at": None, "settled_at": first.placed_at}
    Order.objects.filter(pk__in=[second.pk, third.pk]).update(**dead)
    new = make_again(batch, clerk)
    assert list(new.orders.values_list("replaces", flat=True)) == [third.pk]
    assert first.submission == "QUEUED"
