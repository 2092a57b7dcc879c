"""The portal's own words about orders and batches: the choices that their columns hold."""

from collections.abc import Iterable

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Product(TextChoices):
    MOBILE = "MOBILE", _("Mobile top-up")
    OIL = "OIL", _("Oil card recharge")


class Speed(IntegerChoices):
    """`recharge_type` of the platform's document."""

    FAST = 1, _("Fast")
    SLOW = 0, _("Slow")


class Submission(TextChoices):
    """How far we got in handing the order to the platform. Ours alone; the platform's word is `status`."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL", _("Awaiting approval")
    QUEUED = "QUEUED", _("Queued")
    SUBMITTING = "SUBMITTING", _("Being handed over")
    ACCEPTED = "ACCEPTED", _("Accepted by the platform")
    REJECTED = "REJECTED", _("Rejected by the platform")
    UNKNOWN = "UNKNOWN", _("Not known whether it arrived")
    NOT_RECEIVED = "NOT_RECEIVED", _("Never arrived at the platform")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


NOT_YET_SENT = (Submission.AWAITING_APPROVAL, Submission.QUEUED)
"""No worker is at it: the order can still be taken back."""

NOT_HANDED_OVER = (*NOT_YET_SENT, Submission.SUBMITTING)
"""There is nothing yet that the platform could be asked about."""


class MarkKind(TextChoices):
    """Why a person must look at an order. An order may have any number of these at a time."""

    CONFLICT = "CONFLICT", _("The platform contradicts itself")
    UNKNOWN_CODE = "UNKNOWN_CODE", _("The platform sent a code that nobody knows")
    UNEXPECTED = "UNEXPECTED", _("The platform knows an order that it should not have")
    NUMBER_TAKEN = "NUMBER_TAKEN", _("The platform gave a number that another order has")
    REVERSED = "REVERSED", _("Reversed after success")
    PARTLY_ARRIVED = "PARTLY_ARRIVED", _("Only a part arrived")
    OVERDUE = "OVERDUE", _("Unfinished for seven days")
    REPLACEMENT_HELD = "REPLACEMENT_HELD", _("Held back: what it replaces is alive")
    OTHER_ACCOUNT = "OTHER_ACCOUNT", _("Pushed under another account")
    RESTORED = "RESTORED", _("From a restored backup: what came after it is not known")


MARK_BITS: dict[MarkKind, int] = {
    MarkKind.CONFLICT: 1,
    MarkKind.UNKNOWN_CODE: 2,
    MarkKind.UNEXPECTED: 4,
    MarkKind.NUMBER_TAKEN: 8,
    MarkKind.REVERSED: 16,
    MarkKind.PARTLY_ARRIVED: 32,
    MarkKind.OVERDUE: 64,
    MarkKind.REPLACEMENT_HELD: 128,
    MarkKind.OTHER_ACCOUNT: 256,
    MarkKind.RESTORED: 512,
}
"""How an order's row holds a set of kinds. Stored: a new kind gets the next bit, none ever changes."""


def bits_of(kinds: Iterable[MarkKind]) -> int:
    """Return the number that stands for a set of kinds."""
    return sum(MARK_BITS[kind] for kind in set(kinds))


def kinds_in(bits: int) -> list[MarkKind]:
    """Return the kinds that a number stands for."""
    return [kind for kind, bit in MARK_BITS.items() if bits & bit]


SIGNS_OF_LIFE = (MarkKind.UNEXPECTED, MarkKind.CONFLICT, MarkKind.NUMBER_TAKEN)
"""Each of these raises a doubt whether an order spent nothing, which a person's word alone doesn't answer."""


class EventKind(TextChoices):
    """What an entry of the order's history is about."""

    PLACED = "PLACED", _("Placed")
    CLAIMED = "CLAIMED", _("Being handed over")
    ANSWERED = "ANSWERED", _("The platform answered the hand-over")
    LEASE_EXPIRED = "LEASE_EXPIRED", _("The worker stopped half-way")
    CALLBACK = "CALLBACK", _("The platform reported")
    QUERIED = "QUERIED", _("The platform was asked")
    CANCEL_ASKED = "CANCEL_ASKED", _("Cancellation was asked for")
    ASKED_BY_HAND = "ASKED_BY_HAND", _("A person asked for a query")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")
    APPROVED = "APPROVED", _("Approved")
    DISAPPROVED = "DISAPPROVED", _("Disapproved")
    ACKNOWLEDGED = "ACKNOWLEDGED", _("Dealt with")
    HELD = "HELD", _("Held back")
    RESTORED = "RESTORED", _("Put in order after a restored backup")
    MARKED = "MARKED", _("Marked")
    MARK_CLOSED = "MARK_CLOSED", _("A mark was answered")


class Verdict(TextChoices):
    """What an event's evidence did to the order."""

    APPLIED = "applied", _("Applied")
    DUPLICATE = "duplicate", _("Already known")
    STALE = "stale", _("Late, ignored")
    OVERTAKEN = "overtaken", _("Overtaken by newer evidence, ignored")
    CONFLICT = "conflict", _("Contradicts what is known")
    MISMATCH = "mismatch", _("Names another order, target or value")
    UNKNOWN_CODE = "unknown_code", _("Unknown code")
    UNREADABLE = "unreadable", _("Could not be read")
    REJECTED = "rejected", _("Refused")
    NOT_SENT = "not_sent", _("Nothing was sent")
    OUTCOME_UNKNOWN = "outcome_unknown", _("No clear answer")
    MISSING = "missing", _("The platform has no such order")


SPOKEN_OF = (
    Verdict.APPLIED,
    Verdict.DUPLICATE,
    Verdict.STALE,
    Verdict.OVERTAKEN,
    Verdict.CONFLICT,
    Verdict.MISMATCH,
    Verdict.UNKNOWN_CODE,
)
"""Verdicts on statements in which the platform spoke of an order as of one that it has."""


class BatchState(TextChoices):
    """How far a batch has got. What became of its orders, only they tell."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL", _("Awaiting approval")
    CANARY = "CANARY", _("First orders go ahead")
    RUNNING = "RUNNING", _("Being handed over")
    PAUSED = "PAUSED", _("Paused")
    DISAPPROVED = "DISAPPROVED", _("Disapproved")
    WITHDRAWN = "WITHDRAWN", _("Rest withdrawn")
    HANDED_OVER = "HANDED_OVER", _("All handed over")


class Brake(TextChoices):
    """Why a batch is paused."""

    BY_HAND = "BY_HAND", _("Paused by hand")
    CANARY = "CANARY", _("One of the first orders was not accepted")
    REJECTIONS = "REJECTIONS", _("The platform refused too many orders in a row")
    UNKNOWNS = "UNKNOWNS", _("Too many orders whose arrival is not known")
    BALANCE = "BALANCE", _("The balance at the platform is too low")
    BALANCE_UNKNOWN = "BALANCE_UNKNOWN", _("The balance at the platform isn't known")


class BatchEventKind(TextChoices):
    """What an entry of a batch's history is about."""

    MADE = "MADE", _("Made")
    APPROVED = "APPROVED", _("Approved")
    DISAPPROVED = "DISAPPROVED", _("Disapproved")
    CANARY_PASSED = "CANARY_PASSED", _("The first orders were accepted")
    CANARY_SKIPPED = "CANARY_SKIPPED", _("The wait for the first orders was skipped")
    BRAKED = "BRAKED", _("Stopped by itself")
    PAUSED = "PAUSED", _("Paused")
    RESUMED = "RESUMED", _("Resumed")
    WITHDRAWN = "WITHDRAWN", _("The rest was withdrawn")
    HANDED_OVER = "HANDED_OVER", _("All handed over")
    RESTORED = "RESTORED", _("Put in order after a restored backup")


class PortalEventKind(TextChoices):
    """What an entry of the portal's own history is about."""

    ACCOUNT_SEEN = "ACCOUNT_SEEN", _("A new account at the platform was set")
    ACCOUNT_CONFIRMED = "ACCOUNT_CONFIRMED", _("An account at the platform was confirmed")
    ACCOUNT_SAME = "ACCOUNT_SAME", _("Two accounts were declared to be the same")
    GUARD_CLOSED = "GUARD_CLOSED", _("The restore guard was closed")
    RESTORED = "RESTORED", _("Put in order after a restored backup")
    BELONG_TOGETHER = "BELONG_TOGETHER", _("Database and generation were declared to belong together")
    BACKED_UP = "BACKED_UP", _("A backup was made")
    CHECK_BROKEN = "CHECK_BROKEN", _("A check of the books is broken")
    CHECK_MENDED = "CHECK_MENDED", _("A check of the books holds again")
