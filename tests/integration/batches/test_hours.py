"""A batch starts later or keeps to hours: nothing of it goes out before, and nobody is called for it."""

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client, override_settings
from django.utils import timezone

from portal.kit.append_only import open_to_change
from portal.kit.database import from_now
from recharge.batches import wording
from recharge.batches.services import draining, making, managing, scheduling
from recharge.batches.services.scheduling import AT_ONCE, Schedule
from recharge.choices import BatchEventKind, BatchState, Submission
from recharge.core import queue
from recharge.core.errors import TooLate
from recharge.models import Balance, Batch, BatchEvent, Order, is_open
from recharge.operations.services import sweeping
from recharge.operations.services.standstill import standstills
from tests.actions import last_event, make_again
from tests.batches import batch_of, mobiles, upload
from tests.fake_platform import FakePlatform
from tests.pages import confirm, hidden_fields, press
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
DAYTIME = (dt.time(8), dt.time(22))
NIGHT = (dt.time(22), dt.time(6))
HOUR = dt.timedelta(hours=1)


def at(text: str) -> dt.datetime:
    return timezone.make_aware(dt.datetime.fromisoformat(f"2026-11-{text}"))


@pytest.fixture
def batch(clerk_user: User, platform: FakePlatform) -> Batch:
    batch = batch_of(*mobiles(6), made_by=clerk_user)
    return managing.skip_canary(batch_id=batch.pk, actor=clerk_user)


def wait(batch: Batch, by: User, schedule: Schedule | None = None) -> None:
    schedule = schedule or Schedule(timezone.now() + HOUR)
    scheduling.set_schedule(batch_id=batch.pk, actor=by, last_seen=last_event(batch), schedule=schedule)
    batch.refresh_from_db()


@pytest.mark.parametrize(
    ("hours", "starts", "now", "opens", "closes"),
    [
        (DAYTIME, None, "10 07:59", "10 08:00", "10 22:00"),
        (DAYTIME, None, "10 08:00", "10 08:00", "10 22:00"),
        (DAYTIME, None, "10 21:59", "10 08:00", "10 22:00"),
        (DAYTIME, None, "10 22:00", "11 08:00", "11 22:00"),
        (DAYTIME, "12 09:30", "10 12:00", "12 09:30", "12 22:00"),
        (DAYTIME, "12 23:00", "10 12:00", "13 08:00", "13 22:00"),
        (DAYTIME, "12 07:00", "10 12:00", "12 08:00", "12 22:00"),
        (DAYTIME, "09 09:30", "10 12:00", "10 08:00", "10 22:00"),
        (NIGHT, None, "10 23:00", "10 22:00", "11 06:00"),
        (NIGHT, None, "10 02:00", "09 22:00", "10 06:00"),
        (NIGHT, None, "10 06:00", "10 22:00", "11 06:00"),
        (None, "12 09:30", "10 12:00", "12 09:30", None),
        (None, None, "10 12:00", None, None),
    ],
)
def test_hours_are_moments_of_the_day(
    hours: tuple[dt.time, dt.time] | None, starts: str | None, now: str, opens: str | None, closes: str | None
) -> None:
    columns = Schedule(at(starts) if starts else None, *(hours or (None, None))).columns(at(now))
    assert columns["opens_at"] == (at(opens) if opens else None)
    assert columns["closes_at"] == (at(closes) if closes else None)


def test_nothing_goes_out_before_the_start_and_all_of_it_afterwards(
    batch: Batch, clerk_user: User, platform: FakePlatform
) -> None:
    wait(batch, clerk_user)
    draining.submit_batches()
    assert platform.books == {}
    assert not Order.objects.next_in_batch(batch.pk).exists(), "the claim itself asks"
    Batch.objects.update(opens_at=from_now(-HOUR))
    draining.submit_batches()
    assert len(platform.books) == 6


def test_nothing_goes_out_after_the_hours_and_the_sweep_sets_the_next_ones(
    batch: Batch, clerk_user: User, platform: FakePlatform
) -> None:
    wait(batch, clerk_user, Schedule(None, *DAYTIME))
    Batch.objects.update(opens_at=from_now(-2 * HOUR), closes_at=from_now(-HOUR))
    assert not Order.objects.next_in_batch(batch.pk).exists()
    draining.submit_batches()
    assert platform.books == {}
    scheduling.open_new_hours()
    batch.refresh_from_db()
    assert batch.closes_at
    assert batch.closes_at > timezone.now()
    expected = Schedule(None, *DAYTIME).columns(timezone.now())
    assert (batch.opens_at, batch.closes_at) == (expected["opens_at"], expected["closes_at"])


def test_within_its_hours_it_goes_out(batch: Batch, clerk_user: User, platform: FakePlatform) -> None:
    now = timezone.localtime()
    hours = (now - HOUR).time().replace(tzinfo=None), (now + HOUR).time().replace(tzinfo=None)
    wait(batch, clerk_user, Schedule(None, *hours))
    assert not batch.waits
    draining.submit_batches()
    assert len(platform.books) == 6


def test_the_row_and_the_database_agree_on_whether_it_waits(batch: Batch) -> None:
    for opens in (None, -HOUR, HOUR):
        for closes in (None, -HOUR, HOUR):
            if (opens and closes and opens >= closes) or (closes and not opens):
                continue
            hours = DAYTIME if closes else (None, None)
            Batch.objects.update(
                opens_at=timezone.now() + opens if opens else None,
                closes_at=timezone.now() + closes + dt.timedelta(minutes=1) if closes else None,
                hours_from=hours[0],
                hours_until=hours[1],
            )
            batch.refresh_from_db()
            assert batch.waits is not Batch.objects.filter(is_open()).exists(), (opens, closes)


def test_no_drain_opens_for_what_waits(batch: Batch, clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "start_drains", lambda *drains: opened.append(drains))
    monkeypatch.setattr(queue, "waiting", lambda task: 0)
    wait(batch, clerk_user)
    sweeping.sweep()
    assert queue.SUBMIT_BATCHES not in dict(opened)
    wait(batch, clerk_user, AT_ONCE)
    sweeping.sweep()
    assert queue.SUBMIT_BATCHES in dict(opened)


def test_whoever_waits_on_purpose_stands_not_still(batch: Batch, clerk_user: User) -> None:
    wait(batch, clerk_user)
    hours_ago = timezone.now() - 5 * HOUR
    Batch.objects.update(made_at=hours_ago)
    with open_to_change(connection, BatchEvent):
        BatchEvent.objects.all()._raw_delete(BatchEvent.objects.db)
    assert standstills() == []
    Batch.objects.update(opens_at=timezone.now() - dt.timedelta(minutes=1))
    assert standstills() == [], "it may have begun a minute ago"
    Batch.objects.update(opens_at=timezone.now() - HOUR)
    assert [one.work for one in standstills()] == ["batches"]


@override_settings(BALANCE_FLOOR=1000)
def test_a_low_balance_pauses_nothing_that_waits(batch: Batch, clerk_user: User) -> None:
    Balance.objects.update_or_create(pk=1, defaults={"amount": 5, "told_at": timezone.now(), "error": ""})
    wait(batch, clerk_user)
    sweeping.sweep()
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING
    wait(batch, clerk_user, AT_ONCE)
    sweeping.sweep()
    batch.refresh_from_db()
    assert batch.state == BatchState.PAUSED


def test_it_is_set_while_the_batch_is_made_and_shown(client: Client, platform: FakePlatform) -> None:
    clerk = person("clerk")
    client.force_login(clerk)
    draft = upload(clerk, mobiles(3))
    with time_machine.travel(at("10 23:30"), tick=False):
        press(client, f"/batches/new/{draft.pk}/", hours_from="08:00", hours_until="22:00")
        batch = Batch.objects.get()
        page = client.get(f"/batches/{batch.pk}/").content.decode()
    assert (batch.opens_at, batch.closes_at) == (at("11 08:00"), at("11 22:00"))
    assert "等到 11-11 08:00" in page
    assert "每天只在 08:00 至 22:00" in page


@pytest.mark.parametrize(
    "said",
    [
        {"hours_from": "08:00"},
        {"hours_until": "22:00"},
        {"hours_from": "08:00", "hours_until": "08:00"},
        {"hours_from": "25:00", "hours_until": "08:00"},
        {"starts_at": "2020-01-01T08:00"},
        {"starts_at": "morgen"},
    ],
)
def test_what_makes_no_sense_makes_no_batch(client: Client, platform: FakePlatform, said: dict[str, str]) -> None:
    clerk = person("clerk")
    client.force_login(clerk)
    draft = upload(clerk, mobiles(3))
    page = press(client, f"/batches/new/{draft.pk}/", **said)
    assert page.status_code == 200
    assert "is-invalid" in page.content.decode()
    assert not Batch.objects.exists()


def test_it_is_changed_and_removed_on_its_page(client: Client, batch: Batch) -> None:
    client.force_login(person("clerk"))
    address = f"/batches/{batch.pk}/schedule/"
    moment = timezone.localtime(timezone.now() + 24 * HOUR).replace(second=0, microsecond=0)
    confirm(client, address, starts_at=f"{moment:%Y-%m-%dT%H:%M}")
    batch.refresh_from_db()
    assert (batch.starts_at, batch.opens_at) == (moment, moment)
    assert f"{moment:%Y-%m-%dT%H:%M}" in client.get(address).content.decode()
    confirm(client, address)
    batch.refresh_from_db()
    assert (batch.starts_at, batch.opens_at, batch.closes_at) == (None, None, None)
    events = BatchEvent.objects.filter(kind=BatchEventKind.SCHEDULED).order_by("pk")
    assert [f"{moment:%Y-%m-%d %H:%M}" in event.note for event in events] == [True, False]


@pytest.mark.parametrize("names_what_it_showed", [True, False])
def test_what_somebody_else_has_said_meanwhile_is_not_overwritten(
    client: Client, batch: Batch, platform: FakePlatform, names_what_it_showed: bool
) -> None:
    client.force_login(person("clerk"))
    address = f"/batches/{batch.pk}/schedule/"
    shown = hidden_fields(client.get(address)) if names_what_it_showed else {}
    tomorrow = timezone.localtime(timezone.now() + 24 * HOUR)
    wait(batch, person("approver"), Schedule(tomorrow))
    page = client.post(address, {**shown, "starts_at": ""})
    assert "情况有变" in page.content.decode()
    assert f"目前的发送时间：{tomorrow:%Y-%m-%d %H:%M} 起" in page.content.decode()
    assert hidden_fields(page)["seen"] == str(last_event(batch))
    batch.refresh_from_db()
    assert batch.starts_at == tomorrow
    draining.submit_batches()
    assert platform.books == {}
    client.post(address, {**hidden_fields(page), "starts_at": ""})
    batch.refresh_from_db()
    assert batch.starts_at is None


def test_what_is_over_keeps_its_time(batch: Batch, clerk_user: User) -> None:
    managing.withdraw_rest(batch_id=batch.pk, actor=clerk_user)
    with pytest.raises(TooLate):
        wait(batch, clerk_user)


def test_the_database_refuses_hours_without_moments(batch: Batch) -> None:
    for columns in (
        {"hours_from": dt.time(8)},
        {"hours_from": dt.time(8), "hours_until": dt.time(22)},
        {"closes_at": timezone.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Batch.objects.update(**columns)


def test_a_batch_waits_in_its_list_too(batch: Batch, clerk_user: User) -> None:
    wait(batch, clerk_user)
    assert "等到" in str(wording.of_batch(batch).label)
    Batch.objects.update(state=BatchState.WITHDRAWN)
    batch.refresh_from_db()
    assert "等到" not in str(wording.of_batch(batch).label)


def test_orders_that_wait_are_queued_and_withdrawn_like_others(batch: Batch, clerk_user: User) -> None:
    wait(batch, clerk_user)
    assert managing.withdraw_rest(batch_id=batch.pk, actor=clerk_user) == 6
    assert not Order.objects.exclude(submission=Submission.WITHDRAWN).exists()


def test_a_large_batch_keeps_its_time_while_it_is_made(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recharge.batches.services import assembling

    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)
    later = timezone.now() + HOUR
    batch = making.make_batch(draft=upload(clerk_user, mobiles(5)), made_by=clerk_user, schedule=Schedule(later))
    assembling.assemble_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.opens_at) == (BatchState.CANARY, later)
    draining.submit_batches()
    assert platform.books == {}


def test_what_is_made_again_keeps_to_the_hours_but_not_to_the_start(
    batch: Batch, platform: FakePlatform, clerk_user: User, client: Client
) -> None:
    platform.behaviour, platform.next_behaviours = "reject", ["reject"] * 5
    with override_settings(BRAKE_REJECTIONS=0):
        draining.submit_batches()
    Batch.objects.update(**Schedule(timezone.now() - HOUR, *DAYTIME).columns(timezone.now()))
    client.force_login(person("clerk"))
    assert "08:00" in client.get(f"/batches/{batch.pk}/again/").content.decode()
    with time_machine.travel(at("10 23:00"), tick=False):
        again = make_again(batch, clerk_user)
    assert (again.size, again.starts_at, again.hours_from, again.hours_until) == (6, None, *DAYTIME)
    assert (again.opens_at, again.closes_at) == (at("11 08:00"), at("11 22:00"))
