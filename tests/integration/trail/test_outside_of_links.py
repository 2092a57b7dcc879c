"""No row stands outside of the links: below the first id, between two, or behind one that reaches too far."""

import datetime as dt
import logging
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.kit.append_only import open_to_change
from recharge.books.services.invariants import CHECKS
from recharge.models import Order, OrderEvent, PortalEvent, Seal
from recharge.trail.services import links, sealing, verifying
from tests.integration.trail.histories import KIND, sealed, write

pytestmark = [pytest.mark.django_db, pytest.mark.books_broken("trail")]
TABLE = "recharge.portalevent"
TRAIL = next(check for check in CHECKS if check.name == "trail")
FAR = 10**12


def put(first: int, last: int, *, table: str = TABLE, **given: int) -> Seal:
    """Put a link at the end of the chain that is well-formed in itself."""
    model = next(model for model in links.histories() if model._meta.label_lower == table)
    columns = links.columns_of(model)
    rows = links.read(model, columns, first, last)
    newest = Seal.objects.order_by("-pk").first()
    link = Seal(table=table, first=first, last=last, columns=columns, prints=rows.prints, content=rows.content)
    link.previous = newest.digest if newest else ""
    link.digest = links.digest(link)
    link.pk = given.get("pk")
    link.save(force_insert=True)
    return link


def everywhere() -> list[str]:
    """Return what all of the chain says, which the check of the books says as well."""
    sentences = list(verifying.verify_all())
    assert set(TRAIL.find(Order.objects.all())) == set(sentences)
    return sentences


def test_a_row_below_the_first_id_is_named_wherever_it_is() -> None:
    ids = sealed(12)
    old = timezone.now() - dt.timedelta(hours=2)
    PortalEvent.objects.create(pk=-5, kind=KIND, at=old)
    assert everywhere() == [f"{TABLE} -5 was put there by hand: ids begin at 1, and no link holds it."]
    assert verifying.unsealed()[TABLE] == 1
    write(10)
    assert sealing.seal_what_is_due() == 1, "the others are sealed all the same"
    assert Seal.objects.filter(table=TABLE).latest("pk").first == ids[-1] + 1


def test_a_link_below_the_first_id_is_named() -> None:
    ids = sealed(12)
    put(ids[-1] + 1, write(1)[0], pk=-3)
    sentence = "recharge.seal -3 was put there by hand: ids begin at 1, and no link holds it."
    assert sentence in verifying.verify_all()
    assert sentence in TRAIL.find(Order.objects.all())


def test_rows_below_the_first_id_are_found_where_nothing_is_sealed_yet() -> None:
    PortalEvent.objects.create(pk=-5, kind=KIND)
    assert len(everywhere()) == 1


def test_a_link_over_rows_that_are_not_there_is_named_and_nothing_is_sealed_after_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = sealed(12)
    forged = put(FAR, FAR)
    new = write(25)
    made = Seal.objects.count()

    with caplog.at_level(logging.ERROR):
        assert sealing.seal_what_is_due() == 0

    assert Seal.objects.count() == made
    assert "history_not_sealed" in caplog.text
    assert everywhere() == [
        f"{TABLE}: link {forged.pk} begins at {FAR} instead of {ids[-1] + 1}.",
        f"{TABLE}: link {forged.pk} ends at {FAR}, of which it holds no row.",
    ]
    assert verifying.unsealed()[TABLE] == len(new)


def test_it_is_logged_once_by_each_process(caplog: pytest.LogCaptureFixture) -> None:
    sealed(12)
    put(FAR, FAR)
    with caplog.at_level(logging.ERROR):
        for _sweep in range(3):
            sealing.seal_what_is_due()
    assert caplog.text.count("history_not_sealed") == 1


def test_once_the_link_is_gone_everything_is_sealed_again() -> None:
    sealed(12)
    forged = put(FAR, FAR)
    write(10)
    assert sealing.seal_what_is_due() == 0
    with open_to_change(connection, Seal):
        Seal.objects.filter(pk=forged.pk).delete()
    assert sealing.seal_what_is_due() == 1
    assert everywhere() == []


def test_a_link_that_reaches_over_rows_to_come_is_named() -> None:
    ids = sealed(12)
    forged = put(ids[-1] + 1, FAR)
    assert everywhere() == [f"{TABLE}: link {forged.pk} ends at {FAR}, of which it holds no row."]
    assert sealing.seal_what_is_due() == 0


def test_a_link_that_ends_before_it_begins_is_named() -> None:
    ids = sealed(12)
    forged = put(ids[-1] + 1, ids[-1])
    assert everywhere() == [f"{TABLE}: link {forged.pk} ends at {ids[-1]}, of which it holds no row."]
    assert sealing.seal_what_is_due() == 0


def test_rows_between_two_links_are_missed() -> None:
    ids, between, new = sealed(12), write(1), write(1)
    forged = put(new[0], new[0])
    assert everywhere() == [f"{TABLE}: link {forged.pk} begins at {new[0]} instead of {between[0]}."]
    assert between[0] == ids[-1] + 1
    assert sealing.seal_what_is_due() == 0


def test_the_first_link_of_a_table_begins_at_1() -> None:
    sealed(12)
    forged = put(2, 2, table="recharge.batchevent")
    assert everywhere()[0] == f"recharge.batchevent: link {forged.pk} begins at 2 instead of 1."


def test_ids_that_were_given_back_are_no_gap() -> None:
    ids = sealed(10)
    old = timezone.now() - dt.timedelta(hours=2)
    for later in (50, 51, 90):
        PortalEvent.objects.create(pk=ids[-1] + later, kind=KIND, at=old)
    while sealing.seal_what_is_due():
        pass
    assert everywhere() == []
    assert verifying.unsealed()[TABLE] == 0


def test_a_row_far_ahead_does_not_make_the_check_read_all_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sealed(10)
    PortalEvent.objects.create(pk=FAR, kind=KIND, at=timezone.now() - dt.timedelta(hours=2))
    while sealing.seal_what_is_due():
        pass
    for later in range(1, 30):
        PortalEvent.objects.create(pk=ids[-1] + later, kind=KIND)
    read: list[int] = []
    digest_of = links.digest_of

    def counted(row: tuple[int, ...]) -> bytes:
        read.append(row[0])
        return digest_of(row)

    monkeypatch.setattr(links, "digest_of", counted)
    assert f"{TABLE} {ids[-1] + 1} came afterwards" in everywhere()[0]
    assert max(read.count(pk) for pk in read) <= 2
    assert len(read) <= 2 * (PortalEvent.objects.count() - 20)


def test_the_newest_link_of_every_table_is_verified_with_every_check_of_the_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "BY_LOT", 0)
    forged = put(FAR, FAR, table=OrderEvent._meta.label_lower)
    for _link in range(verifying.NEWEST):
        new = write(1)
        put(new[0] if _link else 1, new[0])
    assert f"recharge.orderevent: link {forged.pk} begins at {FAR} instead of 1." in everywhere()


def test_lots_fall_on_old_links_though_the_newest_has_an_id_far_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sealed(200)
    end = write(1)[0]
    put(ids[-1] + 1, end, pk=FAR)
    drawn: set[int] = set()

    def draw(seal: Seal, _end: int) -> list[str]:
        drawn.add(seal.pk)
        return []

    monkeypatch.setattr(verifying, "verify", draw)
    random.seed(7)
    for _run in range(30):
        list(verifying.verify_some())
    assert len([pk for pk in drawn if pk < FAR]) > 15


def test_the_check_of_the_books_costs_the_same_however_many_links_there_are() -> None:
    sealed(100)
    with CaptureQueriesContext(connection) as few:
        list(verifying.verify_some())
    sealed(300)
    with CaptureQueriesContext(connection) as many:
        list(verifying.verify_some())
    assert len(many) <= len(few) + 3 * verifying.BY_LOT  # lots that fall on one link twice
