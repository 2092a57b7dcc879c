"""One number gets at most so many orders, or yuan, within a period; off until an administrator says so."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recharge.batches.services import assembling, draining, judging, making, preview, uploading
from recharge.batches.services.skipped_lines import skipped_lines_of
from recharge.choices import LimitPeriod, PortalEventKind, Submission
from recharge.core.errors import BadLines, InvalidOrder
from recharge.fulfilment.services import submission
from recharge.limits.services import number_limits
from recharge.models import NumberLimit, Order, PortalEvent
from recharge.orders.services import interventions, placing
from tests.actions import make_again
from tests.batches import assembled, batch_of, mobile, mobiles, upload
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]


def limit(*, orders: int | None = None, yuan: int | None = None, period: LimitPeriod = LimitPeriod.DAY) -> NumberLimit:
    made = NumberLimit.objects.create(period=period, most_orders=orders, most_yuan=yuan)
    number_limits.forget()
    return made


def place(by: User, face_value: int = 50, number: int = 1) -> Order:
    return placing.place_mobile_order(
        placed_by=by, mobile=mobile(number), face_value=face_value, duplicate_reason="另一笔"
    )


def test_nothing_is_limited_until_somebody_says_so(clerk_user: User) -> None:
    for _time in range(4):
        place(clerk_user)
    assert Order.objects.count() == 4


def test_no_more_orders_than_the_limit_and_the_sentence_names_it(clerk_user: User) -> None:
    limit(orders=2)
    place(clerk_user)
    place(clerk_user, 100)
    with pytest.raises(InvalidOrder, match=r"最多充 2 笔.*已有 2 笔") as refused:
        place(clerk_user)
    assert refused.value.field == "mobile"
    assert Order.objects.count() == 2
    place(clerk_user, number=2)


def test_no_more_yuan_than_the_limit(clerk_user: User) -> None:
    limit(yuan=150)
    place(clerk_user, 100)
    with pytest.raises(InvalidOrder, match=r"¥ 150.*¥ 100.*¥ 100"):
        place(clerk_user, 100)
    place(clerk_user, 50)


@pytest.mark.parametrize(("period", "hours"), [(LimitPeriod.DAY, 25), (LimitPeriod.WEEK, 169)])
def test_what_is_older_than_the_period_counts_no_more(
    clerk_user: User, platform: FakePlatform, period: LimitPeriod, hours: int
) -> None:
    limit(orders=1, period=period)
    place(clerk_user)
    ago = timezone.now() - dt.timedelta(hours=hours)
    handed_over(placed_at=ago, submitted_at=ago + dt.timedelta(hours=2))
    with pytest.raises(InvalidOrder):
        place(clerk_user)
    handed_over(placed_at=ago, submitted_at=ago)
    place(clerk_user)


def test_what_still_waits_counts_however_old_it_is(clerk_user: User) -> None:
    limit(orders=1)
    place(clerk_user)
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(days=9))
    with pytest.raises(InvalidOrder):
        place(clerk_user)


def handed_over(placed_at: dt.datetime, submitted_at: dt.datetime) -> None:
    for waiting in Order.objects.filter(submission=Submission.QUEUED):
        submission.submit_order(order_id=waiting.pk)
    Order.objects.update(placed_at=placed_at, submitted_at=submitted_at)


def test_what_was_handed_over_lately_counts_however_old_it_is(clerk_user: User, platform: FakePlatform) -> None:
    limit(orders=1)
    place(clerk_user)
    handed_over(placed_at=timezone.now() - dt.timedelta(days=3), submitted_at=timezone.now())
    with pytest.raises(InvalidOrder):
        place(clerk_user)


def test_what_spent_nothing_for_certain_does_not_count(clerk_user: User) -> None:
    limit(orders=1)
    order = place(clerk_user)
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    place(clerk_user)


def test_a_limit_that_is_off_holds_nobody(clerk_user: User) -> None:
    made = limit(orders=1)
    NumberLimit.objects.filter(pk=made.pk).update(active=False)
    number_limits.forget()
    place(clerk_user)
    place(clerk_user)


def test_the_form_shows_it_at_the_number(client: Client) -> None:
    limit(orders=1)
    client.force_login(person("clerk"))
    place(person("clerk"))
    page = client.post("/orders/new/", {"mobile": mobile(1), "face_value": "100", "nonce": ""}).content.decode()
    assert "最多充 1 笔" in page


def test_a_list_counts_its_own_lines_and_what_was_placed_before(clerk_user: User) -> None:
    limit(orders=2)
    place(clerk_user)
    lines = [f"{mobile(1)},50", f"{mobile(1)},100", *mobiles(2, first=2)]
    seen = preview.preview(upload(clerk_user, lines))
    assert (seen.bad, seen.placeable.orders) == (1, 3)
    assert seen.bad_lines[0].line == 3
    with pytest.raises(BadLines, match="最多充 2 笔"):
        making.make_batch(draft=upload(clerk_user, lines), made_by=clerk_user, reason="补充")


def test_quantities_count_one_by_one(clerk_user: User) -> None:
    limit(orders=2)
    draft = upload(clerk_user, [f"{mobile(1)},50,3"], "手机号,面值,数量")
    uploading.use_quantities(draft=draft, wanted=True)
    seen = preview.preview(draft)
    assert (seen.bad, seen.placeable.orders) == (1, 2)


def test_a_large_batch_looks_again_at_each_piece(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 2)
    limit(orders=2)
    draft = upload(clerk_user, [*mobiles(3), f"{mobile(1)},100", *mobiles(3, first=4)])
    judging.judge_waiting()
    batch = making.make_batch(draft=draft, made_by=clerk_user)
    place(clerk_user, 200, 1)  # the second one of this number, while the batch is made
    assembled(batch)
    assert Order.objects.filter(mobile=mobile(1)).count() == 2
    assert [line.line for line in skipped_lines_of(batch)] == [5]
    assert "最多充 2 笔" in skipped_lines_of(batch)[0].problem
    assert batch.orders.count() == 6


def test_failed_ones_that_are_placed_anew_keep_to_it(clerk_user: User, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(2), made_by=clerk_user)
    platform.behaviour, platform.next_behaviours = "reject", ["reject"]
    draining.submit_batches()
    limit(orders=1)
    place(clerk_user, 100, 1)
    again = make_again(batch, clerk_user)
    assert list(again.orders.values_list("mobile", flat=True)) == [mobile(2)]


def test_a_list_asks_for_each_number_once(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(50))
    preview.preview(draft)
    with CaptureQueriesContext(connection) as without:
        preview.preview(draft)
    limit(orders=5)
    number_limits.forget()
    with CaptureQueriesContext(connection) as with_limit:
        preview.preview(draft)
    assert len(with_limit) <= len(without) + 2


def test_administrators_change_it_and_it_stands_in_the_history(client: Client) -> None:
    client.force_login(person("administrator"))
    given = {"period": "DAY", "most_orders": "3", "most_yuan": "", "active": "on"}
    assert client.post("/admin/recharge/numberlimit/add/", given).status_code == 302
    made = NumberLimit.objects.get()
    client.post(f"/admin/recharge/numberlimit/{made.pk}/change/", {**given, "most_yuan": "500"})
    client.post(f"/admin/recharge/numberlimit/{made.pk}/delete/", {"post": "yes"})
    notes = list(PortalEvent.objects.filter(kind=PortalEventKind.NUMBER_LIMIT).values_list("note", flat=True))
    day = LimitPeriod.DAY.label
    assert notes == [f"– → {day} 3 / ¥ –", f"{day} 3 / ¥ – → {day} 3 / ¥ 500", f"{day} 3 / ¥ 500 → –"]


@pytest.mark.parametrize("role", ["clerk", "approver", "auditor", "outsider"])
def test_nobody_else_changes_it(client: Client, role: str) -> None:
    client.force_login(person(role))
    client.post("/admin/recharge/numberlimit/add/", {"period": "DAY", "most_orders": "3"})
    assert not NumberLimit.objects.exists()


@pytest.mark.parametrize("columns", [{"period": "YEAR", "most_orders": 1}, {"period": "DAY"}])
def test_the_database_refuses_a_limit_of_nothing(columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        NumberLimit.objects.create(**columns)
