"""History is sealed link by link, and whoever bends it behind the portal's back is found out."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from portal.kit.append_only import open_to_change
from recharge.models import PortalEvent, Seal
from recharge.trail.services import links, sealing, verifying
from tests.integration.trail.histories import KIND, bend, sealed, write

pytestmark = pytest.mark.django_db
EXPECTED = "c4cabb45c3c0869bf9310f2449024e9c3526b5e1fe5b96d06ae1c1d83e6b3999"


def test_everything_old_is_sealed_in_links_that_follow_on_each_other() -> None:
    sealed(25)
    chain = list(Seal.objects.filter(table="recharge.portalevent"))
    assert [len(link.prints) // links.PRINT for link in chain][-1] <= 10
    assert sum(len(link.prints) // links.PRINT for link in chain) == PortalEvent.objects.count()
    every = list(Seal.objects.all())
    assert [link.previous for link in every] == ["", *(link.digest for link in every[:-1])]
    assert list(verifying.verify_all()) == []
    assert verifying.unsealed()["recharge.portalevent"] == 0


def test_what_may_still_be_written_is_not_sealed_nor_a_piece_that_is_not_full() -> None:
    sealed(10)
    before = Seal.objects.count()
    write(30, age=dt.timedelta(minutes=5))
    assert sealing.seal_what_is_due() == 0
    write(3, age=dt.timedelta(minutes=30))
    assert sealing.seal_what_is_due() == 0
    assert Seal.objects.count() == before


@pytest.mark.books_broken("trail")
def test_a_row_that_was_changed_is_named() -> None:
    ids = sealed(25)
    bend(ids[13], note="bent")
    assert list(verifying.verify_all()) == [
        f"recharge.portalevent {ids[13]} is not as it was (link {_link_of(ids[13]).pk})."
    ]


@pytest.mark.books_broken("trail")
def test_a_row_that_is_gone_is_named_by_the_one_before_it() -> None:
    ids = sealed(25)
    with open_to_change(connection, PortalEvent):
        PortalEvent.objects.filter(pk=ids[14]).delete()
    (sentence,) = verifying.verify_all()
    assert sentence.startswith(f"recharge.portalevent: a row after {ids[13]} is gone")


@pytest.mark.books_broken("trail")
def test_a_row_that_came_afterwards_is_named() -> None:
    ids = write(1)
    late = ids[0] + 1
    PortalEvent.objects.create(pk=late + 1, kind=KIND, at=timezone.now() - dt.timedelta(hours=2))
    while sealing.seal_what_is_due():
        pass
    PortalEvent.objects.create(pk=late, kind=KIND)
    (sentence,) = verifying.verify_all()
    assert sentence.startswith(f"recharge.portalevent {late} came afterwards")


@pytest.mark.books_broken("trail")
def test_a_link_that_was_changed_or_taken_out_is_named() -> None:
    sealed(40)
    first, second, third = Seal.objects.all()[:3]
    with open_to_change(connection, Seal):
        Seal.objects.filter(pk=first.pk).update(content=second.content)
        Seal.objects.filter(pk=second.pk).delete()
    assert list(verifying.verify_all()) == [
        f"Link {first.pk} itself was changed.",
        f"Link {third.pk} does not follow on the one before it: links are missing.",
        f"{third.table}: link {third.pk} begins at {third.first} instead of {second.first}.",
    ]


def test_two_that_seal_at_once_make_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = write(10)
    linked = sealing._link
    tried: list[bool] = []

    def another_is_quicker(*arguments: object) -> bool:
        if not tried:
            tried.append(linked(*arguments))  # type: ignore[arg-type]
            return linked(*arguments)  # type: ignore[arg-type]
        return linked(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sealing, "_link", another_is_quicker)
    sealing.seal_what_is_due()
    assert tried == [True]
    assert Seal.objects.filter(table="recharge.portalevent", last__gte=ids[0]).count() == 1
    assert list(verifying.verify_all()) == []


def test_a_row_adds_up_to_the_same_on_every_database() -> None:
    moment = dt.datetime(2026, 11, 29, 20, 0, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    row = (7, moment, None, "充值", 3, True)
    assert links.digest_of(row).hex() == EXPECTED
    written = PortalEvent.objects.create(kind=KIND, note="x", at=moment)
    values = PortalEvent.objects.filter(pk=written.pk).values_list("at", "note").get()
    assert links.digest_of(values) == links.digest_of((moment, "x"))


@pytest.mark.books_broken("trail")
def test_the_command_ends_with_1_and_names_the_first_row() -> None:
    ids = sealed(12)
    out = io.StringIO()
    call_command("verify_trail", stdout=out)
    newest = Seal.objects.last()
    assert newest
    assert newest.digest in out.getvalue()
    bend(ids[4], note="bent")
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify_trail", stdout=out)
    assert end.value.code == 1
    assert out.getvalue().startswith(f"recharge.portalevent {ids[4]} is not as it was")


def test_some_are_verified_with_every_check_of_the_books() -> None:
    ids = sealed(20)
    bend(ids[-1], note="bent")
    assert [sentence.split(" (")[0] for sentence in verifying.verify_some()] == [
        f"recharge.portalevent {ids[-1]} is not as it was"
    ]
    bend(ids[-1], note="第 19 行")
    assert list(verifying.verify_some()) == []


def _link_of(pk: int) -> Seal:
    return Seal.objects.get(table="recharge.portalevent", first__lte=pk, last__gte=pk)
