"""What must be true of the books at any time. Each check finds the rows that break it, by one statement or two."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard, OilCardEvent
from portal.kit.append_only import unprotected
from recharge.choices import BatchState, EventKind, MarkKind, Verdict, bits_of
from recharge.fulfilment.services.transitions import ORIGINAL_DEAD
from recharge.models import (
    DEAD_SUBMISSIONS,
    PROVABLY_UNSPENT,
    Account,
    Batch,
    Declaration,
    Mark,
    Order,
    OrderEvent,
    OrderQuerySet,
    Spending,
)
from recharge.status import Status
from recharge.trail.services import verifying

SPENDING_DAYS = 31
"""The sums of so many days are compared: what was placed earlier is hardly counted today."""

BATCHES = 500


@dataclass(frozen=True, slots=True)
class Check:
    """A named invariant. `find` yields what people call the rows that break it, for some orders or for all else."""

    name: str
    label: str | Promise
    find: Callable[[OrderQuerySet], Iterable[str]]
    by_order: bool = True
    """Whether it looks at the orders that it is given, and can go over a large table piece by piece."""
    stops: bool = False
    """Whether money could be spent twice where it is broken."""


def without_next_step(orders: OrderQuerySet) -> Iterable[str]:
    over = (BatchState.HANDED_OVER, BatchState.DISAPPROVED)
    nothing_planned = Q(next_check_at=None, open_marks=0, submission__in=["UNKNOWN", "ACCEPTED"])
    never_sent = Q(submission="QUEUED") & (Q(next_push_at=None) | Q(batch__state__in=over))
    never_approved = Q(submission="AWAITING_APPROVAL", batch__state__in=over, open_marks=0)
    return _numbers(orders.open().filter(nothing_planned | never_sent | never_approved))


def differing_from_history(orders: OrderQuerySet) -> Iterable[str]:
    steps = OrderEvent.objects.filter(order=OuterRef("pk")).order_by("-pk")
    known = orders.annotate(
        said=Subquery(steps.exclude(submission_to="").values("submission_to")[:1]),
        told=Subquery(steps.exclude(status_to=None).values("status_to")[:1]),
    )
    return _numbers(known.exclude(said=F("submission")) | known.exclude(told=None).exclude(told=F("status")))


def sent_twice(orders: OrderQuerySet) -> Iterable[str]:
    """Counted order by order: joined to the events of a piece of the orders, PostgreSQL reads the events of all."""
    claims = _count(OrderEvent.objects.filter(kind=EventKind.CLAIMED))
    nothing_sent = _count(OrderEvent.objects.filter(kind=EventKind.ANSWERED, verdict=Verdict.NOT_SENT))
    return _numbers(orders.annotate(sendings=claims - nothing_sent).filter(sendings__gt=1))


def living_twice(orders: OrderQuerySet) -> Iterable[str]:
    """Two attempts of one chain that were both sent, and of which neither is proven to have spent nothing.

    Nor to have failed, where the one that approved the other has named the proof.
    """
    sent = orders.filter(replaces__isnull=False, claims__gt=0).exclude(PROVABLY_UNSPENT)
    return _numbers(sent.exclude(ORIGINAL_DEAD))


def declared_by_nobody(orders: OrderQuerySet) -> Iterable[str]:
    """Said to have never arrived, with neither enough answers that deny it nor a declaration of two persons."""
    agreed = Exists(Declaration.objects.filter(order=OuterRef("pk"), agreed=True))
    unproven = Q(submission="NOT_RECEIVED", declared_at=None, missing_answers__lt=3)
    return _numbers(orders.filter(unproven | Q(declared_at__isnull=False) & ~agreed))


def marks_differing(orders: OrderQuerySet) -> Iterable[str]:
    marked = orders.filter(Q(open_marks__gt=0) | Exists(Mark.objects.open().filter(order=OuterRef("pk"))))
    for order in marked.prefetch_related("marks").iterator(500):
        kinds = {MarkKind(mark.kind) for mark in order.marks.all() if mark.closed_at is None}
        if bits_of(kinds) != order.open_marks:
            yield order.order_no


def parts_forgotten(orders: OrderQuerySet) -> Iterable[str]:
    said = OrderEvent.objects.filter(order=OuterRef("pk"), reported_status=Status.PARTLY_ARRIVED)
    counted = said.exclude(verdict__in=[Verdict.MISMATCH, Verdict.OVERTAKEN]).exclude(status_to=None)
    first = Subquery(counted.order_by("pk").values("pk")[:1])  # no Exists, see `sent_twice`
    return _numbers(orders.filter(part_arrived=False).annotate(said=first).exclude(said=None))


def without_account(orders: OrderQuerySet) -> Iterable[str]:
    first = Account.objects.filter(is_first=True).values("seen_at")[:1]
    claimed = orders.filter(claims__gt=0, submitted_at__gt=Subquery(first))
    return _numbers(claimed.filter(Q(account=None) | Q(account__confirmed_at=None)))


def sums_differing(orders: OrderQuerySet) -> Iterator[str]:
    since = timezone.localdate() - dt.timedelta(days=SPENDING_DAYS)
    counted = Order.objects.filter(
        counted_on__gte=since, placed_at__gte=timezone.now() - dt.timedelta(days=2 * SPENDING_DAYS)
    )
    alive = counted.exclude(submission__in=DEAD_SUBMISSIONS).order_by()
    expected: dict[tuple[dt.date, int | None], int] = {}
    for day, person, amount in alive.values_list("counted_on", "placed_by").annotate(amount=Sum("face_value")):
        expected[day, person] = amount
        expected[day, None] = expected.get((day, None), 0) + amount
    found = {(row.day, row.person_id): row.amount for row in Spending.objects.filter(day__gte=since)}
    for day, person in expected.keys() | found.keys():
        if expected.get((day, person), 0) != found.get((day, person), 0):
            yield f"{day} {person or _('in total')}"


def batches_differing(orders: OrderQuerySet) -> Iterable[str]:
    of_batch = Order.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
    latest = Batch.objects.order_by("-pk")[:BATCHES].values("pk")
    summed = Batch.objects.filter(pk__in=latest).annotate(
        orders_there=Coalesce(Subquery(of_batch.annotate(n=Count("pk")).values("n")), 0),
        money_there=Coalesce(Subquery(of_batch.annotate(n=Sum("face_value")).values("n")), 0),
    )
    wrong = summed.exclude(state=BatchState.MAKING).exclude(orders_there=F("size"), money_there=F("total"))
    return (f"{_('batch')} {pk}" for pk in wrong.values_list("pk", flat=True))


def cards_differing(orders: OrderQuerySet) -> Iterable[str]:
    steps = OilCardEvent.objects.filter(card=OuterRef("pk")).exclude(state_to="").order_by("-pk")
    wrong = OilCard.objects.annotate(said=Subquery(steps.values("state_to")[:1])).exclude(said=None)
    return (f"{_('oil card')} {pk}" for pk in wrong.exclude(said=F("state")).values_list("pk", flat=True))


def trail_bent(orders: OrderQuerySet) -> Iterator[str]:
    yield from verifying.verify_some()
    yield from unprotected(connection)


CHECKS = (
    Check("next_step", _("Every unfinished order has a next step or a mark"), without_next_step),
    Check("history", _("Orders are as the last entries of their histories say"), differing_from_history),
    Check("sent_once", _("No order was sent twice"), sent_twice, stops=True),
    Check(
        "one_living_attempt",
        _("Of an order and what replaces it, one at most may have spent"),
        living_twice,
        stops=True,
    ),
    Check(
        "never_arrived",
        _("What never arrived is proven, or declared by two persons"),
        declared_by_nobody,
        stops=True,
    ),
    Check("marks", _("Marks and orders name the same reasons"), marks_differing),
    Check("part_arrived", _("No partial arrival is forgotten"), parts_forgotten, stops=True),
    Check("account", _("Every order was pushed under a confirmed account"), without_account, stops=True),
    Check("spending", _("The sums of a day equal its orders"), sums_differing, by_order=False),
    Check("batches", _("Batches are as large as their orders"), batches_differing, by_order=False),
    Check("trail", _("Histories are as they were sealed, and closed to changes"), trail_bent, by_order=False),
    Check("cards", _("Oil cards are as the last entries of their histories say"), cards_differing, by_order=False),
)


def _count(events: "QuerySet[OrderEvent]") -> Coalesce:
    """Return how many of some events an order has, as an expression."""
    of_order = events.filter(order=OuterRef("pk")).order_by().values("order")
    return Coalesce(Subquery(of_order.annotate(n=Count("pk")).values("n")), 0)


def _numbers(orders: OrderQuerySet) -> Iterable[str]:
    return orders.order_by().values_list("order_no", flat=True)
