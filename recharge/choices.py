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


class NumberVerdict(TextChoices):
    """What is done with an order for a number."""

    REFUSE = "REFUSE", _("Refuse")
    WARN = "WARN", _("Ask once more")
    ALLOW = "ALLOW", _("Allow")


class Carrier(TextChoices):
    """Who carries a phone number."""

    CMCC = "CMCC", _("China Mobile")
    UNICOM = "UNICOM", _("China Unicom")
    TELECOM = "TELECOM", _("China Telecom")
    BROADNET = "BROADNET", _("China Broadnet")
    OTHER = "OTHER", _("Another carrier")


class KnownFrom(TextChoices):
    """Who says what is known of a phone number."""

    PLATFORM = "PLATFORM", _("the platform says so")
    HINT = "HINT", _("by its first digits; it may have been ported")


class RefusalMeaning(TextChoices):
    """What the words of a refusal say."""

    DEFINITE_NO = "DEFINITE_NO", _("A definite no: the order was not taken")
    DUPLICATE = "DUPLICATE", _("The order number exists already")
    NO_SUCH_ORDER = "NO_SUCH_ORDER", _("There is no such order")
    NO_SUCH_CALL = "NO_SUCH_CALL", _("There is no such interface")
    UNCLEAR = "UNCLEAR", _("Unclear: it may have been taken")


class LimitPeriod(TextChoices):
    """How far back the orders of a number count towards its limits."""

    DAY = "DAY", _("24 hours")
    WEEK = "WEEK", _("7 days")


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
    ONE_WITNESS = "ONE_WITNESS", _("One witness only")
    SUSPENDED = "SUSPENDED", _("The number was suspended after arrival")


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
    MarkKind.ONE_WITNESS: 1024,
    MarkKind.SUSPENDED: 2048,
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
    TAKEN = "TAKEN", _("Somebody looks after it")
    HANDED_OVER = "HANDED_OVER", _("Handed over to a colleague")
    NOTED = "NOTED", _("Noted")
    PUT_OFF = "PUT_OFF", _("To be looked at again")
    NOTE_CHANGED = "NOTE_CHANGED", _("The customer's note was changed")
    DECLARED = "DECLARED", _("Declared: the vendor confirms that it never arrived")
    AGREED = "AGREED", _("A second person agreed with the declaration")
    DISAGREED = "DISAGREED", _("A second person disagreed with the declaration")
    HELD = "HELD", _("Held back")
    RESTORED = "RESTORED", _("Put in order after a restored backup")
    REFUND_CLAIMED = "REFUND_CLAIMED", _("The refund was claimed from the vendor")
    CLAIM_REFUSED = "CLAIM_REFUSED", _("The vendor refuses the refund")
    CLAIM_WITHDRAWN = "CLAIM_WITHDRAWN", _("Taken out of the refund claim")
    MARKED = "MARKED", _("Marked")
    MARK_CLOSED = "MARK_CLOSED", _("A mark was answered")
    SUSPENDED = "SUSPENDED", _("The number was reported as suspended")
    READ_ANEW = "READ_ANEW", _("Evidence was read anew, by what was taught")


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

    MAKING = "MAKING", _("Being made")
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

    BEGUN = "BEGUN", _("Making began")
    MADE = "MADE", _("Made")
    GIVEN_UP = "GIVEN_UP", _("Making was given up")
    APPROVED = "APPROVED", _("Approved")
    DISAPPROVED = "DISAPPROVED", _("Disapproved")
    CANARY_PASSED = "CANARY_PASSED", _("The first orders were accepted")
    CANARY_SKIPPED = "CANARY_SKIPPED", _("The wait for the first orders was skipped")
    BRAKED = "BRAKED", _("Stopped by itself")
    SCHEDULED = "SCHEDULED", _("When it goes out was set")
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
    NUMBER_RULE = "NUMBER_RULE", _("A number rule was changed")
    ALERT_RULE = "ALERT_RULE", _("A rule for alerts was changed")
    ALERT_CHANNEL = "ALERT_CHANNEL", _("A channel for alerts was changed")
    READING = "READING", _("A reading of the platform's codes and words was changed")
    NUMBER_LIMIT = "NUMBER_LIMIT", _("A limit per number was changed")
    CHECK_MENDED = "CHECK_MENDED", _("A check of the books holds again")
    OTHER_WAYS = "OTHER_WAYS", _("Orders by other ways than this portal")
    FACTORS = "FACTORS", _("Somebody's second factors were changed")
    SIGNED_IN = "SIGNED_IN", _("Signed in")
    FACTOR_SHOWN = "FACTOR_SHOWN", _("Showed the second factor")
    SIGNED_OUT = "SIGNED_OUT", _("Signed out")
    SIGN_IN_FAILED = "SIGN_IN_FAILED", _("A sign-in failed")
    PASSWORD_CHANGED = "PASSWORD_CHANGED", _("Changed their own password")
    PASSWORD_SET = "PASSWORD_SET", _("A password was set by another person")
    USER_ADDED = "USER_ADDED", _("A user was added")
    USER_CHANGED = "USER_CHANGED", _("A user was changed")
    GROUP_CHANGED = "GROUP_CHANGED", _("A group was changed")
    CHANGE_ASKED = "CHANGE_ASKED", _("A change of rights was asked for")
    CHANGE_CONFIRMED = "CHANGE_CONFIRMED", _("A change of rights was confirmed")
    CHANGE_REFUSED = "CHANGE_REFUSED", _("A change of rights was refused or withdrawn")
    IDENTITY_REMOVED = "IDENTITY_REMOVED", _("An outside account was taken from a user")
    EXPORTED = "EXPORTED", _("A sheet was downloaded")
    CARD_REVEALED = "CARD_REVEALED", _("A card's data was shown in full")
    NUMBERS_SHOWN = "NUMBERS_SHOWN", _("Whole phone numbers were shown for printing")
    SEARCHED = "SEARCHED", _("A list was searched for")
    APPROVED = "APPROVED", _("Approved")
    DISAPPROVED = "DISAPPROVED", _("Disapproved")
    STOPPED = "STOPPED", _("Everything was stopped")
    WENT_ON = "WENT_ON", _("The emergency stop was ended")


class AccountChangeKind(TextChoices):
    """What of somebody's rights is to change once a second administrator has confirmed it."""

    RIGHTS = "RIGHTS", _("More rights for a person")
    PASSWORD = "PASSWORD", _("A new password for a person")
    FACTORS = "FACTORS", _("New second factors for a person")
    GROUP = "GROUP", _("More rights for a group")
    IDENTITY = "IDENTITY", _("An outside account for a person")


class AccountChangeOutcome(TextChoices):
    """What came of it."""

    CONFIRMED = "CONFIRMED", _("Confirmed")
    REFUSED = "REFUSED", _("Refused")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")
    EXPIRED = "EXPIRED", _("Expired")


class SwitchOutcome(TextChoices):
    """What the platform answered when orders by other ways were to be forbidden or allowed."""

    DONE = "DONE", _("The platform has done it")
    REFUSED = "REFUSED", _("The platform refused")
    NO_SUCH_CALL = "NO_SUCH_CALL", _("The platform has no such call")
    NOT_SENT = "NOT_SENT", _("The platform could not be reached: nothing was changed")
    UNKNOWN = "UNKNOWN", _("Not known whether the platform has done it")


class ClaimOutcome(TextChoices):
    """What came of an order of a refund claim."""

    OPEN = "OPEN", _("Open")
    REFUNDED = "REFUNDED", _("Refund confirmed")
    ARRIVED = "ARRIVED", _("Arrived after all")
    REFUSED = "REFUSED", _("Refused by the vendor")
    WITHDRAWN = "WITHDRAWN", _("Taken out")


class ListPage(TextChoices):
    """A list of which views can be saved."""

    ORDERS = "orders", _("Orders")
    DESK = "desk", _("Attention")


class AlertKind(TextChoices):
    """What the portal rings for."""

    PLATFORM = "PLATFORM", _("The platform does not answer")
    BALANCE = "BALANCE", _("The balance at the platform is too low")
    RUNWAY = "RUNWAY", _("The balance at the platform does not last long")
    BATCH = "BATCH", _("A batch is paused")
    STOP = "STOP", _("Emergency stop")
    GUARD = "GUARD", _("The restore guard is closed")
    ACCOUNT = "ACCOUNT", _("The account at the platform was changed")
    BOOKS = "BOOKS", _("A check of the books is broken")
    APPROVALS = "APPROVALS", _("Something has awaited approval for long")
    CASES = "CASES", _("Urgent orders need a person")
    REFUNDS = "REFUNDS", _("Refunds have been owed for long")
    STANDSTILL = "STANDSTILL", _("The worker or the scheduler stands still")
    WEB = "WEB", _("The web pages do not answer")
    NO_BALANCE = "NO_BALANCE", _("The platform does not tell the balance")
    BACKUP = "BACKUP", _("The last backup is too old")
    NEW_DEVICE = "NEW_DEVICE", _("Sign-in from a new device")
    WRONG_PASSWORDS = "WRONG_PASSWORDS", _("Several wrong passwords")
    CALLBACKS = "CALLBACKS", _("Callbacks are silent although orders end")
    CONTACT = "CONTACT", _("The check of the platform finds something new that is wrong")


class Part(TextChoices):
    """A part of the portal that gives signs of life."""

    SWEEP = "SWEEP", _("the search for what is due")
    ALERTS = "ALERTS", _("the sending of alerts")
    WEB = "WEB", _("the web pages")


class AlertPhase(TextChoices):
    """Which of the messages of an alert it is; a test is about none."""

    STARTED = "STARTED", _("began")
    AGAIN = "AGAIN", _("still so")
    OVER = "OVER", _("over")
    TEST = "TEST", _("test")


class AlertChannelKind(TextChoices):
    """What stands at the other end of a channel."""

    WECOM = "WECOM", _("WeCom group robot")
    DINGTALK = "DINGTALK", _("DingTalk group robot")
    FEISHU = "FEISHU", _("Feishu group robot")
    LARK = "LARK", _("Lark group robot")
    MAIL = "MAIL", _("E-mail")
    WEBHOOK = "WEBHOOK", _("Signed webhook")
    JSON = "JSON", _("Unsigned JSON")
