"""A dead worker or scheduler is seen, whatever kind of work it leaves undone."""

import datetime as dt
from contextlib import nullcontext

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client, override_settings

from oilcards.models import OilCard
from portal.kit.append_only import open_to_change
from portal.kit.database import from_now
from portal.kit.history import AppendOnly
from recharge.batches.services import assembling, judging, making, uploading
from recharge.choices import BatchState, Submission
from recharge.fulfilment.services import submission
from recharge.limits.services import emergency_stop
from recharge.models import Batch, BatchEvent, BatchMaking, ListReading, Order
from recharge.operations.services.standstill import Work, standstills
from recharge.orders.services import placing
from tests.batches import batch_of, mobiles, upload
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.oil_cards import active_card
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
FIVE_HOURS = dt.timedelta(hours=5)


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


def undone() -> list[str]:
    return [one.work for one in standstills()]


def earlier(rows: object, *columns: str, by: dt.timedelta = FIVE_HOURS) -> None:
    model = rows.model  # type: ignore[attr-defined]
    with open_to_change(connection, model) if issubclass(model, AppendOnly) else nullcontext():
        rows.update(**{column: F(column) - by for column in columns})  # type: ignore[attr-defined]


def test_what_goes_its_way_is_nothing_undone(order: Order) -> None:
    assert undone() == []
    submission.submit_order(order_id=order.pk)
    assert undone() == []


def test_an_order_that_nobody_takes_up(order: Order) -> None:
    earlier(Order.objects, "next_push_at")
    assert undone() == [Work.ORDERS]
    assert standstills()[0].since < order.placed_at
    emergency_stop.stop_everything(actor=person("clerk"), reason="why")
    assert undone() == [], "what is held back on purpose tells nothing"


def test_an_order_that_waits_for_an_account(order: Order) -> None:
    submission.submit_order(order_id=order.pk)
    placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    earlier(Order.objects.filter(submission=Submission.QUEUED), "next_push_at")
    with override_settings(WIKEYUN_APP_KEY="another"):
        assert undone() == []


def test_a_lease_five_hours_over(order: Order, platform: FakePlatform) -> None:
    platform.behaviour = "killed_before"
    with pytest.raises(WorkerKilled):
        submission.submit_order(order_id=order.pk)
    earlier(Order.objects, "lease_until")
    assert undone() == [Work.LEASES]


def test_a_query_five_hours_due(order: Order) -> None:
    submission.submit_order(order_id=order.pk)
    earlier(Order.objects, "next_check_at", by=dt.timedelta(minutes=20))
    assert undone() == [], "thousands may be due at once"
    earlier(Order.objects, "next_check_at")
    assert undone() == [Work.QUERIES]


@pytest.mark.parametrize("state", [BatchState.RUNNING, BatchState.CANARY])
def test_a_batch_that_should_run(platform: FakePlatform, state: BatchState) -> None:
    batch = batch_of(*mobiles(9), made_by=person("clerk"))
    Batch.objects.filter(pk=batch.pk).update(state=state)
    assert undone() == []
    earlier(Batch.objects, "made_at")
    earlier(BatchEvent.objects, "at")
    earlier(Order.objects, "next_push_at", "placed_at")
    assert undone() == [Work.BATCHES]
    Order.objects.filter(line=2).update(submitted_at=F("placed_at") + FIVE_HOURS)
    assert undone() == [], "it moves"


def test_a_batch_that_a_person_paused_waits_for_a_person(platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(9), made_by=person("clerk"))
    earlier(Batch.objects, "made_at")
    earlier(BatchEvent.objects, "at")
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PAUSED, brake="BY_HAND", braked_at=F("made_at"))
    assert undone() == []


def test_a_card_whose_worker_ended_half_way() -> None:
    card = active_card(person("clerk"))
    OilCard.objects.filter(pk=card.pk).update(state="CHANGING", action="CHANGE", lease_until=F("added_at") - FIVE_HOURS)
    assert undone() == [Work.CARDS]


def test_readyz_and_metrics_tell_it_without_taking_the_pages_away(order: Order, client: Client) -> None:
    assert client.get("/readyz").content == b"ok"
    earlier(Order.objects, "next_push_at")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert b"standstill: orders since 20" in response.content
    client.force_login(person("auditor"))
    assert b'portal_undone_since_seconds{work="orders"}' in client.get("/metrics").content


def test_a_list_that_nobody_makes_a_batch_of(platform: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1)
    for number in (1, 5):
        making.make_batch(draft=upload(person("clerk"), mobiles(2, first=number)), made_by=person("clerk"))
    assert undone() == []
    first, second = Batch.objects.order_by("pk")
    earlier(Batch.objects.filter(pk=second.pk), "made_at")
    assert undone() == [], "it waits for the one before it"
    earlier(Batch.objects.filter(pk=first.pk), "made_at")
    assert undone() == [Work.LISTS]
    BatchMaking.objects.filter(pk=first.pk).update(lease_until=from_now(assembling.LEASE))
    assert undone() == []


def test_a_list_that_nobody_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 1)
    upload(person("clerk"), mobiles(2))
    assert undone() == []
    earlier(ListReading.objects, "asked_at")
    assert undone() == [Work.LISTS]
    judging.judge_waiting()
    assert undone() == []
