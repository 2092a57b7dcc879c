"""The database refuses to change history, whoever asks it to."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from portal.kit import append_only
from recharge.books.services.invariants import CHECKS
from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal
from recharge.models import Order, PortalEvent, Seal
from tests.processes import ROOT

pytestmark = pytest.mark.django_db
TRAIL = next(check for check in CHECKS if check.name == "trail")


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_histories_are_those_of_orders_batches_cards_and_the_portal() -> None:
    held = {"recharge_orderevent", "recharge_batchevent", "recharge_portalevent", "oilcards_oilcardevent"}
    assert held <= set(append_only.tables())


def test_every_history_is_closed() -> None:
    assert append_only.unprotected(connection) == []


def test_the_lesser_role_may_add_to_every_history_and_no_more() -> None:
    grants = (ROOT / "docs/deploy/roles.sql").read_text(encoding="utf-8")
    revoked = grants.partition("REVOKE UPDATE, DELETE ON ")[2].partition(" FROM portal_app")[0]
    assert {name.strip() for name in revoked.split(",")} == set(append_only.tables())


def test_what_was_written_stays(clerk_user: User) -> None:
    record_of_portal(PortalEventKind.BACKED_UP, note="as it was")
    statements = ["UPDATE recharge_portalevent SET note = 'bent'", "DELETE FROM recharge_portalevent"]
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")  # what is still to be checked is another reason to refuse
        statements.append("TRUNCATE recharge_portalevent")
    for statement in statements:
        with pytest.raises(DatabaseError, match="history is never changed or deleted"):
            run(statement)
    assert PortalEvent.objects.get(kind=PortalEventKind.BACKED_UP).note == "as it was"


@pytest.mark.sqlite
def test_replacing_a_row_is_a_change(clerk_user: User) -> None:
    record_of_portal(PortalEventKind.BACKED_UP, note="as it was")
    event = PortalEvent.objects.get(kind=PortalEventKind.BACKED_UP)
    columns = ", ".join(str(field.column) for field in PortalEvent._meta.concrete_fields)
    forged = columns.replace("note", "'forged'")
    for verb in ("REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE"):
        with pytest.raises(IntegrityError, match="history is never changed or deleted"):
            run(f"{verb} INTO recharge_portalevent ({columns}) SELECT {forged} FROM recharge_portalevent")
    event.refresh_from_db()
    assert event.note == "as it was"


@pytest.mark.sqlite
@pytest.mark.books_broken("trail")
@pytest.mark.parametrize("same", ["id", "previous", "digest", '"table", first'])
def test_a_link_can_not_be_replaced_by_one_that_is_like_it_in_anything_unique(same: str) -> None:
    values = {"id": "7", '"table"': "'t'", "first": "1", "previous": "'p'", "digest": "'d'"}
    others = {"last": "2", "columns": "'[]'", "prints": "x'00'", "content": "'c'", "at": "'2026-11-29'"}

    def put(row: dict[str, str]) -> None:
        run(f"REPLACE INTO recharge_seal ({', '.join(row)}) VALUES ({', '.join(row.values())})")

    put({**values, **others})
    others_too = {"id": "8", '"table"': "'u'", "first": "2", "previous": "'q'", "digest": "'e'"}
    with pytest.raises(IntegrityError, match="history is never changed or deleted"):
        put({**others_too, **{column: values[column] for column in same.split(", ")}, **others})
    assert Seal.objects.get().pk == 7


def test_an_id_below_nothing_does_not_close_history_to_new_rows() -> None:
    """To a trigger of SQLite a row without an id has -1."""
    PortalEvent.objects.create(pk=-1, kind=PortalEventKind.BACKED_UP)
    record_of_portal(PortalEventKind.BACKED_UP)
    assert PortalEvent.objects.filter(kind=PortalEventKind.BACKED_UP, pk__gt=0).count() == 1
    with append_only.open_to_change(connection, PortalEvent):
        PortalEvent.objects.filter(pk=-1).delete()


def test_history_that_is_opened_can_be_replaced_and_is_closed_afterwards() -> None:
    record_of_portal(PortalEventKind.BACKED_UP, note="as it was")
    with append_only.open_to_change(connection, PortalEvent):
        assert append_only.unprotected(connection) == ["recharge_portalevent"]
    assert append_only.unprotected(connection) == []


@pytest.mark.sqlite
@pytest.mark.books_broken("trail")
def test_a_table_that_can_be_replaced_in_is_named_and_closed_by_the_next_migrate() -> None:
    run("DROP TRIGGER recharge_orderevent_append_only_INSERT")
    assert list(TRAIL.find(Order.objects.all())) == ["recharge_orderevent"]
    call_command("migrate", verbosity=0)
    assert list(TRAIL.find(Order.objects.all())) == []


@pytest.mark.books_broken("trail")
def test_a_table_that_lost_its_triggers_is_named_and_gets_them_at_the_next_migrate() -> None:
    drop = ["DROP TRIGGER append_only ON recharge_orderevent"]
    if connection.vendor == "sqlite":
        drop = [f"DROP TRIGGER recharge_orderevent_append_only_{event}" for event in append_only.EVENTS]
    for statement in drop:
        run(statement)
    assert list(TRAIL.find(Order.objects.all())) == ["recharge_orderevent"]
    call_command("migrate", verbosity=0)
    assert list(TRAIL.find(Order.objects.all())) == []
