"""The one module in which an order changes: each step sets its columns, the day's sums, its marks and its history.

`Change` is for an order that the caller has locked. The functions below it do the same by one statement, to an order
that nobody has locked, or to many at a time.
"""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Unpack

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit.compiled_queries import CompiledQuery, swap_row
from portal.kit.database import from_now
from recharge.choices import (
    MARK_BITS,
    NOT_HANDED_OVER,
    SIGNS_OF_LIFE,
    EventKind,
    MarkKind,
    Submission,
    Verdict,
    bits_of,
)
from recharge.core.events import EventFields, record, record_and_return, record_of_all
from recharge.core.locking import remember, save_changes
from recharge.limits.services import accounts, restore_guard, spending
from recharge.limits.services.emergency_stop import NOT_STOPPED
from recharge.limits.services.outages import REACHABLE
from recharge.limits.services.slow_hold import NOT_HELD
from recharge.models import (
    CONFIRMED_FAILED,
    DEAD_SUBMISSIONS,
    PROVABLY_UNSPENT,
    Account,
    Mark,
    Order,
    OrderEvent,
    OrderQuerySet,
    Reading,
)
from recharge.status import FINAL, Status
from recharge.submissions import FOLLOWING

_OTHER_ATTEMPTS = Order.objects.filter(
    Q(pk=OuterRef("first_attempt")) | Q(first_attempt=OuterRef("first_attempt"))
).exclude(pk=OuterRef("pk"))

ORIGINAL_UNSPENT = Q(replaces=None) | ~Exists(_OTHER_ATTEMPTS.exclude(PROVABLY_UNSPENT))
"""No other attempt of the order's chain of replacements may have spent anything."""

ORIGINAL_DEAD = ORIGINAL_UNSPENT | (
    Q(proof__isnull=False) & ~Exists(_OTHER_ATTEMPTS.exclude(PROVABLY_UNSPENT).exclude(CONFIRMED_FAILED))
)
"""The same, or a second person has named the proof that what spent something failed: for the WHERE of a claim."""

REPLACED_WITHIN = dt.timedelta(days=30)
"""How old an order may be that somebody may have placed again after the backup was made."""

LEAVING_DOUBTS = (MarkKind.CONFLICT, MarkKind.UNKNOWN_CODE)
"""Doubts that a person may set aside and a later answer of the platform can end."""

SENT_AGAIN_AFTER = dt.timedelta(seconds=30)
"""When the sweep sends a queued order to a worker again, should the first message have been lost."""


class IllegalTransition(Exception):
    """The code tried a step that the table of `submissions.py` doesn't have."""


class Change:
    """One event of an order that the caller has locked: what it does to the order, and its entry in the history.

        change = Change(order)
        change.accept("W17")
        change.record(EventKind.CALLBACK, raw=raw, verdict=Verdict.APPLIED)

    Nothing is written before `record`.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self._before = remember(order)
        self._was_dead = order.is_provably_unspent or order.is_confirmed_failed
        self._raised: list[MarkKind] = []
        self._answered: list[tuple[MarkKind, str]] = []
        self._dealt_with: list[MarkKind] = []

    # --- our own state --------------------------------------------------------------------------------------------
    def queue(self) -> None:
        """Let it go out, and count it towards today.

        Raises:
            LimitReached: it doesn't fit into what may be spent today.
        """
        self._move(Submission.QUEUED)
        self.order.next_push_at = timezone.now() + SENT_AGAIN_AFTER
        self.order.counted_on = spending.count(person=self.order.placed_by, amount=self.order.face_value)

    def hold(self) -> None:
        """Take a replacement out of the queue whose original came alive; a second person may let it go on later."""
        self._move(Submission.AWAITING_APPROVAL)
        self.mark(MarkKind.REPLACEMENT_HELD)

    def requeue(self, delay: dt.timedelta) -> None:
        """Queue it again, since certainly nothing was sent.

        Args:
            delay: how long to wait before the next attempt.
        """
        self._move(Submission.QUEUED)
        self.order.not_sent += 1
        self.order.next_push_at = timezone.now() + delay

    def withdraw(self) -> None:
        """Take it back before it was sent."""
        self._move(Submission.WITHDRAWN)

    def lose(self) -> None:
        """Nobody knows whether it arrived, or knows any more; the caller says when to ask."""
        self._move(Submission.UNKNOWN)
        self.order.checks = 0

    def accept(self, gateway_order_no: str) -> None:
        """The platform has it, under this number. What was held for dead counts again."""
        self._move(Submission.ACCEPTED)
        self._hear()
        self.order.gateway_order_no = gateway_order_no
        self.order.checks = 0
        self.order.doubts &= ~MARK_BITS[MarkKind.UNEXPECTED]  # whether the platform has it is answered

    def reject(self, refusal: str) -> None:
        """The platform refused it for certain: nothing was spent. Of an UNKNOWN order only words taught since say so.

        Args:
            refusal: code and words.
        """
        self._move(Submission.REJECTED)
        self.order.refusal = refusal

    def void(self) -> None:
        """It is proven that it never arrived."""
        self._move(Submission.NOT_RECEIVED)

    def declare_void(self) -> None:
        """Two persons say that the vendor confirms it: that is no proof, and stays told apart from one."""
        self.void()
        self.order.declared_at = timezone.now()

    # --- the platform's state -------------------------------------------------------------------------------------
    def set_status(self, status: Status) -> None:
        """Take over a code that the platform reported; it is not confirmed yet."""
        self._hear()
        self.answer(MarkKind.ONE_WITNESS, _("the platform reported something else since"))
        self.order.status = status
        self.order.status_at = timezone.now()
        self.order.confirmed_at = None

    def confirm(self) -> None:
        """The platform's own answer agrees with the order's status."""
        self._hear()
        self.order.confirmed_at = timezone.now()
        self.answer(MarkKind.ONE_WITNESS, _("the platform's own answer confirms it"))
        if self.order.status in (Status.FAILED, Status.CANCELLED):
            self.order.failure_confirmed_at = self.order.failure_confirmed_at or self.order.confirmed_at

    def take_confirmation_back(self, *, failed: bool) -> None:
        """What confirmed the status is none, it turned out.

        Args:
            failed: whether something else confirmed that it failed.
        """
        self.order.confirmed_at = None
        if not failed:
            self.order.failure_confirmed_at = None

    def part_arrived(self) -> None:
        """The platform said that a part arrived: whatever comes later, this stays true."""
        self.order.part_arrived = True

    def overtake(self) -> None:
        """Something came that no answer to an earlier query can settle: only one that begins from here on decides."""
        self._hear()

    def _hear(self) -> None:
        """Evidence that counts came in: answers to queries that began before are overtaken."""
        self.order.heard = self._before["heard"] + 1

    # --- marks ----------------------------------------------------------------------------------------------------
    def mark(self, kind: MarkKind) -> None:
        """Call for a person. A kind that is open already stays as it was raised first."""
        bit = MARK_BITS[kind]
        replaceable = self.order.is_provably_unspent or self.order.is_confirmed_failed
        if kind in SIGNS_OF_LIFE or (kind == MarkKind.UNKNOWN_CODE and replaceable):
            self.order.doubts |= bit
        if not self.order.open_marks & bit:
            self.order.open_marks |= bit
            self._raised.append(kind)

    def answer(self, kind: MarkKind, why: str) -> None:
        """Close a mark, since evidence has settled just what it asked; does nothing where it isn't open.

        Args:
            kind: the mark's kind.
            why: a sentence for people.
        """
        if self.is_marked(kind):
            self.order.open_marks &= ~MARK_BITS[kind]
            if not Mark.objects.filter(order=self.order, kind=kind, closed_by__isnull=False).exists():
                self.order.doubts &= ~MARK_BITS[kind]
            self._answered.append((kind, why))

    def deal_with(self, kinds: list[MarkKind]) -> None:
        """Close marks by a person's word. The doubts that they raised stay: words are no proof.

        What was asked before that says nothing about it any more: `settle` goes by answers to later queries alone.
        """
        if any(kind in LEAVING_DOUBTS for kind in kinds):
            self._hear()
        self.order.open_marks &= ~bits_of(kinds)
        self._dealt_with += kinds

    def settle(self, why: str, kinds: Iterable[MarkKind] = LEAVING_DOUBTS) -> None:
        """End the doubts whose marks a person has dealt with, since evidence since then has answered them.

        Args:
            why: a sentence for people.
            kinds: which of them it answers.
        """
        for kind in kinds:
            if self.order.doubts & MARK_BITS[kind] and not self.is_marked(kind):
                self.order.doubts &= ~MARK_BITS[kind]
                self._answered.append((kind, why))

    def doubt(self, kind: MarkKind) -> None:
        """Call for a person, and believe of the order nothing by which it might be placed again."""
        self.mark(kind)
        self.order.doubts |= MARK_BITS[kind]

    def is_marked(self, *kinds: MarkKind) -> bool:
        """Say whether a mark of one of these kinds is open."""
        return bool(self.order.open_marks & bits_of(kinds))

    # --- writing it down ------------------------------------------------------------------------------------------
    def record(self, kind: EventKind, **fields: Unpack[EventFields]) -> None:
        """Write the order, the day's sums, the marks and the entry in the history, in the caller's transaction.

        Args:
            kind: what the entry is about.
            fields: the rest of it; which states it led from and to is filled in here.
        """
        order, old = self.order, self._before
        self._derive()
        spending.follow(order, was=old["submission"], counted_on=old["counted_on"])
        save_changes(order, old)
        is_dead = order.is_provably_unspent or order.is_confirmed_failed
        if order.first_attempt_id and is_dead and not self._was_dead:
            Reading.objects.read_again_from(order.first_attempt_id)
        fields = {
            "submission_from": old["submission"],
            "submission_to": order.submission,
            "status_from": old["status"],
            "status_to": order.status,
            **fields,
        }
        if not (self._raised or self._answered or self._dealt_with):
            record(order, kind, **fields)
            return
        event = record_and_return(order, kind, **fields)
        for answered, why in self._answered:
            note = f"{answered.label}: {why}"
            _close(order, [answered], record_and_return(order, EventKind.MARK_CLOSED, note=note))
        _close(order, self._dealt_with, event)
        Mark.objects.bulk_create(Mark(order=order, kind=raised, event=event) for raised in self._raised)

    def _move(self, after: Submission) -> None:
        now = self.order.submission
        if after not in FOLLOWING[Submission(now)]:
            raise IllegalTransition(f"{now} to {after}")
        self.order.submission = after

    def _derive(self) -> None:
        """Set what follows from the states alone."""
        order = self.order
        if order.submission != Submission.SUBMITTING:
            order.lease_until = None
        if order.submission != Submission.QUEUED:
            order.next_push_at = None
        if order.submission == Submission.AWAITING_APPROVAL:
            order.counted_on = None
        if not is_over(order):
            order.settled_at = None
        elif order.settled_at is None:
            order.settled_at = timezone.now()
        if order.settled_at:
            self.answer(MarkKind.OVERDUE, _("it is finished"))
        if self.is_marked(MarkKind.REPLACEMENT_HELD) and order.submission != Submission.AWAITING_APPROVAL:
            self.deal_with([MarkKind.REPLACEMENT_HELD])


def is_over(order: Order) -> bool:
    """Say whether nothing more is expected: it is dead, or a final status is confirmed, or never can be."""
    if order.submission in DEAD_SUBMISSIONS:
        return True
    witnessed = order.confirmed_at is not None or order.one_witness
    return order.submission == Submission.ACCEPTED and order.status in FINAL and witnessed


def place(order: Order, *, awaits_approval: bool, confirmed: str = "") -> None:
    """Save a new order, queued and counted towards today, or awaiting approval, in the caller's transaction.

    Args:
        order: checked, with a number.
        awaits_approval: whether a second person has to approve it first.
        confirmed: the warning that the person has confirmed, for the history.

    Raises:
        LimitReached: it doesn't fit into what may be spent today.
    """
    order.submission = Submission.AWAITING_APPROVAL if awaits_approval else Submission.QUEUED
    if not awaits_approval:
        order.next_push_at = timezone.now() + SENT_AGAIN_AFTER
        order.counted_on = spending.count(person=order.placed_by, amount=order.face_value)
    order.save(force_insert=True)
    record(
        order,
        EventKind.PLACED,
        actor=order.placed_by,
        submission_to=order.submission,
        note=" · ".join(filter(None, [order.duplicate_reason, confirmed])),
    )


def claim(order: Order, lease: dt.timedelta, generation: str, *, in_an_outage: bool = False) -> bool:
    """Take up a queued order, in the caller's transaction, by the one compare-and-swap that decides it.

    It asks for all that must hold at this very moment: the order is queued, nothing is stopped nor, if it is a slow
    top-up, held, no outage of the platform is known, the account is confirmed, and what the order replaces is still
    proven to have spent nothing, or to have failed as a second person has read.

    Args:
        order: as it was read; changed like the row.
        lease: how long the worker may be busy with it.
        generation: the one that this process has seen, see `restore_guard.token`.
        in_an_outage: whether it may go out although the platform can't be reached, since it is its turn to try.

    Returns:
        Whether it may be sent now, by this worker alone.
    """
    if not _claiming(lease, accounts.fingerprint(), generation, in_an_outage).change(order.pk):
        return False
    order.submission, order.claims = Submission.SUBMITTING, order.claims + 1
    order.submitted_at = timezone.now()  # nearly: by the database's clock in the row
    record(order, EventKind.CLAIMED, submission_from=Submission.QUEUED, submission_to=Submission.SUBMITTING)
    return True


@lru_cache(maxsize=8)
def _claiming(lease: dt.timedelta, fingerprint: str, generation: str, in_an_outage: bool) -> CompiledQuery[Order]:
    """Return the UPDATE of a claim; compiled once for each account and generation, of which the latest matter."""
    reachable = () if in_an_outage else (REACHABLE,)
    allowed = (NOT_STOPPED, *reachable, NOT_HELD)
    claimable = (*allowed, restore_guard.open_for(generation), accounts.pushable(), ORIGINAL_DEAD)
    return CompiledQuery(
        lambda order_id: Order.objects.filter(*claimable, pk=order_id, submission=Submission.QUEUED),
        submission=Submission.SUBMITTING,
        lease_until=from_now(lease),
        next_push_at=None,
        claims=F("claims") + 1,
        submitted_at=Now(),
        account=accounts.current_key(),
    )


def accept_undisturbed(claimed: Order, raw: str) -> bool:
    """Write that a claimed order was accepted, as it nearly always is, without reading it again.

    Args:
        claimed: the order as this worker claimed it, with what the answer makes of it in ACCEPTED_COLUMNS.
        raw: the answer.

    Returns:
        Whether it was done; False where anything happened since the claim, which the caller has to judge.
    """
    undisturbed: dict[str, int | str] = {"submission": Submission.SUBMITTING, "claims": claimed.claims}
    claimed.submission, claimed.lease_until, claimed.checks = Submission.ACCEPTED, None, 0
    if not swap_row(claimed, ACCEPTED_COLUMNS, undisturbed):
        return False
    record(
        claimed,
        EventKind.ANSWERED,
        raw=raw,
        verdict=Verdict.APPLIED,
        submission_from=Submission.SUBMITTING,
        submission_to=Submission.ACCEPTED,
    )
    return True


ACCEPTED_COLUMNS = (  # none that a callback may have set a moment ago
    "submission",
    "gateway_order_no",
    "lease_until",
    "checks",
    "next_check_at",
    "cost_price",
    "rebate",
)


def expire(order_id: int) -> None:
    """Give up on a claim whose lease has expired, in the caller's transaction: the order may have been sent.

    Args:
        order_id: an order whose lease may have run out; nothing happens where it has not.
    """
    expired = Order.objects.with_expired_lease().filter(pk=order_id)
    if expired.update(submission=Submission.UNKNOWN, lease_until=None, next_check_at=Now(), asked_at=None, checks=0):
        record(
            Order(pk=order_id),
            EventKind.LEASE_EXPIRED,
            submission_from=Submission.SUBMITTING,
            submission_to=Submission.UNKNOWN,
            verdict=Verdict.OUTCOME_UNKNOWN,
        )


def doubt_all(*, account: Account) -> dict[str, int]:
    """Let nothing be pushed, placed again or approved that a restored database only believes to be unsent.

    What waited may have been sent since the backup was made, and is asked about. All that had not succeeded for certain
    may have failed and been replaced since.

    Args:
        account: under which it was pushed if it was.

    Returns:
        How many orders became unknown, are asked about at once, and are no longer replaceable.
    """
    waiting = Order.objects.filter(submission__in=NOT_HANDED_OVER)
    record_of_all(waiting, EventKind.RESTORED, actor=None, submission_to=Submission.UNKNOWN)
    unknown = waiting.update(
        submission=Submission.UNKNOWN,
        next_push_at=None,
        lease_until=None,
        next_check_at=Now(),
        asked_at=None,
        checks=0,
        claims=F("claims") + 1,
        account=Coalesce("account", account.pk),
    )
    asked = Order.objects.open().filter(submission=Submission.ACCEPTED).update(next_check_at=Now(), asked_at=None)
    succeeded = Q(submission=Submission.ACCEPTED, status=Status.SUCCEEDED, confirmed_at__isnull=False)
    replaced = Exists(Order.objects.filter(replaces=OuterRef("pk")))
    doubtful = Order.objects.filter(~succeeded, ~replaced, placed_at__gte=from_now(-REPLACED_WITHIN))
    doubted = doubtful.update(doubts=F("doubts").bitor(MARK_BITS[MarkKind.RESTORED]))
    return {"unknown": unknown, "asked": asked, "doubted": doubted}


def queue_all(orders: OrderQuerySet, *, approved_by: User, counted_on: dt.date) -> None:
    """Queue orders that await approval, locked and counted by the caller.

    Args:
        orders: the orders.
        approved_by: the approver.
        counted_on: the day towards which they were counted.
    """
    record_of_all(orders, EventKind.APPROVED, actor=approved_by, submission_to=Submission.QUEUED)
    orders.update(submission=Submission.QUEUED, next_push_at=Now(), approved_by=approved_by, counted_on=counted_on)


def withdraw_all(orders: OrderQuerySet, kind: EventKind, *, actor: User | None) -> None:
    """Take back orders that were not sent, locked by the caller.

    Args:
        orders: the orders.
        kind: WITHDRAWN or DISAPPROVED.
        actor: the person.
    """
    for held in list(orders.marked(MarkKind.REPLACEMENT_HELD)):
        change = Change(held)
        change.withdraw()
        change.record(kind, actor=actor)
    rest = orders.exclude(submission=Submission.WITHDRAWN)
    spending.uncount(rest.only("counted_on", "face_value", "placed_by"))
    record_of_all(rest, kind, actor=actor, submission_to=Submission.WITHDRAWN)
    rest.update(submission=Submission.WITHDRAWN, next_push_at=None, settled_at=Now())


def _close(order: Order, kinds: list[MarkKind], event: OrderEvent) -> None:
    marks = Mark.objects.open().filter(order=order, kind__in=kinds)
    marks.update(closed_at=Now(), closed_by=event.actor, closing_event=event, note=event.note)
