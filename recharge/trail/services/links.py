"""How rows of history become a link of the chain, and what a row that was sealed looks like."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model

from portal.kit.history import AppendOnly
from recharge.models import Seal

PRINT = 4
"""Bytes that are kept of each row's SHA-256: enough to name the row, where that of all rows tells that one is wrong."""

NAMED = 20
"""Rows below the first id are named no further."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table as they are sealed: their ids and what each adds up to."""

    ids: list[int]
    digests: list[bytes]

    @property
    def prints(self) -> bytes:
        return b"".join(digest[:PRINT] for digest in self.digests)

    @property
    def content(self) -> str:
        return hashlib.sha256(b"".join(self.digests)).hexdigest()


def histories() -> list[type[AppendOnly]]:
    """Return the models whose rows are sealed, in an order that does not change."""
    models = (model for model in apps.get_models() if issubclass(model, AppendOnly) and model is not Seal)
    return sorted(models, key=lambda model: model._meta.label_lower)


def columns_of(model: type[Model]) -> list[str]:
    """Return the columns that are sealed today; the id is the first."""
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    return ["id", *sorted(names)]


def read(model: type[AppendOnly], columns: list[str], first: int, last: int, *, most: int | None = None) -> Rows:
    """Read the rows from `first` to `last` as they are now, or `most` of them."""
    rows = model._base_manager.filter(pk__gte=first, pk__lte=last).order_by("pk").values_list(*columns)
    ids, digests = [], []
    for row in rows[:most].iterator():
        ids.append(row[0])
        digests.append(digest_of(row))
    return Rows(ids, digests)


def digest_of(row: Iterable[Any]) -> bytes:
    """Return the SHA-256 of a row's values, which is the same on every database."""
    text = json.dumps(list(row), ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).digest()


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return str(value)


def digest(seal: Seal) -> str:
    """Return what a link adds up to, the one before it included."""
    said = [seal.previous, seal.table, seal.first, seal.last, seal.columns, bytes(seal.prints).hex(), seal.content]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def chain() -> Iterator[Seal]:
    """Yield all links from the first on."""
    yield from Seal.objects.order_by("pk").iterator(chunk_size=200)


def newest_of(model: type[AppendOnly]) -> Seal | None:
    """Return the link that holds the newest rows of a table."""
    return Seal.objects.filter(table=model._meta.label_lower).order_by("-first").first()


def end_before(seal: Seal) -> int:
    """Return the last row of the link before this one among those of its table; 0: there is none."""
    before = Seal.objects.filter(table=seal.table, first__lt=seal.first).order_by("-first")
    return before.values_list("last", flat=True).first() or 0


def holds_its_end(model: type[AppendOnly], seal: Seal) -> bool:
    """Say whether the last row of a link is there: rows to come would count as sealed by one that reaches further."""
    return seal.first <= seal.last and model._base_manager.filter(pk=seal.last).exists()


def rows_below() -> Iterator[tuple[str, int]]:
    """Yield table and id of some rows below the first id, which no link can hold."""
    models: list[type[AppendOnly]] = [*histories(), Seal]
    for model in models:
        for pk in model._base_manager.filter(pk__lte=0).order_by("pk").values_list("pk", flat=True)[:NAMED]:
            yield model._meta.label_lower, pk
