"""The portal checks its own books: each check finds what breaks it, and nothing else."""

import io
import json
import time
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client

from recharge.books.services import checks as books
from recharge.choices import EventKind, PortalEventKind
from recharge.core.events import record
from recharge.fulfilment.services import checking, reports, submission
from recharge.limits.services import emergency_stop
from recharge.models import Account, Batch, CheckRun, EmergencyStop, Mark, Order, OrderEvent, PortalEvent, Spending
from recharge.orders.services import placing
from tests import actions
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "AGAIN_AFTER", 0)


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    """Accepted, in books that also hold a batch, a card, a refused order and its replacement."""
    refused = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    platform.behaviour = "reject"
    submission.submit_order(order_id=refused.pk)
    again = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50, replaces=refused)
    submission.submit_order(order_id=again.pk)
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    batch_of(*mobiles(3), made_by=person("clerk"))
    active_card(person("clerk"))
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def broken(*, full: bool = True) -> set[str]:
    return {result.check.name for result in books.check_all(full=full) if result.broken}


def test_sound_books_break_nothing(order: Order, platform: FakePlatform) -> None:
    for status in (2, 3, 99, 10, 4):
        reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, status))
    assert broken() == set()
    assert broken(full=False) == set()


def test_the_demo_is_sound(settings: LazySettings) -> None:
    settings.DEBUG = True
    settings.WIKEYUN_BASE_URL = "http://127.0.0.1:9000/rest/"
    call_command("demo", stdout=io.StringIO())
    assert broken() == set()


def update(**columns: object) -> Callable[[Order], object]:
    return lambda order: Order.objects.filter(pk=order.pk).update(**columns) and None


def second_claim(order: Order) -> None:
    record(order, EventKind.CLAIMED, submission_from="QUEUED", submission_to="SUBMITTING")
    record(order, EventKind.ANSWERED, submission_from="SUBMITTING", submission_to="ACCEPTED")


def both_alive(order: Order) -> None:
    first = Order.objects.get(submission="REJECTED")
    Order.objects.filter(pk=first.pk).update(doubts=1)


def row_without_bit(order: Order) -> None:
    Mark.objects.create(order=order, kind="CONFLICT")


def part_forgotten(order: Order) -> None:
    record(order, EventKind.CALLBACK, verdict="stale", reported_status=11, status_from=1, status_to=1)


def unsent_in_a_batch_that_is_over(order: Order) -> None:
    Batch.objects.update(state="HANDED_OVER", canary_until=None)


PLANTED: list[tuple[str, Callable[[Order], object]]] = [
    ("next_step", unsent_in_a_batch_that_is_over),
    ("history", update(status=6)),
    ("sent_once", second_claim),
    ("one_living_attempt", both_alive),
    ("marks", update(open_marks=2)),
    ("marks", row_without_bit),
    ("part_arrived", part_forgotten),
    ("account", update(account=None)),
    ("account", lambda order: Account.objects.update(confirmed_at=None)),
    ("spending", lambda order: Spending.objects.filter(person=None).update(amount=1)),
    ("spending", update(counted_on=None)),
    ("batches", lambda order: Batch.objects.update(total=149)),
    ("cards", lambda order: _change_a_card()),
]


def _change_a_card() -> None:
    from oilcards.models import OilCard, OilCardEvent

    card = OilCard.objects.get()
    OilCardEvent.objects.create(card=card, kind="ADDED", state_to="DELETED")


@pytest.mark.parametrize(("check", "plant"), PLANTED)
@pytest.mark.parametrize("full", [True, False])
def test_what_breaks_a_check_is_found_by_it_alone(
    order: Order, check: str, plant: Callable[[Order], object], full: bool
) -> None:
    plant(order)
    assert broken(full=full) == {check}
    run = CheckRun.objects.get(pk=check)
    assert (run.broken > 0, bool(run.broken_since), bool(run.examples)) == (True, True, True)


@pytest.mark.parametrize(("check", "plant"), PLANTED)
def test_everything_is_stopped_where_money_could_be_spent_twice(
    order: Order, check: str, plant: Callable[[Order], object]
) -> None:
    plant(order)
    (result,) = [one for one in books.check_all(full=True) if one.broken]
    stopped = EmergencyStop.objects.filter(on=True).first()
    assert (stopped is not None) is result.check.stops
    if stopped:
        assert stopped.started_by is None
        assert stopped.started_by_whom == "系统"
        emergency_stop.go_on(stop_id=stopped.pk, actor=person("approver"))
        books.check_all(full=True)
        assert emergency_stop.current_stop() is None, (
            "who has looked at it and went on is not stopped for the same again"
        )


def test_a_break_and_its_end_are_told_once(order: Order) -> None:
    sums = Spending.objects.filter(person=None)
    before = sums.get().amount
    for amount in (1, 1, before, before):
        sums.update(amount=amount)
        books.check_all(full=True)
    kinds = list(PortalEvent.objects.filter(kind__startswith="CHECK").values_list("kind", flat=True))
    assert kinds == [PortalEventKind.CHECK_BROKEN, PortalEventKind.CHECK_MENDED]


def test_what_is_only_between_two_statements_breaks_nothing(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = Spending.objects.filter(person=None)
    before = sums.get().amount
    sums.update(amount=1)
    monkeypatch.setattr(time, "sleep", lambda seconds: sums.update(amount=before))
    assert broken() == set()


def test_a_piece_at_a_time_comes_round_to_every_order(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "PIECE", 1)
    assert broken(full=False) == set()
    update(status=6)(order)
    # Keys may be large: other tests have made orders before.
    CheckRun.objects.update(order_seen=Order.objects.latest("pk").pk)
    assert broken(full=False) == set()
    assert CheckRun.objects.get(pk="history").order_seen == 0
    CheckRun.objects.update(order_seen=order.pk - 1)
    assert broken(full=False) == {"history"}


def test_the_number_of_statements_does_not_grow_with_the_orders(
    order: Order, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    batch_of(*mobiles(200, first=500), made_by=person("clerk"))
    with django_assert_max_num_queries(110):  # type: ignore[attr-defined]
        books.check_all(full=True)


def test_command_says_what_is_broken_and_ends_with_1(order: Order) -> None:
    out = io.StringIO()
    call_command("check_books", "--json", stdout=out)
    assert all(told["ok"] for told in json.loads(out.getvalue()))
    update(status=6)(order)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_books", "--json", stdout=out)
    assert ended.value.code == 1
    (told,) = [told for told in json.loads(out.getvalue()) if not told["ok"]]
    assert (told["check"], told["broken"], told["rows"]) == ("history", 1, [order.order_no])


def test_auditors_see_each_check_and_the_rows_that_break_it(order: Order, client: Client) -> None:
    client.force_login(person("auditor"))
    assert "尚未运行" in client.get("/checks/").content.decode()
    update(status=6)(order)
    books.check_all(full=True)
    page = client.get("/checks/").content.decode()
    assert 'data-check="history" data-broken="1"' in page
    assert f"/orders/{order.order_no}/" in page
    assert b'portal_books_broken{check="history"} 1.0' in client.get("/metrics").content
    assert "check_books" in str(django_settings.CELERY_BEAT_SCHEDULE)


def test_held_replacements_are_sound(platform: FakePlatform) -> None:
    first = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    platform.behaviour = "reject_wrongly"
    submission.submit_order(order_id=first.pk)
    first.refresh_from_db()
    second = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50, replaces=first)
    actions.answer(first, platform.report(first.order_no))
    submission.submit_order(order_id=second.pk)
    assert broken() == set()
    assert OrderEvent.objects.filter(kind=EventKind.HELD).count() == 1
