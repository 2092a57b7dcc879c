"""Times in which the platform can't be reached: suspected, confirmed by calls that spend nothing, over by any answer.

An order's call that reaches nobody raises a suspicion. From then on the sweep has the balance asked for, which spends
nothing. Where that fails, too, for ALERT_PLATFORM_DOWN_SECONDS, orders wait: one that goes into a time-out is unknown
for half an hour. What the outcome of a call means is not decided here.
"""

import datetime as dt

import structlog
from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Now

from portal.gateway import GatewayError, Rejected
from portal.kit.database import from_now
from recharge.choices import Brake, EventKind, Submission, Verdict
from recharge.core import queue
from recharge.core.wording import why_unanswered
from recharge.models import Balance, Order, OrderEvent, Outage

from . import balance

log = structlog.get_logger(__name__)

REACHABLE = ~Exists(Outage.objects.filter(on=True, confirmed_at__isnull=False))
"""For the WHERE of what takes orders up."""

FAILED_PROBES = 2
PROBE_DELAYS = [dt.timedelta(seconds=seconds) for seconds in (2, 4, 8, 15)]
"""Between one call that spends nothing and the next; the last one repeats."""
ORDER_DELAYS = [dt.timedelta(seconds=seconds) for seconds in (10, 20, 40, 80, 160, 300)]
"""Between one order that tries all the same and the next. Each may stay unknown for half an hour."""
SILENT_AFTER = dt.timedelta(seconds=75)
"""The balance is asked for every minute: where it failed for longer, the platform was silent before the order."""

UNANSWERED = (Verdict.NOT_SENT, Verdict.OUTCOME_UNKNOWN, Verdict.UNREADABLE)


def current() -> Outage | None:
    """Return the outage that is confirmed and not over, None where there is none."""
    return Outage.objects.filter(on=True, confirmed_at__isnull=False).first()


def is_on() -> bool:
    """Say whether orders wait because the platform can't be reached."""
    return Outage.objects.filter(on=True, confirmed_at__isnull=False).exists()


def was_on_within(time: dt.timedelta) -> bool:
    """Say whether an outage is on, or ended so short a time ago that what waited may not be done yet."""
    lately = Q(on=True, confirmed_at__isnull=False) | Q(over_at__gt=from_now(-time))
    return Outage.objects.filter(lately).exists()


def is_suspected() -> bool:
    """Say whether one is on, or may be: nothing has told yet."""
    return Outage.objects.filter(on=True).exists()


def why_not_spend() -> Brake | None:
    """Return what a batch has to stop for, as far as the balance goes; that an outage hides it is none of the reasons.

    Nothing is spent all the same: what isn't known is not enough. After an outage there is some time to ask first.
    """
    brake = balance.why_not_spend()
    if brake == Brake.BALANCE_UNKNOWN and (is_suspected() or was_on_within(balance.ASKED_LATELY)):
        return None
    return brake


def began_in_one(column: str) -> Exists:
    """Return what finds the rows of which a moment is in a confirmed outage.

    An order that raises the suspicion was handed over before it, by the time that its call took: that counts, too.

    Args:
        column: the name of the moment.
    """
    before = dt.timedelta(seconds=2 * settings.WIKEYUN_TIMEOUT)
    begun = Outage.objects.filter(confirmed_at__isnull=False, since__lte=OuterRef(column) + before)
    return Exists(begun.filter(Q(over_at=None) | Q(over_at__gte=OuterRef(column))))


def lost() -> Q:
    """Return what finds the orders that an outage swallowed: nobody knows of them yet, or they never arrived."""
    unanswered = (Submission.UNKNOWN, Submission.NOT_RECEIVED)
    return Q(began_in_one("submitted_at"), submission__in=unanswered)


def suspect(error: GatewayError) -> None:
    """Note that an order's call reached nobody, unless it is suspected already.

    Args:
        error: what the call raised. A refusal is an answer.
    """
    if isinstance(error, Rejected) or Outage.objects.filter(on=True).exists():
        return
    silent = Balance.objects.exclude(error="").filter(answered_at__lt=from_now(-SILENT_AFTER)).first()
    known = {"since": silent.answered_at} if silent and silent.answered_at else {}
    log.info("platform_not_reached", error=str(error))
    raised = Outage(because=why_unanswered(error), after_event=_newest_event(), **known)
    Outage.objects.bulk_create([raised], ignore_conflicts=True)  # another worker may be faster


def tend() -> None:
    """End what an answer contradicts, and let a worker probe the platform where that is due."""
    outage = Outage.objects.filter(on=True).first()
    if outage is None:
        return
    newest = _newest_event()
    if _is_answered(outage):
        return _end(outage)
    delay = PROBE_DELAYS[min(outage.failed_probes, len(PROBE_DELAYS) - 1)]
    due = Outage.objects.filter(pk=outage.pk, on=True, next_probe_at__lte=Now())
    if due.update(next_probe_at=from_now(delay), after_event=newest):
        queue.probe_platform()


def probe() -> None:
    """Make a call that spends nothing. An answer, were it a refusal, ends the outage; failing often confirms it."""
    outage = Outage.objects.filter(on=True).first()
    if outage is None:
        return
    if balance.refresh_balance(patient=False) or _is_answered(outage):
        return _end(outage)
    ours = Outage.objects.filter(pk=outage.pk, on=True)
    ours.update(failed_probes=F("failed_probes") + 1)
    long_ago = from_now(-dt.timedelta(seconds=settings.ALERT_PLATFORM_DOWN_SECONDS))
    suspected = ours.filter(confirmed_at=None, failed_probes__gte=FAILED_PROBES, since__lte=long_ago)
    suspected.update(confirmed_at=Now(), next_order_at=from_now(ORDER_DELAYS[0]))


def end_if_answered() -> None:
    """End the outage where the platform has answered an order's call since, as the sweep does where it runs."""
    outage = current()
    if outage and _is_answered(outage):
        _end(outage)


def turn_is_due() -> bool:
    """Say whether one order may try to reach the platform now."""
    return Outage.objects.filter(on=True, next_order_at__lte=Now()).exists()


def take_turn() -> bool:
    """Take the turn of the one order that may try now, in the caller's transaction; True, too, without an outage."""
    outage = current()
    if outage is None:
        return True
    delay = ORDER_DELAYS[min(outage.orders_let_through + 1, len(ORDER_DELAYS) - 1)]
    turn = Outage.objects.filter(pk=outage.pk, on=True, next_order_at__lte=Now())
    return turn.update(next_order_at=from_now(delay), orders_let_through=F("orders_let_through") + 1) == 1


def _newest_event() -> int:
    newest: int | None = OrderEvent.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _is_answered(outage: Outage) -> bool:
    """Say whether the platform has answered an order's call since: one more witness besides the balance."""
    later = OrderEvent.objects.filter(pk__gt=outage.after_event, kind__in=(EventKind.ANSWERED, EventKind.QUERIED))
    return later.exclude(verdict__in=UNANSWERED).exists()


def _end(outage: Outage) -> None:
    """End the outage; what never left is due at once. A mere suspicion is deleted."""
    if Outage.objects.filter(pk=outage.pk, confirmed_at=None).delete()[0]:
        return
    if Outage.objects.filter(pk=outage.pk, on=True).update(on=False, over_at=Now()):
        waiting = Order.objects.filter(submission=Submission.QUEUED, not_sent__gt=0, next_push_at__gt=Now())
        waiting.update(next_push_at=Now())
