"""How much may be queued a day: what counts, what gives its sum back, and what is told before it is too much."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from portal.gateway import PushReceipt
from recharge.batches.services import braking, draining, making, managing
from recharge.batches.services.making import make_batch
from recharge.batches.services.reading import Line, lines
from recharge.batches.services.uploading import keep_upload
from recharge.choices import Product, Submission
from recharge.core.errors import LimitReached, TooLate
from recharge.fulfilment.services import answers, checking, submission
from recharge.limits.services import accounts, spending
from recharge.models import Batch, BatchDraft, Order, OrderEvent, Spending
from recharge.orders.services import interventions, placing
from tests import actions
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.known import known
from tests.people import person
from tests.processes import time_passes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MIDNIGHT = dt.datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Shanghai"))


def place(mobile: str = "13800138000", face_value: int = 50, who: str = "clerk") -> Order:
    return placing.place_mobile_order(placed_by=person(who), mobile=mobile, face_value=face_value)


def sums() -> dict[str, int]:
    """Return what counts today, by person; "" for all."""
    today = Spending.objects.filter(day=timezone.localdate())
    return {name or "": amount for name, amount in today.values_list("person__username", "amount")}


def test_without_limits_everything_counts_and_nothing_is_refused(platform: FakePlatform) -> None:
    place()
    batch_of(*mobiles(3), made_by=person("administrator"))
    assert sums() == {"": 200, "clerk": 50, "administrator": 150}
    assert spending.allowances(person("clerk")) == []


@pytest.mark.parametrize("name", ["DAILY_LIMIT", "DAILY_LIMIT_PER_PERSON"])
def test_order_up_to_the_limit_is_placed_and_the_next_one_is_refused(
    platform: FakePlatform, settings: LazySettings, name: str
) -> None:
    setattr(settings, name, 100)
    place("13800138000")
    place("13900139000")
    before = sums(), Order.objects.count(), OrderEvent.objects.count()
    with pytest.raises(LimitReached, match="100"):
        place("13700137000")
    assert (sums(), Order.objects.count(), OrderEvent.objects.count()) == before


def test_limit_of_a_person_leaves_the_others_alone(platform: FakePlatform, settings: LazySettings) -> None:
    settings.DAILY_LIMIT_PER_PERSON = 50
    place("13800138000")
    place("13900139000", who="administrator")
    with pytest.raises(LimitReached):
        place("13700137000")
    settings.DAILY_LIMIT = 100
    with pytest.raises(LimitReached):
        place("13600136000", who="approver")
    assert sums() == {"": 100, "clerk": 50, "administrator": 50}


def test_batch_that_fits_not_as_a_whole_is_not_made(platform: FakePlatform, settings: LazySettings) -> None:
    settings.DAILY_LIMIT = 149
    draft = keep_upload(
        content="\n".join(("手机号,面值", *mobiles(3))).encode(),
        file_name="list.csv",
        product=Product.MOBILE,
        uploaded_by=person("clerk"),
    )
    with pytest.raises(LimitReached):
        make_batch(draft=draft, made_by=person("clerk"))
    assert (Batch.objects.count(), Order.objects.count(), OrderEvent.objects.count(), sums()) == (0, 0, 0, {})
    assert BatchDraft.objects.get() == draft


def test_what_awaits_approval_does_not_count(platform: FakePlatform, settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100
    place(face_value=200)
    batch_of(*mobiles(3), made_by=person("clerk"))
    assert sums() == {}


def test_new_day_begins_at_midnight_in_shanghai(platform: FakePlatform, settings: LazySettings) -> None:
    settings.DAILY_LIMIT = 50
    with time_machine.travel(MIDNIGHT - dt.timedelta(seconds=1), tick=False) as clock:
        place("13800138000")
        with pytest.raises(LimitReached):
            place("13900139000")
        clock.shift(1)
        place("13900139000")
        with pytest.raises(LimitReached):
            place("13700137000")
    assert dict(Spending.objects.filter(person=None).values_list("day", "amount")) == {
        dt.date(2026, 11, 23): 50,
        dt.date(2026, 11, 24): 50,
    }


def test_batch_that_is_made_over_midnight_counts_on_one_day(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(MIDNIGHT - dt.timedelta(seconds=1), tick=False) as clock:

        def judged(draft: BatchDraft) -> Iterator[Line]:
            yield from lines(draft)
            clock.shift(2)

        monkeypatch.setattr(making, "lines", judged)
        batch = batch_of(*mobiles(3), made_by=person("clerk"))
        assert sums() == {"": 150, "clerk": 150}
        managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk"))
        assert sums() == {"": 0, "clerk": 0}


def test_withdrawn_order_gives_its_sum_back_once(platform: FakePlatform) -> None:
    order, other = place("13800138000"), place("13900139000", face_value=100)
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    assert sums() == {"": 100, "clerk": 100}
    with pytest.raises(TooLate):
        interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    assert sums() == {"": 100, "clerk": other.face_value}


def test_sum_comes_back_to_the_day_that_it_counted_towards(platform: FakePlatform) -> None:
    with time_machine.travel(MIDNIGHT - dt.timedelta(seconds=1), tick=False) as clock:
        order = place("13800138000")
        clock.shift(2)
        place("13900139000", face_value=100)
        interventions.withdraw(order_id=order.pk, actor=person("administrator"))
    assert set(Spending.objects.values_list("day", "person__username", "amount")) == {
        (dt.date(2026, 11, 23), None, 0),
        (dt.date(2026, 11, 23), "clerk", 0),
        (dt.date(2026, 11, 24), None, 100),
        (dt.date(2026, 11, 24), "clerk", 100),
    }


def test_refused_order_gives_its_sum_back_once(platform: FakePlatform) -> None:
    order = place()
    place("13900139000")
    platform.behaviour = "reject"
    submission.submit_order(order_id=order.pk)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.REJECTED
    assert sums() == {"": 50, "clerk": 50}


def test_order_that_never_arrived_gives_its_sum_back_once(platform: FakePlatform) -> None:
    order = place()
    known = place("13900139000")  # which proves that the platform finds what it has
    submission.submit_order(order_id=known.pk)
    checking.check_order(order_id=known.pk)
    platform.behaviour = "lost"
    submission.submit_order(order_id=order.pk)
    for _ in range(3):
        assert sums()["clerk"] == 100, "as long as it may have arrived, it counts"
        time_passes(20)
        checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.NOT_RECEIVED
    time_passes(20)
    checking.check_order(order_id=order.pk)
    assert sums() == {"": 50, "clerk": 50}


@pytest.mark.parametrize("behaviour", ["accept", "hang", "not_sent"])
def test_what_may_be_spent_goes_on_counting(platform: FakePlatform, behaviour: str) -> None:
    order = place()
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    assert sums() == {"": 50, "clerk": 50}


def test_dead_order_that_lives_counts_again(platform: FakePlatform) -> None:
    order = place()
    place("13900139000")
    platform.behaviour = "reject"
    submission.submit_order(order_id=order.pk)
    assert sums() == {"": 50, "clerk": 50}
    platform._book(order.order_no, order.mobile, 50)
    for _ in range(2):
        actions.answer(order, platform.report(order.order_no, 1))
        assert sums() == {"": 100, "clerk": 100}


def test_receipt_of_an_order_that_was_held_for_dead_counts_it_again(platform: FakePlatform) -> None:
    order = place()
    platform.behaviour = "killed_after"
    with suppress(WorkerKilled):
        submission.submit_order(order_id=order.pk)
    claimed = Order.objects.get()
    Order.objects.update(submission=Submission.NOT_RECEIVED, lease_until=None, settled_at=timezone.now())
    spending.uncount([order])
    assert sums() == {"": 0, "clerk": 0}
    answers.record_receipt(claimed, PushReceipt("W1", Decimal(50), None, None, "{}"))
    assert Order.objects.get().submission == Submission.ACCEPTED
    assert sums() == {"": 50, "clerk": 50}


def test_withdrawn_rest_of_a_batch_gives_its_sum_back_once(platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    accounts.current()
    submission.hand_over(known(submission.claim(draining.NEXT_IN_BATCH, batch.pk)), submission.Started.now())
    assert managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk")) == 4
    managing.finish_withdrawals()
    assert sums() == {"": 50, "clerk": 50}


def test_withdrawn_orders_that_awaited_approval_give_nothing_back(
    platform: FakePlatform, settings: LazySettings
) -> None:
    place("13900139000")
    settings.APPROVAL_ABOVE = 100
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    order = place("13700137000", face_value=200)
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk"))
    assert sums() == {"": 50, "clerk": 50}


def test_form_shows_what_is_used_and_says_what_does_not_fit(
    client: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.DAILY_LIMIT, settings.DAILY_LIMIT_PER_PERSON = 1000, 120
    place()
    client.force_login(person("clerk"))
    for path in ("/orders/new/", "/orders/new/oil/", "/"):
        page = client.get(path).content.decode()
        assert '<progress class="progress progress-sm w-100" value="50" max="1000"' in page, path
        assert 'value="50" max="120"' in page, path
    response = client.post("/orders/new/", {"mobile": "13900139000", "face_value": "100"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "clerk 今日限额 ¥ 120，已用 ¥ 50，剩余额度不够 ¥ 100。" in page
    assert 'value="13900139000"' in page
    assert Order.objects.count() == 1


def test_limit_that_is_used_up_is_said_in_words(client: Client, platform: FakePlatform, settings: LazySettings) -> None:
    settings.DAILY_LIMIT = 50
    place()
    client.force_login(person("clerk"))
    assert "额度已用完" in client.get("/orders/new/").content.decode()


def test_where_no_limit_is_set_none_is_shown(client: Client, platform: FakePlatform) -> None:
    client.force_login(person("clerk"))
    for path in ("/orders/new/", "/orders/new/oil/", "/"):
        assert "<progress" not in client.get(path).content.decode()


def test_who_places_nothing_sees_no_limit_of_his_own(
    client: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.DAILY_LIMIT = settings.DAILY_LIMIT_PER_PERSON = 100
    client.force_login(person("auditor"))
    assert "<progress" not in client.get("/").content.decode()


def test_form_says_from_where_on_a_second_person_is_needed(
    client: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    client.force_login(person("clerk"))
    settings.APPROVAL_ABOVE = 200
    assert "须由另一人审批" not in client.get("/orders/new/").content.decode()
    settings.APPROVAL_ABOVE = 100
    assert "超过 ¥ 100 须由另一人审批后才会提交" in client.get("/orders/new/").content.decode()


def test_clerk_who_placed_too_much_lands_on_an_order_that_says_what_comes_next(
    client: Client, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.APPROVAL_ABOVE = 100
    client.force_login(person("clerk"))
    response = client.post("/orders/new/", {"mobile": "13900139000", "face_value": "200"}, follow=True)
    assert "须由另一人审批" in response.content.decode()
    assert Order.objects.get().submission == Submission.AWAITING_APPROVAL


def test_batch_that_stops_by_itself_names_no_number(platform: FakePlatform, settings: LazySettings) -> None:
    settings.BRAKE_REJECTIONS, settings.BATCH_CANARY = 1, 0
    batch = batch_of(*mobiles(2), made_by=person("clerk"))
    order = batch.orders.earliest("id")
    platform.behaviour = "reject"
    draining.submit_batches()
    assert batch.events.get(kind="BRAKED").note.endswith("1001 余额不足")
    order.refresh_from_db()
    order.refusal = f"1001 {order.mobile} 号码异常"
    assert braking._without_number(order) == "1001 138****0001 号码异常"
