"""Looking at all that the portal rings for: a handful of statements, each served by an index."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import platform
from portal.kit.database import from_now, now
from portal.kit.lists import listed
from recharge.books.services.invariants import CHECKS
from recharge.choices import AlertKind, BatchState, Part, PortalEventKind
from recharge.limits.services import accounts, outages, restore_guard
from recharge.limits.services.balance import ASKED_LATELY
from recharge.limits.services.emergency_stop import current_stop
from recharge.models import (
    AccountChange,
    Alert,
    AlertRule,
    Balance,
    Batch,
    CheckRun,
    Declaration,
    Heartbeat,
    Order,
    PortalEvent,
)
from recharge.operations.services import heartbeats
from recharge.operations.services.standstill import standstills
from recharge.platform.services import callbacks, keeping
from recharge.refunds.services.owing import owing

from . import rules
from .ringing import ENDS_BY_HAND, end, remind, ring
from .runway import Runway, runway

ENDS_BY_ITSELF = tuple(kind for kind in AlertKind if kind not in ENDS_BY_HAND)
MORE_TO_END: dict[str, float] = {AlertKind.BALANCE: 1.2, AlertKind.RUNWAY: 1.5}
"""What was too little is enough again from so many times the threshold on: going up and down, it rings once."""

Rules = Mapping[str, AlertRule]
HEARTBEAT = "heartbeat"
"""The key of the alert that rings for dead workers; the others of its kind tell which work is left undone."""
LOOKING = "looking"
"""The key of the one that rings where a look at what is to be rung for fails."""
COUNTED = 10_000
LONGEST = dt.timedelta(days=36_500)
"""A threshold that is a time counts for so long at most: no database looks back a hundred million days."""
BATCHES = 20
"""Paused batches, the latest, that begin to ring one by one; the overview counts the others."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that holds now and that the portal rings for."""

    kind: AlertKind
    key: str = ""
    since: dt.datetime | None = None
    data: dict[str, str | int] = field(default_factory=dict)
    amount: int = 0


def give_sign_of_life() -> None:
    """Note that a worker is at the alerts."""
    heartbeats.beat(Part.ALERTS)


def watch() -> None:
    """Raise what began, refresh what holds on, ring again for what lasts, and end what is over."""
    give_sign_of_life()
    by_kind = rules.all_rules()
    findings, failure = _look(by_kind)
    found = {(finding.kind, finding.key): finding for finding in findings if by_kind[finding.kind].on}
    for finding in found.values():
        ring(finding.kind, finding.key, since=finding.since, amount=finding.amount, **finding.data)
    remind(by_kind)
    if failure:
        return  # nobody knows what is over
    for alert in Alert.objects.open().filter(kind__in=ENDS_BY_ITSELF):
        if (alert.kind, alert.key) not in found:
            end(alert, quietly=not by_kind[alert.kind].on)


def _look(by_kind: Rules) -> tuple[list[Finding], Exception | None]:
    """Return what is found, and what failed: one look that fails hides nothing of the others, and rings itself."""
    found, failure = list[Finding](), None
    for look in _looks(by_kind):
        try:
            found += look()
        except (DatabaseError, InterfaceError):
            raise  # the next time comes in seconds
        except Exception as error:
            log.exception("alerts_not_looked_for")
            failure = error
    if failure:
        told: dict[str, str | int] = {_("work"): _("looking for alerts"), _("because"): type(failure).__name__}
        found.append(Finding(AlertKind.STANDSTILL, LOOKING, data=told))
    return found, failure


def _looks(by_kind: Rules) -> Sequence[Callable[[], Iterator[Finding]]]:
    return (
        lambda: _platform(by_kind),
        lambda: _money(Balance.objects.first(), by_kind),
        _contact,
        _parts,
        _halts,
        lambda: _waiting(by_kind),
        _books,
        lambda: _backup(_time(by_kind, AlertKind.BACKUP, dt.timedelta(hours=1))),
    )


def _time(by_kind: Rules, kind: AlertKind, unit: dt.timedelta) -> dt.timedelta:
    """Return the time from which on a kind rings, where its threshold counts such units."""
    return unit * min(rules.threshold(by_kind[kind]), LONGEST / unit)


def _parts() -> Iterator[Finding]:
    # After a pause of all of them the others need time to start, too; what rings already is not over for that.
    judges = heartbeats.is_steady(Part.ALERTS) or _rings(AlertKind.STANDSTILL, HEARTBEAT)
    return ill_parts(heartbeats.dead_workers() if judges else [])


def _books() -> Iterator[Finding]:
    for run in CheckRun.objects.filter(broken__gt=0):
        told: dict[str, str | int] = {_("check"): _label(run), _("rows"): run.broken}
        yield Finding(AlertKind.BOOKS, run.check_name, run.broken_since, told)


def _rings(kind: AlertKind, key: str = "") -> bool:
    return Alert.objects.open().filter(kind=kind, key=key).exists()


def _backup(patience: dt.timedelta) -> Iterator[Finding]:
    """One that was never made is missed since the first order."""
    backup = PortalEvent.objects.filter(kind=PortalEventKind.BACKED_UP).last()
    first = None if backup else Order.objects.order_by("pk").only("placed_at").first()
    since = backup.at if backup else first.placed_at if first else None
    if since and now() - since > patience:
        yield Finding(AlertKind.BACKUP, since=since, data={} if backup else {_("last backup"): _("never made")})


def _label(run: CheckRun) -> str:
    return next((str(check.label) for check in CHECKS if check.name == run.check_name), run.check_name)


def ill_parts(dead: Sequence[Heartbeat]) -> Iterator[Finding]:
    """Yield what is wrong with the portal's own parts.

    Args:
        dead: the parts of worker and scheduler that give no sign of life; together they are one finding.
    """
    if dead:
        names = listed(row.get_part_display() for row in dead)
        yield Finding(AlertKind.STANDSTILL, HEARTBEAT, min(row.at for row in dead), {_("work"): names})
    if web := heartbeats.dead_web():
        yield Finding(AlertKind.WEB, since=web.at, data={_("address"): f"{settings.PUBLIC_URL}/healthz"})
    for work in standstills():
        yield Finding(AlertKind.STANDSTILL, str(work.work), work.since, {_("work"): work.label})


def _platform(by_kind: Rules) -> Iterator[Finding]:
    """An outage that orders met; else the balance, which is asked for every minute and costs no further call."""
    silent_for = now() - _time(by_kind, AlertKind.PLATFORM, dt.timedelta(seconds=1))
    untold = Balance.objects.exclude(error="").annotate(heard_at=Coalesce("answered_at", "told_at"))
    if not (_rings(AlertKind.PLATFORM) or _rings(AlertKind.NO_BALANCE)):
        untold = untold.filter(tried_at__gt=from_now(-ASKED_LATELY))  # while the portal is off, nobody asks
    if (outage := outages.current()) and outage.since < silent_for:
        yield Finding(AlertKind.PLATFORM, since=outage.since, data={_("because"): outage.because})
    elif silent := untold.filter(heard_at__lt=silent_for).first():
        yield Finding(AlertKind.PLATFORM, since=silent.answered_at or silent.told_at, data={_("because"): silent.error})
    elif refused := untold.filter(told_at__lt=silent_for).first():
        yield Finding(AlertKind.NO_BALANCE, since=refused.told_at, data={_("because"): refused.error})


def _money(balance: Balance | None, by_kind: Rules) -> Iterator[Finding]:
    if balance is None or balance.amount is None:
        return
    lasting = runway(balance)
    data: dict[str, str | int] = {_("balance in yuan"): f"{balance.amount:,.2f}", **_lasts(lasting)}
    least, enough = _least(AlertKind.BALANCE, by_kind)
    if balance.amount < least:
        over = _("from ¥ %(money)s on") % {"money": f"{enough:,.2f}"}
        yield Finding(AlertKind.BALANCE, data={**data, _("is over"): over})
    least, enough = _least(AlertKind.RUNWAY, by_kind)
    if lasting and lasting.hours < least:
        over = _("from %(hours).1f h on") % {"hours": enough}
        yield Finding(AlertKind.RUNWAY, data={**data, _("is over"): over})


def _least(kind: AlertKind, by_kind: Rules) -> tuple[float, float]:
    """Return below what the alert of a kind is raised, or holds on where it is raised, and where it is over."""
    threshold = rules.threshold(by_kind[kind])
    enough = threshold * MORE_TO_END[kind]
    return (enough if _rings(kind) else threshold), enough


def _lasts(lasting: Runway | None) -> dict[str, str | int]:
    if lasting is None:
        return {}
    told: dict[str, str | int] = {_("lasts, at today's rate"): _("about %(hours).1f h") % {"hours": lasting.hours}}
    if lasting.pay_in:
        until = _("¥ %(money)s to reach %(at)s") % {
            "money": f"{lasting.pay_in:,}",
            "at": f"{timezone.localtime(lasting.reach):%m-%d %H:%M}",
        }
        told[_("to pay in")] = until
    return told


def _contact() -> Iterator[Finding]:
    heard = callbacks.listen() if settings.ALERT_CALLBACKS_SILENT else None
    if heard and heard.is_silence:
        of = f"{heard.silent} / {heard.orders}"
        yield Finding(AlertKind.CALLBACKS, since=heard.since, data={_("without a callback, of the last orders"): of})
    kept = keeping.latest() if platform.is_configured() else None
    if kept and kept.worse_since:
        steps = "; ".join(f"{one.step.label}: {one.words}" for one in keeping.worse(kept))
        yield Finding(AlertKind.CONTACT, since=kept.worse_since, data={_("found"): steps})


def _halts() -> Iterator[Finding]:
    if stop := current_stop():
        yield Finding(AlertKind.STOP, str(stop.pk), stop.started_at, {_("stopped by"): stop.started_by_whom})
    if closed := restore_guard.closed():
        yield Finding(AlertKind.GUARD, since=closed.closed_at)
    if platform.is_configured() and not accounts.is_confirmed():
        yield Finding(AlertKind.ACCOUNT)
    for batch in _paused():
        why = str(batch.get_brake_display())
        yield Finding(AlertKind.BATCH, str(batch.pk), batch.braked_at, {_("batch"): batch.pk, _("because"): why})


def _paused() -> QuerySet[Batch]:
    """Return the batches that were paused last, and those that ring already, which are not over for others."""
    paused = Batch.objects.filter(state=BatchState.PAUSED)
    latest = paused.order_by(F("braked_at").desc(nulls_last=True), "-pk").values_list("pk", flat=True)[:BATCHES]
    ringing = Alert.objects.open().filter(kind=AlertKind.BATCH).values_list("key", flat=True)
    return paused.filter(pk__in={*latest, *map(int, ringing)}).order_by("pk")


def _waiting(by_kind: Rules) -> Iterator[Finding]:
    """However many there are, one alert tells of them."""
    cases = Order.objects.urgent().exclude(case__look_again_at__gt=Now()).order_by()[:COUNTED].count()
    if cases and cases >= rules.threshold(by_kind[AlertKind.CASES]):
        yield Finding(AlertKind.CASES, data={_("orders"): cases}, amount=cases)
    patience = from_now(-_time(by_kind, AlertKind.APPROVALS, dt.timedelta(minutes=1)))
    orders = Order.objects.awaiting_approval().filter(placed_at__lt=patience)
    batches = Batch.objects.awaiting_approval().filter(made_at__lt=patience)
    waiting = {
        _("orders and batches"): orders.order_by()[:COUNTED].count() + batches.count(),
        _("declarations"): Declaration.objects.waiting().filter(declared_at__lt=patience).count(),
        _("changes of rights"): AccountChange.objects.waiting().filter(asked_at__lt=patience).count(),
    }
    if amount := sum(waiting.values()):
        told: dict[str, str | int] = {name: count for name, count in waiting.items() if count}
        yield Finding(AlertKind.APPROVALS, data=told, amount=amount)
    yield from _owed(_time(by_kind, AlertKind.REFUNDS, dt.timedelta(days=1)))


def _owed(patience: dt.timedelta) -> Iterator[Finding]:
    late = owing().filter(status_at__lte=from_now(-patience)).order_by()
    found = late.aggregate(orders=Count("pk"), money=Sum(F("owed")))
    if found["orders"]:
        data: dict[str, str | int] = {_("orders"): found["orders"], _("owed in yuan"): f"{found['money']:,.2f}"}
        yield Finding(AlertKind.REFUNDS, data=data, amount=found["orders"])
