"""The portal checks its own books: every ten minutes by itself, and whenever somebody asks.

On a large table a run looks at the orders to which something happened since the last one, and at the next piece of a
round over all of them, so that it takes as long at ten million orders as at ten thousand.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import PortalEventKind
from recharge.core.errors import TooLate
from recharge.core.events import record_of_portal
from recharge.limits.services.emergency_stop import stop_everything
from recharge.models import CheckRun, Order, OrderEvent, OrderQuerySet

from .invariants import CHECKS, Check

PIECE = 50_000
"""So many orders of the round are looked at in one run."""

EVENTS = 20_000
"""So many new entries of histories are followed up in one run; the round finds what that leaves out."""

SHOWN = 50
LOOKED_FOR = 1000
"""Broken rows are counted no further."""

AGAIN_AFTER = 1.0
"""Seconds after which what seems broken is looked at once more: a statement may fall between two others' changes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How one check went. `broken` names the rows, as people call them."""

    check: Check
    broken: list[str]
    seconds: float


def check_all(*, full: bool = False) -> list[Result]:
    """Run every check, keep how it went, and stop everything where money could be spent twice.

    Args:
        full: whether all orders are looked at, however many there are.

    Returns:
        What each check found.
    """
    return [_run(check, full=full) for check in CHECKS]


def _run(check: Check, *, full: bool) -> Result:
    last = CheckRun.objects.filter(pk=check.name).first() or CheckRun(pk=check.name)
    began = time.monotonic()
    scopes = [Order.objects.all()] if full or not check.by_order else list(_pieces(last))
    broken = _broken(check, scopes)
    if broken:
        time.sleep(AGAIN_AFTER)
        broken = sorted(set(broken) & set(_broken(check, scopes)))
    result = Result(check, broken, time.monotonic() - began)
    _keep(result, last)
    return result


def _pieces(last: CheckRun) -> Iterator[OrderQuerySet]:
    """Yield what changed since the last run and the next piece of the round, and remember how far both have come."""
    newest = OrderEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    news = OrderEvent.objects.filter(pk__gt=max(last.event_seen, newest - EVENTS), pk__lte=newest)
    touched = set(news.order_by().values_list("order_id", flat=True))
    last.event_seen = newest
    remaining = iter(touched)
    while keys := list(islice(remaining, 1000)):
        yield Order.objects.filter(pk__in=keys)
    yield Order.objects.filter(pk__gt=last.order_seen, pk__lte=last.order_seen + PIECE)
    highest = Order.objects.aggregate(last=Max("pk"))["last"] or 0
    last.order_seen = last.order_seen + PIECE if last.order_seen + PIECE < highest else 0


def _broken(check: Check, scopes: Iterable[OrderQuerySet]) -> list[str]:
    found = (row for scope in scopes for row in check.find(scope))
    return sorted({str(row) for row in islice(found, LOOKED_FOR)})


def _keep(result: Result, last: CheckRun) -> None:
    """Write down how it went, once it breaks and once it holds again, and stop everything for newly broken rows."""
    was_broken, new = last.broken, sorted(set(result.broken) - set(last.stopped_for))
    last.ran_at, last.seconds = timezone.now(), result.seconds
    last.broken, last.examples = len(result.broken), result.broken[:SHOWN]
    last.broken_since = (last.broken_since or last.ran_at) if result.broken else None
    if result.check.stops and new:
        last.stopped_for = [*last.stopped_for, *new][-LOOKED_FOR:]
    with transaction.atomic():
        last.save()
        if result.broken and not was_broken:
            record_of_portal(PortalEventKind.CHECK_BROKEN, note=f"{result.check.label}: {', '.join(last.examples)}")
            log.error("check_of_books_broken", check=result.check.name, rows=last.examples)
        elif was_broken and not result.broken:
            record_of_portal(PortalEventKind.CHECK_MENDED, note=str(result.check.label))
    if result.check.stops and new:
        _stop(result.check, new)


def _stop(check: Check, rows: list[str]) -> None:
    why = _("A check of the books is broken: %(check)s (%(rows)s)")
    with suppress(TooLate):  # everything is stopped already
        stop_everything(actor=None, reason=why % {"check": check.label, "rows": ", ".join(rows[:3])})
