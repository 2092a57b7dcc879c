"""Sealing history: rows that nobody can still be writing become a link of the chain, off the way of orders."""

import datetime as dt
from functools import cache
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction

from portal.kit.database import from_now
from portal.kit.history import AppendOnly
from recharge.models import Seal

from .links import columns_of, digest, end_before, histories, holds_its_end, newest_of, read

PIECE = 1000
"""Rows of a link."""

PIECES = 5
"""Links that one run makes of a table; what is left over is for the next."""

WRITTEN_BY_THEN = dt.timedelta(minutes=10)
"""A row may become visible so long after one with a higher id: its transaction ends by then."""

SEALED_BY_THEN = dt.timedelta(hours=1)
"""Fewer rows than a piece wait so long for others."""

LONG = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND xact_start < now() - make_interval(secs => %s)
    LIMIT 1
"""

log = structlog.get_logger(__name__)


def seal_what_is_due() -> int:
    """Seal what has been written for a while, a limited number of links; return how many were made.

    While some transaction has been open for long, nothing is sealed: it may hold rows between those that are there.
    Nor is anything while some table's newest link is not where it must be: whoever takes it out of the chain would have
    to break those that had followed on it.
    """
    if _something_runs_long() or _is_misplaced():
        return 0
    return sum(_seal(model) for model in histories())


def _is_misplaced() -> bool:
    """Say whether some table's newest link leaves rows out or reaches over rows to come."""
    for model in histories():
        link = newest_of(model)
        if link and not (link.first == end_before(link) + 1 and holds_its_end(model, link)):
            refuse(link.table, link.pk, link.first, link.last)
            return True
    return False


@cache
def refuse(table: str, link: int, first: int, last: int) -> None:
    """Log it, once by each process: the sweep comes every few seconds."""
    log.error("history_not_sealed", table=table, link=link, first=first, last=last)


def _seal(model: type[AppendOnly]) -> int:
    for made in range(PIECES):
        if not _seal_piece(model):
            return made
    return PIECES


def _seal_piece(model: type[AppendOnly]) -> bool:
    table = model._meta.label_lower
    link = newest_of(model)
    last = link.last if link else 0
    rows: Any = model._base_manager.filter(pk__gt=last).order_by("pk")
    written = list(rows.filter(at__lt=from_now(-WRITTEN_BY_THEN)).values_list("pk", flat=True)[:PIECE])
    if len(written) < PIECE and not rows.filter(at__lt=from_now(-SEALED_BY_THEN))[:1].exists():
        return False
    return _link(model, table, last + 1, written[-1])


def _link(model: type[AppendOnly], table: str, first: int, last: int) -> bool:
    """Add a link. Two that do so at once name the same one before theirs, which the database lets one of them do."""
    columns = columns_of(model)
    rows = read(model, columns, first, last)
    newest = Seal.objects.order_by("-pk").first()
    link = Seal(table=table, first=first, last=last, columns=columns, prints=rows.prints, content=rows.content)
    link.previous = newest.digest if newest else ""
    link.digest = digest(link)
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError:
        return False
    # Whoever may change the database may change the chain as well, but not what was logged of it.
    log.info("history_sealed", table=table, last=last, rows=len(rows.ids), digest=link.digest)
    return True


def _something_runs_long() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(LONG, [WRITTEN_BY_THEN.total_seconds() / 2])
        return cursor.fetchone() is not None
