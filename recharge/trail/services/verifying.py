"""Verifying history against its seals: which row is not as it was, which is gone, which came afterwards."""

import random
from collections.abc import Iterator
from itertools import pairwise

from django.db.models import Max, Q
from django.utils.translation import gettext as _

from recharge.models import Seal

from .links import (
    PRINT,
    Rows,
    chain,
    digest,
    end_before,
    histories,
    holds_its_end,
    newest_of,
    read,
    rows_below,
)

NEWEST = 5
BY_LOT = 5


def verify_all() -> Iterator[str]:
    """Yield, link by link from the first on, what does not fit, in words that name the row."""
    before, ends = "", dict[str, int]()
    for seal in chain():
        if seal.previous != before:
            yield _("Link %(link)d does not follow on the one before it: links are missing.") % {"link": seal.pk}
        yield from verify(seal, ends.get(seal.table, 0))
        before, ends[seal.table] = seal.digest, seal.last
    yield from _below()


def verify_some() -> Iterator[str]:
    """Yield what does not fit in the newest links, of all and of each table, and in some by lot.

    It costs the same at any size.
    """
    newest = list(Seal.objects.order_by("-pk")[:NEWEST])
    of_tables = [seal for seal in map(newest_of, histories()) if seal]
    for seal in {seal.pk: seal for seal in [*newest, *of_tables, *_by_lot()]}.values():
        yield from verify(seal, end_before(seal))
    yield from _links_that_do_not_follow(newest)
    yield from _below()


def verify(seal: Seal, end: int) -> Iterator[str]:
    """Yield what does not fit within one link, where the one before it of its table ended with the row `end`."""
    if digest(seal) != seal.digest:
        yield _("Link %(link)d itself was changed.") % {"link": seal.pk}
        return
    model = next((model for model in histories() if model._meta.label_lower == seal.table), None)
    if model is None:
        yield _("Link %(link)d is about %(table)s, which there is not.") % {"link": seal.pk, "table": seal.table}
        return
    where = {"table": seal.table, "link": seal.pk, "first": seal.first, "expected": end + 1, "last": seal.last}
    if seal.first != end + 1:
        yield _("%(table)s: link %(link)d begins at %(first)d instead of %(expected)d.") % where
    rows = read(model, seal.columns, seal.first, seal.last, most=len(seal.prints) // PRINT + 1)
    if rows.content != seal.content:
        yield _first_difference(seal, rows)
    elif not holds_its_end(model, seal):
        yield _("%(table)s: link %(link)d ends at %(last)d, of which it holds no row.") % where


def _by_lot() -> Iterator[Seal]:
    """Draw links by their digests, which nobody chooses: an id far ahead would draw all lots to itself."""
    for _lot in range(BY_LOT):
        drawn = f"{random.getrandbits(256):064x}"
        yield from Seal.objects.filter(digest__gte=drawn).order_by("digest")[:1]


def _below() -> Iterator[str]:
    for table, pk in rows_below():
        where = {"table": table, "id": pk}
        yield _("%(table)s %(id)d was put there by hand: ids begin at 1, and no link holds it.") % where


def _links_that_do_not_follow(newest: list[Seal]) -> Iterator[str]:
    for later, earlier in pairwise(newest):
        if later.previous != earlier.digest:
            yield _("Link %(link)d does not follow on the one before it: links are missing.") % {"link": later.pk}


def _first_difference(seal: Seal, rows: Rows) -> str:
    """Say which row is the first that does not fit, and how."""
    prints = bytes(seal.prints)
    sealed = [prints[at : at + PRINT] for at in range(0, len(prints), PRINT)]
    there = [digest[:PRINT] for digest in rows.digests]
    same = next((n for n, (one, other) in enumerate(zip(sealed, there, strict=False)) if one != other), None)
    at = min(len(sealed), len(there)) if same is None else same
    where = {"table": seal.table, "id": rows.ids[at] if at < len(there) else seal.last, "link": seal.pk}
    if len(there) < len(sealed):
        after = rows.ids[at - 1] if at else seal.first - 1
        return _("%(table)s: a row after %(id)d is gone (link %(link)d).") % {**where, "id": after}
    if len(there) > len(sealed):
        return _("%(table)s %(id)d came afterwards (link %(link)d).") % where
    return _("%(table)s %(id)d is not as it was (link %(link)d).") % where


def unsealed() -> dict[str, int]:
    """Return how many rows of each history no link holds yet; one that reaches over rows to come holds none of them."""
    waiting = {}
    for model in histories():
        table = model._meta.label_lower
        there = Seal.objects.filter(table=table, last__lte=model._base_manager.aggregate(end=Max("pk"))["end"] or 0)
        last = there.order_by("-first").values_list("last", flat=True).first() or 0
        waiting[table] = model._base_manager.filter(Q(pk__gt=last) | Q(pk__lte=0)).count()
    return waiting
