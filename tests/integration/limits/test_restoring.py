"""A restored backup pays nothing twice: it is recognised, pushes nothing, and one command puts it in order."""

import datetime as dt
import io
import shutil
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from oilcards.choices import State
from oilcards.models import OilCard
from oilcards.services import adding
from portal import backups, generations
from recharge.batches.services import draining, managing
from recharge.choices import BatchState, PortalEventKind, Submission
from recharge.core.errors import NotReplaceable
from recharge.fulfilment.services import submission
from recharge.limits.services import accounts, restore_guard
from recharge.models import Batch, BatchDraft, Generation, Order, PortalEvent
from recharge.operations.services import restoring, sweeping
from recharge.orders.services import placing
from tests import actions
from tests.batches import batch_of, mobiles, upload
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


class MemoryPlace:
    """Stands for a broker."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.away = False

    def tokens(self) -> set[str]:
        if self.away:
            raise OSError("no broker")
        return set(self.known)

    def add(self, token: str) -> None:
        self.known = self.tokens() | {token}

    def drop(self, token: str) -> None:
        self.known = self.tokens() - {token}

    def keep_only(self, token: str) -> None:
        self.tokens()
        self.known = {token}


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> MemoryPlace:
    beside = MemoryPlace()
    monkeypatch.setattr(generations, "places", lambda: [beside])
    return beside


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(restore_guard, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    return moment


def order(number: int = 0) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{number}", face_value=50)


def pushed(one: Order) -> bool:
    submission.submit_order(order_id=one.pk)
    one.refresh_from_db()
    return one.submission != Submission.QUEUED


def new_process() -> None:
    restore_guard._seen.forget()


def backup() -> Mapping[str, object]:
    return Generation.objects.values().get()


def restore(row: Mapping[str, object]) -> None:
    Generation.objects.update(**row)


def time_passes(seconds: int) -> None:
    Generation.objects.update(advanced_at=timezone.now() - dt.timedelta(seconds=seconds))


# --- recognising ----------------------------------------------------------------------------------------------------
def test_a_fresh_database_opens_by_itself(platform: FakePlatform, place: MemoryPlace) -> None:
    assert pushed(order())
    assert place.known == {Generation.objects.get().token}


def test_the_token_is_replaced_all_the_time(platform: FakePlatform, place: MemoryPlace, clock: list[float]) -> None:
    seen = set()
    for number in range(5):
        assert pushed(order(number))
        seen.add(Generation.objects.get().token)
        clock[0] += 11
        time_passes(11)
    assert len(seen) == 5
    assert len(place.known) == 1


def test_a_restored_database_pushes_nothing_after_a_restart(platform: FakePlatform, clock: list[float]) -> None:
    assert pushed(order(0))
    old = backup()
    waiting = order(1)
    clock[0] += 11
    time_passes(11)
    assert pushed(waiting)
    restore(old)
    Order.objects.filter(pk=waiting.pk).update(
        submission=Submission.QUEUED, next_push_at=timezone.now(), gateway_order_no=None, next_check_at=None
    )
    new_process()
    pushes = dict(platform.books)
    assert not pushed(waiting)
    sweeping.sweep()
    clock[0] += restore_guard.CLOSED_AFTER + 1
    assert not pushed(waiting)
    closed = restore_guard.closed()
    assert closed
    assert closed.closed_because
    assert PortalEvent.objects.filter(kind=PortalEventKind.GUARD_CLOSED).count() == 1
    assert platform.books == pushes


def test_a_restore_underneath_a_running_process_is_seen_by_the_claim_itself(
    platform: FakePlatform, clock: list[float]
) -> None:
    """The process has looked a moment ago, and would not look again for some seconds."""
    assert pushed(order(0))
    old = backup()
    clock[0] += 11
    time_passes(11)
    assert pushed(order(1))
    waiting = order(2)
    restore(old)
    assert restore_guard._seen.token != old["token"]
    assert not pushed(waiting)


@pytest.mark.parametrize("restarted", [False, True])
def test_an_emptied_broker_is_filled_by_who_has_seen_the_token(
    platform: FakePlatform, place: MemoryPlace, clock: list[float], restarted: bool
) -> None:
    assert pushed(order(0))
    place.known.clear()
    if restarted:
        new_process()
    clock[0] += 11
    assert pushed(order(1)) is not restarted
    assert bool(place.known) is not restarted


def test_a_broker_that_is_away_holds_up_nobody_who_has_seen_the_token(
    platform: FakePlatform, place: MemoryPlace, clock: list[float]
) -> None:
    assert pushed(order(0))
    place.away = True
    clock[0] += 11
    time_passes(11)
    assert pushed(order(1))
    new_process()
    assert not pushed(order(2))
    assert Generation.objects.get().is_open, "no news is no proof"
    place.away = False
    restore_guard.look_again()
    assert restore_guard.closed() is None


def test_a_crash_between_the_places_closes_nothing(platform: FakePlatform, place: MemoryPlace) -> None:
    assert pushed(order(0))
    place.add("a token that never got into the database")
    new_process()
    assert pushed(order(1))


def test_an_old_versions_backup_beside_a_place_that_knows_tokens_is_recognised(
    platform: FakePlatform, place: MemoryPlace
) -> None:
    assert pushed(order(0))
    Generation.objects.all().delete()
    new_process()
    assert not pushed(order(1))


def test_every_page_and_readyz_say_that_it_is_closed(client: Client) -> None:
    Generation.objects.create(pk=1, is_open=False, closed_at=timezone.now(), closed_because="restored")
    client.force_login(person("clerk"))
    assert 'data-banner="restore"' in client.get("/orders/").content.decode()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.content) == (503, b"restore guard closed: restored")
    client.force_login(person("auditor"))
    assert b"portal_restore_guard_closed 1.0" in client.get("/metrics").content


def next_token(clock: list[float]) -> None:
    before = Generation.objects.get().token
    clock[0] += 11
    time_passes(11)
    assert restore_guard.token()
    assert Generation.objects.get().token != before


def forget_push(one: Order) -> None:
    Order.objects.filter(pk=one.pk).update(
        submission=Submission.QUEUED, next_push_at=timezone.now(), gateway_order_no=None, next_check_at=None
    )


@pytest.mark.parametrize("kind", ["the broker hiccups", "the process is killed"])
def test_an_old_token_is_forgotten_whatever_happened_at_its_end(
    platform: FakePlatform,
    place: MemoryPlace,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    assert pushed(order(0))
    old, waiting = backup(), order(1)

    def fail(token: str) -> None:
        raise OSError("hiccup") if kind == "the broker hiccups" else KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, "drop", fail)
        clock[0] += 11
        time_passes(11)
        try:
            restore_guard.token()
        except KeyboardInterrupt:
            new_process()
    for _ in range(20):
        next_token(clock)
    assert pushed(waiting)
    restore(old)
    forget_push(waiting)
    new_process()
    books = len(platform.books)
    pushed(waiting)
    assert platform.books[waiting.order_no].pushes == 1, "paid twice"
    assert len(platform.books) == books


def test_a_place_that_can_not_be_written_brakes_in_the_end(
    platform: FakePlatform,
    place: MemoryPlace,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk, rights: the token stands still, and no backup differs any more."""
    assert pushed(order(0))

    def fail(token: str) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(place, "add", fail)
    for number in range(1, 6):
        clock[0] += 600
        time_passes(600)
        if not pushed(order(number)):
            return
    raise AssertionError("an hour with one token, and nobody was told")


def test_forms_from_before_the_restore_can_not_be_sent_again(client: Client, platform: FakePlatform) -> None:
    client.force_login(person("clerk"))
    restoring.put_in_order()
    assert client.get("/orders/").status_code == 302


def test_a_card_that_was_not_added_may_have_been_added_since(platform: FakePlatform) -> None:
    card = active_card(person("clerk"))
    OilCard.objects.filter(pk=card.pk).update(state=State.ADD_FAILED, platform_card_id=None)
    restoring.put_in_order()
    card.refresh_from_db()
    assert not adding.can_add_again(card)


def test_an_account_that_the_backup_does_not_know_concludes_nothing(platform: FakePlatform, settings: object) -> None:
    waiting = order(0)
    old = accounts.current()
    settings.WIKEYUN_APP_KEY = "another"  # type: ignore[attr-defined]
    restoring.put_in_order()
    waiting.refresh_from_db()
    assert waiting.account == old


# --- putting in order -----------------------------------------------------------------------------------------------
@pytest.fixture
def restored(platform: FakePlatform) -> dict[str, int]:
    """What a backup may hold: orders and batches in every state that could be pushed, and a dead one."""
    clerk = person("clerk")
    platform.behaviour = "reject"
    pushed(order(0))
    pushed(order(1))
    order(2)
    with override_settings(APPROVAL_ABOVE=10):
        order(3)
    running, paused, withdrawn = (batch_of(*mobiles(3, first=first), made_by=clerk) for first in (10, 20, 30))
    managing.pause(batch_id=paused.pk, actor=clerk)
    managing.withdraw_rest(batch_id=withdrawn.pk, actor=clerk)
    with override_settings(APPROVAL_ABOVE=100):
        awaiting = batch_of(*mobiles(3, first=40), made_by=clerk)
    upload(clerk, mobiles(3))
    platform.books.clear()
    return {"running": running.pk, "paused": paused.pk, "withdrawn": withdrawn.pk, "awaiting": awaiting.pk}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("after_restore", *arguments, stdout=out)
    return out.getvalue()


def test_nothing_that_waited_is_pushed_and_all_of_it_is_asked_for(
    restored: dict[str, int], platform: FakePlatform, place: MemoryPlace
) -> None:
    Generation.objects.update(is_open=False)
    assert "11" in run()
    sweeping.sweep()
    draining.submit_batches()
    for one in Order.objects.all():
        submission.submit_order(order_id=one.pk)
    assert not platform.books
    assert not Order.objects.exclude(next_push_at=None).exists()
    unknown = Order.objects.filter(submission=Submission.UNKNOWN)
    assert unknown.count() == 2 + 9
    assert set(unknown) <= set(Order.objects.due_for_check())
    assert not unknown.filter(account=None).exists()
    assert all(one.events.filter(kind="RESTORED").exists() for one in unknown)
    states = {name: Batch.objects.get(pk=pk).state for name, pk in restored.items()}
    assert states.pop("withdrawn") == BatchState.WITHDRAWN
    assert set(states.values()) == {BatchState.HANDED_OVER}
    assert not BatchDraft.objects.exists()  # a sheet may have been made into a batch after the backup
    assert PortalEvent.objects.get(kind=PortalEventKind.RESTORED).note
    assert place.known == {Generation.objects.get().token}
    assert pushed(order(9)), "new orders go out again"


def test_what_was_dead_is_not_placed_again_by_a_click(restored: dict[str, int]) -> None:
    dead = Order.objects.get(submission=Submission.REJECTED)
    assert dead.is_provably_unspent
    run()
    dead.refresh_from_db()
    with pytest.raises(NotReplaceable):
        placing.place_mobile_order(placed_by=person("clerk"), mobile=dead.mobile, face_value=50, replaces=dead)
    client = Client()
    client.force_login(person("clerk"))
    assert "恢复过数据库备份" in client.get(f"/orders/{dead.order_no}/").content.decode()


@pytest.mark.parametrize("code", [3, 5])
def test_what_may_have_failed_and_been_replaced_since_is_not_placed_again_by_a_click(
    platform: FakePlatform, place: MemoryPlace, code: int
) -> None:
    one, done, waiting = order(0), order(1), order(2)
    assert pushed(one)
    actions.answer(one, platform.report(one.order_no, code))
    assert pushed(done)
    actions.answer(done, platform.report(done.order_no, 2))
    run()
    one.refresh_from_db()
    actions.answer(one, platform.report(one.order_no, 4))
    platform.books.clear()
    Order.objects.filter(pk=waiting.pk).update(
        submission=Submission.NOT_RECEIVED, next_check_at=None, settled_at=timezone.now()
    )
    for dead in (one, waiting):
        dead.refresh_from_db()
        assert not dead.is_provably_unspent
        with pytest.raises(NotReplaceable):
            placing.place_mobile_order(placed_by=person("clerk"), mobile=dead.mobile, face_value=50, replaces=dead)
    done.refresh_from_db()
    assert done.doubts == 0


def test_a_dry_run_tells_the_same_numbers_and_changes_nothing(restored: dict[str, int], place: MemoryPlace) -> None:
    Generation.objects.update(is_open=False)
    before, known = list(Order.objects.order_by("pk").values()), set(place.known)
    told = run("--dry-run")
    assert list(Order.objects.order_by("pk").values()) == before
    assert (restore_guard.closed() is not None, place.known) == (True, known)
    assert told.replace("would: ", "") in run()


def test_a_place_that_is_away_leaves_everything_as_it_was(restored: dict[str, int], place: MemoryPlace) -> None:
    place.away = True
    before = list(Order.objects.order_by("pk").values())
    with pytest.raises(CommandError):
        run()
    assert list(Order.objects.order_by("pk").values()) == before


def test_these_belong_together_opens_and_is_audited(restored: dict[str, int], place: MemoryPlace) -> None:
    Generation.objects.update(is_open=False)
    run("--belong-together", "the broker's disk was replaced")
    assert restore_guard.closed() is None
    assert "disk was replaced" in PortalEvent.objects.get(kind=PortalEventKind.BELONG_TOGETHER).note
    assert Order.objects.filter(submission=Submission.QUEUED).exists()


def test_the_database_that_was_replaced_is_not_taken_for_the_new_one(
    platform: FakePlatform, place: MemoryPlace
) -> None:
    """Somebody puts the old database back after all."""
    assert pushed(order(0))
    replaced = backup()
    restoring.put_in_order()
    restore(replaced)
    new_process()
    assert not pushed(order(1))


# --- places ---------------------------------------------------------------------------------------------------------
def test_a_file_keeps_tokens_and_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = generations.FilePlace(tmp_path / "db.sqlite3.generation")
    assert file.tokens() == set()
    file.add("a")
    file.add("b")
    assert generations.FilePlace(tmp_path / "db.sqlite3.generation").tokens() == {"a", "b"}
    file.drop("a")
    assert file.tokens() == {"b"}
    file.keep_only("c")
    assert file.tokens() == {"c"}
    assert [path.name for path in tmp_path.iterdir()] == ["db.sqlite3.generation"]


# --- backups --------------------------------------------------------------------------------------------------------
def test_a_backup_is_read_back_private_and_kept_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    def dump(target: Path) -> None:
        with closing(sqlite3.connect(target)) as database:
            database.execute("CREATE TABLE t (x)")

    monkeypatch.setattr(backups, "_copy_sqlite", dump)
    monkeypatch.setattr(backups, "_dump_postgresql", dump)
    for minute in range(5):
        made = backups.make(tmp_path / "new", now=dt.datetime(2026, 1, 1, 3, minute), keep=3)
    kept = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert len(kept) == 3
    assert made.name == kept[-1]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_failed_backup_leaves_the_older_ones_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_copy_sqlite", fail)
    monkeypatch.setattr(backups, "_dump_postgresql", fail)
    (tmp_path / "portal-20250101-000000.sqlite3").write_text("old")
    with pytest.raises(CommandError, match="No space left on device"):
        call_command("backup", "--to", str(tmp_path), "--keep", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["portal-20250101-000000.sqlite3"]
    assert not PortalEvent.objects.filter(kind=PortalEventKind.BACKED_UP).exists()


def test_a_directory_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="can't be written to"):
        call_command("backup", "--to", str(tmp_path / "file"))


def test_without_the_clients_of_postgresql_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(backups.BackupFailed, match="pg_dump is not installed"):
        backups._dump_postgresql(tmp_path / "x")


def test_the_overview_and_metrics_tell_the_backups_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client, place: MemoryPlace
) -> None:
    client.force_login(person("auditor"))
    assert "还没有用 manage.py backup" in client.get("/").content.decode()
    monkeypatch.setattr(backups, "_copy_sqlite", lambda target: None)
    monkeypatch.setattr(backups, "_dump_postgresql", lambda target: None)
    restore_guard.token()
    before = Generation.objects.get().token
    call_command("backup", "--to", str(tmp_path), stdout=io.StringIO())
    assert Generation.objects.get().token != before, "a backup is older than the database from its first moment on"
    assert "上次备份" in client.get("/").content.decode()
    assert b"portal_last_backup_timestamp_seconds" in client.get("/metrics").content
