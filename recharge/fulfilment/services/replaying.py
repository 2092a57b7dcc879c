"""Reading stored evidence anew, by what was taught about the platform's codes and words since it came.

What it makes of an order is found out by the same rules that evidence is taken in by, and it is never more than the
same evidence would have done had the meaning been known: a code counts as hearsay, which a fresh answer has to confirm;
words make an order dead only where they were the answer to its own hand-over, and nothing tells of life.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit.database import from_now
from recharge import status as codes
from recharge.choices import (
    MARK_BITS,
    NOT_HANDED_OVER,
    EventKind,
    MarkKind,
    Product,
    RefusalMeaning,
    Submission,
    Verdict,
)
from recharge.models import Order, OrderEvent, OrderQuerySet, Reading
from recharge.readings import services as readings
from recharge.readings.services import Readings
from recharge.status import CodeVerdict, Status

from .checking import MISSING_SPACING, tells_of_life
from .reports import apply_read_anew
from .scheduling import REFUSED_DELAY, ask_at_once
from .transitions import Change

TAKEN_AS_KNOWN = (Verdict.APPLIED, Verdict.DUPLICATE, Verdict.STALE)
"""Verdicts on a report whose code had a meaning, apart from a contradiction, which has a mark of its own."""

REFUSED_WITHIN = dt.timedelta(days=30)
"""How old a refusal may be that is read anew where its words turn out to be unclear."""


class Outcome(StrEnum):
    """What reading an order's evidence anew makes of it."""

    APPLIED = "applied"
    """It takes over the status, unconfirmed, and is asked about."""
    CONFLICT = "conflict"
    """What is known contradicts it: a person is called."""
    EXPLAINED = "explained"
    """It changes nothing but the question what the code means."""
    REFUSED = "refused"
    """It is rejected: nothing was spent."""
    DOUBTED = "doubted"
    """It was rejected, and counts as unknown again."""
    COUNTED = "counted"
    """Answers that deny it count towards the proof."""
    ASKED = "asked"
    """It is asked about, and the answers before are read with the next one."""
    UNFOUNDED = "unfounded"
    """What is known of it rests on a code that means nothing any more: it is marked, in doubt, and asked about."""
    LEFT = "left"
    """It stays as it is: what tells of life forbids it, or another attempt is with the platform already."""


def evidence(reading: Reading) -> QuerySet[OrderEvent]:
    """Return what has to be looked at: what was told by the code, or refusals, whose words have yet to be compared.

    Of what was taken back it is what was read by the code; words that are taken back leave all as it is.
    """
    events = OrderEvent.objects.order_by("order_id", "id")
    if reading.removed_at:
        by_code = events.filter(reported_status=reading.code, reported_status__gt=max(Status.values))
        return by_code.filter(verdict__in=TAKEN_AS_KNOWN) if reading.code is not None else events.none()
    if reading.code is not None:
        return events.filter(verdict=Verdict.UNKNOWN_CODE, reported_status=reading.code)
    unknown = Q(order__submission=Submission.UNKNOWN)
    if reading.means == RefusalMeaning.DEFINITE_NO:
        return _with_words(events).filter(unknown, kind=EventKind.ANSWERED, verdict=Verdict.OUTCOME_UNKNOWN)
    if reading.means == RefusalMeaning.NO_SUCH_ORDER:
        return _with_words(events).filter(unknown, kind=EventKind.QUERIED, verdict=Verdict.REJECTED)
    if reading.means == RefusalMeaning.NO_SUCH_CALL:
        open_ones = Q(order__settled_at=None, order__product=Product.OIL) & ~Q(order__submission__in=NOT_HANDED_OVER)
        return _with_words(events).filter(open_ones, kind=EventKind.QUERIED, verdict=Verdict.REJECTED)
    lately = Q(order__submission=Submission.REJECTED, order__placed_at__gte=from_now(-REFUSED_WITHIN))
    return _with_words(events).filter(lately, kind=EventKind.ANSWERED, verdict=Verdict.REJECTED)


def matches(reading: Reading, note: str) -> bool:
    """Say whether an entry of that evidence, by its note, is one that the reading is about."""
    return reading.code is not None or readings.is_about(reading, readings.refusal_of(note))


def is_to_be_read(orders: OrderQuerySet) -> bool:
    """Say whether the evidence of some orders is still to be read anew by what was taught or taken back."""
    return any(
        matches(reading, note)
        for reading in Reading.objects.to_apply()
        for note in evidence(reading).filter(order__in=orders.order_by()).values_list("note", flat=True)
    )


def outcome(
    reading: Reading, order: Order, events: Sequence[OrderEvent], taught: Readings, *, placed_again: bool
) -> Outcome:
    """Say what reading the evidence anew makes of an order; nothing is changed.

    Args:
        reading: what was taught, or would be; or was taken back, or would be.
        order: the order.
        events: all of its history.
        taught: all that holds then.
        placed_again: whether it is one of `Order.objects.placed_again()`.
    """
    if reading.removed_at:
        found = _outcome_of_removal(reading, order, events)
    elif reading.code is not None:
        found = _outcome_of_code(reading, order, events)
    else:
        found = _OUTCOMES[RefusalMeaning(reading.means)](reading, order, events, taught)
    return Outcome.LEFT if found in (Outcome.DOUBTED, Outcome.UNFOUNDED) and placed_again else found


def replay(reading: Reading, order: Order, taught: Readings) -> Outcome:
    """Read an order's evidence anew, in the caller's transaction, and write down what that made of it.

    Args:
        reading: what was taught, or taken back.
        order: the order, locked.
        taught: all that holds now.

    Returns:
        What came of it.
    """
    events = list(order.events.order_by("id").defer("raw"))
    placed_again = Order.objects.filter(pk=order.pk).placed_again().exists()
    found = outcome(reading, order, events, taught, placed_again=placed_again)
    if found == Outcome.LEFT or _was_read_anew(reading, events):
        return Outcome.LEFT
    change = Change(order)
    verdict = _STEPS[found](change, reading, events)
    taught_or_not = _("What was taught was taken back: %(reading)s"), _("By what was taught: %(reading)s")
    note = taught_or_not[reading.removed_at is None] % {"reading": reading}
    change.record(EventKind.READ_ANEW, verdict=verdict, reported_status=reading.code, note=note)
    return found


def _with_words(events: QuerySet[OrderEvent]) -> QuerySet[OrderEvent]:
    return events.exclude(note="")


def _was_read_anew(reading: Reading, events: Sequence[OrderEvent]) -> bool:
    """Say whether what was told by a code, which is found any number of times, was read by this reading already."""
    if reading.code is None or reading.decided_at is None or reading.removed_at:
        return False  # words find an order once, since it is no longer in the same state then
    told = [event.pk for event in events if _told_by(event, reading.code)]
    read = [event for event in events if event.kind == EventKind.READ_ANEW and event.reported_status == reading.code]
    return any(event.pk > told[-1] and event.at >= reading.decided_at for event in read)


# --- codes ------------------------------------------------------------------------------------------------------------
def _outcome_of_code(reading: Reading, order: Order, events: Sequence[OrderEvent]) -> Outcome:
    told = [event.pk for event in events if _told_by(event, reading.code)]
    if not told or order.submission != Submission.ACCEPTED:
        return Outcome.LEFT
    verdict = codes.verdict(order.status, reading.means_status or 0)
    if verdict == CodeVerdict.CONFLICT:
        return Outcome.CONFLICT
    told_since = any(event.pk > told[-1] and event.verdict in (Verdict.APPLIED, Verdict.DUPLICATE) for event in events)
    return Outcome.APPLIED if verdict == CodeVerdict.APPLIED and not told_since else Outcome.EXPLAINED


def _told_by(event: OrderEvent, code: int | None) -> bool:
    return event.verdict == Verdict.UNKNOWN_CODE and event.reported_status == code


def _take_code(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    """What was only explained is applied no more, but a part that arrived is never forgotten."""
    status = Status(reading.means_status or 0)
    if _outcome_of_code(reading, change.order, events) == Outcome.EXPLAINED:
        verdict = Verdict.STALE
        if status == Status.PARTLY_ARRIVED:
            change.part_arrived()
    else:
        verdict = apply_read_anew(change, status)
    known = readings.in_force().codes
    if all(event.reported_status in known for event in events if event.verdict == Verdict.UNKNOWN_CODE):
        why = _("it was taught what the code means")
        change.answer(MarkKind.UNKNOWN_CODE, why)
        change.settle(why, [MarkKind.UNKNOWN_CODE])
    return verdict


def _outcome_of_removal(reading: Reading, order: Order, events: Sequence[OrderEvent]) -> Outcome:
    """What is known of an order may rest on the code until an answer of the platform in other words confirms it."""
    told = [event.pk for event in events if _was_taken_as_known(reading, event)]
    if not told or order.submission != Submission.ACCEPTED:
        return Outcome.LEFT
    since = [event for event in events if event.pk > told[-1]]
    founded = any(_confirms(event) and event.reported_status != reading.code for event in since)
    doubted = any(event.kind == EventKind.READ_ANEW and _told_by(event, reading.code) for event in since)
    return Outcome.LEFT if founded or doubted else Outcome.UNFOUNDED


def _was_taken_as_known(reading: Reading, event: OrderEvent) -> bool:
    """Say whether an entry was read by the code, and not by what it was taught to mean after that."""
    by_code = event.reported_status == reading.code and event.verdict in TAKEN_AS_KNOWN
    since = reading.taught_again_at
    return by_code and (since is None or event.at < since)


def _confirms(event: OrderEvent) -> bool:
    told = event.reported_status is not None and event.verdict in (Verdict.APPLIED, Verdict.DUPLICATE)
    return told and event.kind == EventKind.QUERIED


def _question(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    """Whatever only the code confirmed is confirmed no longer, so that no other meaning of it is taken for a proof."""
    confirming = [event for event in events if _confirms(event)]
    if confirming and confirming[-1].reported_status == reading.code:
        failures = (event for event in confirming if event.status_to in (Status.FAILED, Status.CANCELLED))
        change.take_confirmation_back(failed=any(event.reported_status != reading.code for event in failures))
    change.doubt(MarkKind.UNKNOWN_CODE)
    ask_at_once(change.order)
    return Verdict.UNKNOWN_CODE


# --- words ------------------------------------------------------------------------------------------------------------
def _outcome_of_no(reading: Reading, order: Order, events: Sequence[OrderEvent], taught: Readings) -> Outcome:
    """What is asked of a definite no at the hand-over is asked here: its own claim's answer, and nothing else heard."""
    claims = [event for event in events if event.kind == EventKind.CLAIMED]
    answers = [event for event in events if event.kind == EventKind.ANSWERED and claims and event.pk > claims[-1].pk]
    if order.submission != Submission.UNKNOWN or len(answers) != 1 or _tells_of_life(order, events):
        return Outcome.LEFT
    in_time = answers[0].submission_from == Submission.SUBMITTING and answers[0].verdict == Verdict.OUTCOME_UNKNOWN
    says_no = taught.is_definite_no(readings.refusal_of(answers[0].note))
    return Outcome.REFUSED if in_time and says_no and matches(reading, answers[0].note) else Outcome.LEFT


def _tells_of_life(order: Order, events: Sequence[OrderEvent]) -> bool:
    marked = order.open_marks & ~MARK_BITS[MarkKind.OVERDUE]
    return bool(marked or order.doubts or order.part_arrived or any(map(tells_of_life, events)))


def _refuse(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    answers = [event for event in events if event.kind == EventKind.ANSWERED]
    change.reject(answers[-1].note)
    change.order.next_check_at = timezone.now() + REFUSED_DELAY
    return Verdict.REJECTED


def _outcome_of_denials(reading: Reading, order: Order, events: Sequence[OrderEvent], taught: Readings) -> Outcome:
    if order.submission != Submission.UNKNOWN or not _denials(reading, order, events):
        return Outcome.LEFT
    return Outcome.COUNTED


def _denials(reading: Reading, order: Order, events: Sequence[OrderEvent]) -> list[OrderEvent]:
    """Return the answers that deny the order and were not counted, as far apart as those that are."""
    found: list[OrderEvent] = []
    last = order.last_missing_at
    for event in events:
        refused = event.kind == EventKind.QUERIED and event.verdict == Verdict.REJECTED
        if refused and matches(reading, event.note) and (last is None or event.at - last >= MISSING_SPACING):
            found.append(event)
            last = event.at
    return found


def _count_denials(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    """They count; whether they prove anything, the next answer and its control say, as always."""
    order, counted = change.order, _denials(reading, change.order, events)
    order.missing_answers += len(counted)
    order.first_missing_at = order.first_missing_at or counted[0].at
    order.last_missing_at = counted[-1].at
    ask_at_once(order)
    return Verdict.MISSING


def _outcome_of_no_call(reading: Reading, order: Order, events: Sequence[OrderEvent], taught: Readings) -> Outcome:
    is_open = order.product == Product.OIL and not order.settled_at and order.submission not in NOT_HANDED_OVER
    if not is_open or order.one_witness:
        return Outcome.LEFT
    told = [event.pk for event in events if event.kind == EventKind.QUERIED and event.verdict == Verdict.REJECTED]
    read = [event.pk for event in events if event.kind == EventKind.READ_ANEW]
    return Outcome.ASKED if told and told[-1] > max(read, default=0) else Outcome.LEFT


def _ask(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    ask_at_once(change.order)
    return Verdict.REJECTED


def _outcome_of_doubt(reading: Reading, order: Order, events: Sequence[OrderEvent], taught: Readings) -> Outcome:
    answers = [event for event in events if event.kind == EventKind.ANSWERED]
    if order.submission != Submission.REJECTED or not answers or not matches(reading, answers[-1].note):
        return Outcome.LEFT
    if taught.is_definite_no(readings.refusal_of(answers[-1].note)):
        return Outcome.LEFT  # just this refusal was taught to be one, by its code
    return Outcome.DOUBTED


def _doubt(change: Change, reading: Reading, events: Sequence[OrderEvent]) -> Verdict:
    change.lose()
    ask_at_once(change.order)
    return Verdict.OUTCOME_UNKNOWN


_OUTCOMES: dict[RefusalMeaning, Callable[[Reading, Order, Sequence[OrderEvent], Readings], Outcome]] = {
    RefusalMeaning.DEFINITE_NO: _outcome_of_no,
    RefusalMeaning.NO_SUCH_ORDER: _outcome_of_denials,
    RefusalMeaning.NO_SUCH_CALL: _outcome_of_no_call,
    RefusalMeaning.DUPLICATE: _outcome_of_doubt,
    RefusalMeaning.UNCLEAR: _outcome_of_doubt,
}
_STEPS: dict[Outcome, Callable[[Change, Reading, Sequence[OrderEvent]], Verdict]] = {
    Outcome.APPLIED: _take_code,
    Outcome.CONFLICT: _take_code,
    Outcome.EXPLAINED: _take_code,
    Outcome.REFUSED: _refuse,
    Outcome.DOUBTED: _doubt,
    Outcome.COUNTED: _count_denials,
    Outcome.ASKED: _ask,
    Outcome.UNFOUNDED: _question,
}
