"""Replacements: whether what an order replaces is still proven to have spent nothing, or to have failed."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import NOT_YET_SENT, EventKind, Submission, Verdict
from recharge.models import CONFIRMED_FAILED, PROVABLY_UNSPENT, Order, OrderEvent, OrderQuerySet
from recharge.status import Status

from .transitions import ORIGINAL_DEAD, Change


@dataclass(frozen=True, slots=True)
class Proof:
    """An attempt that failed, whose refund is not confirmed yet, and the platform's own answer that says so."""

    attempt: Order
    event: OrderEvent

    def __str__(self) -> str:
        return _("Order %(number)s: the platform answered “%(state)s” at %(moment)s") % {
            "number": self.attempt.order_no,
            "state": Status(self.event.status_to or 0).label,
            "moment": f"{timezone.localtime(self.event.at):%F %T}",
        }


def living_attempt(order: Order, *, may_have_failed: bool | None = None) -> Order | None:
    """Return another attempt of the order's chain that may have spent money, None where all others are proven not to.

    An order that replaces none, and that none replaces, is alone in its chain.

    Args:
        order: the order.
        may_have_failed: whether the platform's own answer that an attempt failed is enough; by default, where the
            order's approver has named such a proof.
    """
    others = Order.objects.attempts_like(order).exclude(PROVABLY_UNSPENT)
    if order.proof_id if may_have_failed is None else may_have_failed:
        others = others.exclude(CONFIRMED_FAILED)
    return others.first()


def proofs(order: Order) -> list[Proof]:
    """Return what a second person has to read before a replacement goes out although a refund has not come back.

    Args:
        order: a replacement, saved or not, all of whose other attempts are unspent or have failed for certain.
    """
    waiting = Order.objects.attempts_like(order).exclude(PROVABLY_UNSPENT).filter(CONFIRMED_FAILED)
    return [Proof(attempt, _confirming(attempt)) for attempt in waiting] if order.replaces_id else []


def _confirming(failed: Order) -> OrderEvent:
    """Return the first answer to a query that confirmed the failure: later ones say nothing new."""
    said = failed.events.filter(kind=EventKind.QUERIED, verdict__in=[Verdict.APPLIED, Verdict.DUPLICATE])
    failures = said.filter(status_to__in=[Status.FAILED, Status.CANCELLED])
    return failures.exclude(reported_status=None).order_by("id")[:1].get()


def with_living_original(orders: OrderQuerySet) -> OrderQuerySet:
    """Of some orders, the replacements of which another attempt may have spent money."""
    return orders.filter(replaces__isnull=False).exclude(ORIGINAL_DEAD)


def explain(living: Order) -> str:
    """Say why a replacement can't go out, for people."""
    return _("It replaces order %(number)s, which is alive after all: %(state)s.") % {
        "number": living.order_no,
        "state": living.get_status_display() if living.status is not None else living.get_submission_display(),
    }


def count_to_be_held(orders: OrderQuerySet) -> int:
    """Return how many replacements among some orders that wait would be held back, now."""
    return with_living_original(orders.filter(submission__in=NOT_YET_SENT)).order_by().count()


def notice(order: Order) -> str:
    """Say what people must know of the other attempts of an order's chain, on its page; "" where there is nothing."""
    may_be_approved = order.submission == Submission.AWAITING_APPROVAL or bool(order.proof_id)
    living = living_attempt(order, may_have_failed=may_be_approved) if order.replaces_id else None
    if living and not order.is_provably_unspent:
        return explain(living)
    replaced_by = Order.objects.filter(replaces=order).first()
    as_approved = order.is_confirmed_failed and replaced_by and (replaced_by.proof_id or not replaced_by.claims)
    if replaced_by and not order.is_provably_unspent and not as_approved:
        return _("It is alive after all, although order %(number)s was placed instead of it: %(state)s.") % {
            "number": replaced_by.order_no,
            "state": replaced_by.get_submission_display(),
        }
    return ""


def hold_if_original_lives(order: Order) -> bool:
    """Hold a queued replacement back where what it replaces came alive, in the caller's transaction.

    Args:
        order: the order, locked.

    Returns:
        Whether it was held back.
    """
    living = living_attempt(order) if order.replaces_id else None
    if living is None or order.submission != Submission.QUEUED:
        return False
    change = Change(order)
    change.hold()
    change.record(EventKind.HELD, note=explain(living))
    return True


def hold_all_with_living_original(orders: OrderQuerySet) -> int:
    """Hold back the queued ones of some orders whose originals came alive, in the caller's transaction.

    Returns:
        How many were held back.
    """
    waiting = with_living_original(orders.filter(submission=Submission.QUEUED))
    found = waiting.select_for_update(of=("self",)).order_by("id")
    return sum(hold_if_original_lives(order) for order in list(found))
