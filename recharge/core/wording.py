"""What an order's two states, ours and the platform's, say together: one plain phrase, its colour and its icon."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.gateway import GatewayError, NotSent
from portal.kit.wording import Wording
from recharge.choices import MARK_BITS, NOT_HANDED_OVER, NOT_YET_SENT, BatchState, MarkKind, Submission
from recharge.models import Mark, Order
from recharge.status import Status


class Group(StrEnum):
    """The outcomes that should be told apart at a glance."""

    SUCCEEDED = "succeeded"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"
    FAILED = "failed"
    NOT_SPENT = "not_spent"


@dataclass(frozen=True, slots=True)
class OrderWording(Wording):
    """The same, and the group by which it is told apart at a glance."""

    group: Group


@dataclass(frozen=True, slots=True)
class Look:
    """How a group of outcomes is shown in tiles and bars; `colour` is one of Tabler's."""

    label: str | Promise
    colour: str
    icon: str


OF_SUBMISSION: dict[str, OrderWording] = {
    Submission.AWAITING_APPROVAL: OrderWording(
        _("Awaiting approval"),
        _("Nothing has been sent. A second person has to approve it first."),
        "yellow",
        "hourglass",
        Group.IN_PROGRESS,
    ),
    Submission.QUEUED: OrderWording(
        _("Queued"), _("Nothing has been sent yet; it is about to be."), "azure", "clock", Group.IN_PROGRESS
    ),
    Submission.SUBMITTING: OrderWording(
        _("Being handed over"),
        _("It is on its way to the platform at this moment."),
        "azure",
        "send",
        Group.IN_PROGRESS,
    ),
    Submission.ACCEPTED: OrderWording(
        _("Accepted by the platform"),
        _("The platform has taken the order and said nothing more so far."),
        "blue",
        "loader-2",
        Group.IN_PROGRESS,
    ),
    Submission.UNKNOWN: OrderWording(
        _("Not known whether it arrived"),
        _(
            "It was sent, but we don't know whether it arrived. We keep asking the platform; "
            "don't place it again before that is clear."
        ),
        "orange",
        "message-question",
        Group.UNKNOWN,
    ),
    Submission.REJECTED: OrderWording(
        _("Rejected by the platform"), _("The platform refused it. Nothing was spent."), "red", "ban", Group.NOT_SPENT
    ),
    Submission.NOT_RECEIVED: OrderWording(
        _("Never arrived at the platform"),
        _("The platform said again and again that it has no such order. Nothing was spent."),
        "red",
        "mail-off",
        Group.NOT_SPENT,
    ),
    Submission.WITHDRAWN: OrderWording(
        _("Withdrawn"), _("It was taken back before it was sent. Nothing was spent."), "secondary", "x", Group.NOT_SPENT
    ),
}

BEING_MADE = OrderWording(
    _("In a batch being made"),
    _("Nothing has been sent: its batch is still being made. Nothing goes out before it is whole."),
    "azure",
    "stack-2",
    Group.IN_PROGRESS,
)
"""Of a batch that isn't whole."""

_UNDER_WAY = _("The platform is working on it.")

OF_STATUS: dict[int, OrderWording] = {
    Status.WAITING_FOR_PAYMENT: OrderWording(
        Status.WAITING_FOR_PAYMENT.label,
        _("The platform has it but has not yet taken the money."),
        "blue",
        "wallet",
        Group.IN_PROGRESS,
    ),
    Status.RECHARGING: OrderWording(Status.RECHARGING.label, _UNDER_WAY, "blue", "loader-2", Group.IN_PROGRESS),
    Status.WAITING: OrderWording(Status.WAITING.label, _UNDER_WAY, "blue", "hourglass", Group.IN_PROGRESS),
    Status.MATCHED: OrderWording(Status.MATCHED.label, _UNDER_WAY, "blue", "arrows-exchange", Group.IN_PROGRESS),
    Status.STORED: OrderWording(Status.STORED.label, _UNDER_WAY, "blue", "clock-pause", Group.IN_PROGRESS),
    Status.CANCELLING: OrderWording(
        Status.CANCELLING.label,
        _("The platform is cancelling it; whether it can, it will say later."),
        "yellow",
        "rotate-2",
        Group.IN_PROGRESS,
    ),
    Status.TIMED_OUT: OrderWording(
        Status.TIMED_OUT.label,
        _("It takes longer than the platform expected. It may still succeed."),
        "yellow",
        "clock-exclamation",
        Group.IN_PROGRESS,
    ),
    Status.SUCCEEDED: OrderWording(
        Status.SUCCEEDED.label, _("The money has arrived."), "green", "circle-check", Group.SUCCEEDED
    ),
    Status.FAILED: OrderWording(
        Status.FAILED.label,
        _("The money did not arrive; the platform still has to give it back."),
        "red",
        "circle-x",
        Group.FAILED,
    ),
    Status.CANCELLED: OrderWording(
        Status.CANCELLED.label,
        _("The platform has cancelled it; the refund has yet to be reported."),
        "red",
        "x",
        Group.FAILED,
    ),
    Status.REFUNDED: OrderWording(
        Status.REFUNDED.label, _("The money did not arrive and came back to the balance."), "purple",
        "receipt-refund", Group.FAILED,
    ),
    Status.REVERSED: OrderWording(
        Status.REVERSED.label,
        _("It succeeded and was reversed afterwards."),
        "red",
        "arrow-back-up",
        Group.FAILED,
    ),
    Status.PARTLY_ARRIVED: OrderWording(
        Status.PARTLY_ARRIVED.label, _("Only part of the money has arrived."), "orange", "circle-half-2",
        Group.FAILED,
    ),
}  # fmt: skip

CONTRADICTED = OrderWording(
    _("The platform contradicts itself"),
    _(
        "The platform has said two things about it that can't both be true. Neither is believed before a person has "
        "found out which one is."
    ),
    "orange",
    "alert-triangle",
    Group.UNKNOWN,
)
"""Instead of whatever the platform said first, for as long as nothing has settled which is true."""

GROUP_LOOKS = {
    Group.SUCCEEDED: Look(_("Succeeded"), "green", "circle-check"),
    Group.IN_PROGRESS: Look(_("In progress"), "blue", "loader-2"),
    Group.UNKNOWN: Look(_("Unknown"), "orange", "message-question"),
    Group.FAILED: Look(_("Failed, reversed, part arrived"), "red", "circle-x"),
    Group.NOT_SPENT: Look(_("Nothing spent"), "secondary", "ban"),
}

ADVICE: dict[str, str | Promise] = {
    MarkKind.CONFLICT: _(
        "Compare the evidence with the order in the platform's console, and ask the vendor which is true."
    ),
    MarkKind.UNKNOWN_CODE: _("Look the order up in the platform's console, and ask the vendor what the code means."),
    MarkKind.UNEXPECTED: _(
        "Look in the platform's console whether money was spent on it. Don't place it again before you know."
    ),
    MarkKind.NUMBER_TAKEN: _(
        "Look both orders up in the platform's console: one of the two may not have been carried out."
    ),
    MarkKind.REVERSED: _("Tell the customer, and see to it that the platform gives the money back."),
    MarkKind.PARTLY_ARRIVED: _("Ask the vendor for the rest, and tell the customer how much has arrived."),
    MarkKind.OVERDUE: _("Ask the vendor what has become of it. Don't place it again before you know."),
    MarkKind.REPLACEMENT_HELD: _(
        "It was not sent. Withdraw it, unless the other order turns out to have failed: then it can be approved."
    ),
    MarkKind.RESTORED: _("Look in the vendor's console what became of it since the backup was made."),
    MarkKind.ONE_WITNESS: _(
        "Only a callback says so, and no answer of the platform has confirmed it. Compare it with the vendor's console."
    ),
    MarkKind.SUSPENDED: _(
        "The money has arrived, so nothing is refunded. Tell the vendor, keep what the customer says, and look whether "
        "more numbers of this customer or channel are suspended."
    ),
    MarkKind.OTHER_ACCOUNT: _(
        "Look it up in the console of the account that it was pushed under. Nothing is concluded about it here."
    ),
}


def open_marks(order: Order) -> list[tuple[Mark, str | Promise]]:
    """Return the open marks of an order, oldest first, each with what a person should do about it."""
    marks = order.marks.open().select_related("event") if order.open_marks else []
    return [(mark, ADVICE[mark.kind]) for mark in marks]


MISSING_PROOF: dict[int, str | Promise] = {
    Status.FAILED: _(
        "It can't be placed again yet: that it failed, only a callback says. The platform's own answer is missing."
    ),
    Status.CANCELLED: _(
        "It can't be placed again yet: that it was cancelled, only a callback says. The platform's own answer is "
        "missing."
    ),
    Status.REFUNDED: _(
        "It can't be placed again yet: that the money came back, only a callback says. The platform's own answer is "
        "missing."
    ),
    Status.REVERSED: _("It can't be placed again yet: the platform's own answer that the money came back is missing."),
    Status.PARTLY_ARRIVED: _("It can't be placed again for the whole value: the platform said that a part arrived."),
}
"""Which evidence would allow a replacement, where the platform's code alone doesn't."""

CREDITED = _(
    "It can't be placed again yet: the platform reported an amount that arrived, and its own answer that nothing of it "
    "stayed is missing."
)
NO_OUTCOME = _(
    "It can't be placed again yet: it may still arrive. Only the platform's own answer that it failed, was cancelled "
    "or refunded allows that."
)
NOT_KNOWN_TO_ARRIVE = _(
    "It can't be placed again yet: an answer is missing that knows it, or several over half an hour that deny it while "
    "the platform finds another order of ours."
)


def may_be_placed_again(order: Order) -> bool:
    """Say whether there is proof enough to replace an order, even if a second person has to read it."""
    return order.is_provably_unspent or order.is_confirmed_failed


def why_not_again(order: Order) -> str | Promise:
    """Say which evidence is missing for placing an order again; "" where it can be, or nobody would want to."""
    if may_be_placed_again(order) or order.submission in NOT_HANDED_OVER:
        return ""
    credited = order.credited_amount or 0
    if order.part_arrived or 0 < credited < order.face_value:
        return MISSING_PROOF[Status.PARTLY_ARRIVED]
    if order.submission == Submission.UNKNOWN:
        return NOT_KNOWN_TO_ARRIVE
    if order.status == Status.SUCCEEDED and order.doubts in (0, MARK_BITS[MarkKind.RESTORED]):
        return ""
    if not order.doubts and credited:
        return CREDITED
    if not order.doubts:
        return MISSING_PROOF.get(order.status or 0, NO_OUTCOME)
    if order.doubts == MARK_BITS[MarkKind.RESTORED]:
        return _(
            "It can't be placed again from here: the database was restored since, and somebody may have placed it "
            "again after the backup was made."
        )
    return _(
        "It can't be placed again from here: the platform once spoke of it as of an order that lives, and no evidence "
        "has settled that. Marking it as dealt with doesn't either: after that the platform is asked once more."
    )


def of(submission: str, status: int | None) -> OrderWording:
    """Return the one phrase for both states of an order.

    Args:
        submission: how far we got, one of Submission.
        status: what the platform says, None while it has said nothing.
    """
    return OF_SUBMISSION[submission] if status is None else OF_STATUS[status]


def is_contradicted(order: Order) -> bool:
    """Say whether the platform's statements about the order contradict each other, and nothing has settled it yet."""
    return bool(order.open_marks & MARK_BITS[MarkKind.CONFLICT])


def of_order(order: Order) -> OrderWording:
    """Return the one phrase for both states of the order.

    Args:
        order: read `with_people_and_cards`, so that it knows whether its batch is still being made.
    """
    if is_contradicted(order):
        return CONTRADICTED
    return BEING_MADE if is_being_made(order) else of(order.submission, order.status)


def is_being_made(order: Order) -> bool:
    """Say whether an order can't go out yet since its batch is still being made."""
    return order.submission in NOT_YET_SENT and getattr(order, "batch_state", None) == BatchState.MAKING


def explanation(order: Order) -> str | Promise:
    """Return what both states mean; what two persons declared is told apart from what is proven."""
    if order.submission == Submission.NOT_RECEIVED and order.declared_at:
        return _(
            "Two persons declared, in the vendor's words, that it never arrived. The platform's answers don't prove it."
        )
    return of_order(order).explanation


def is_only_reported(order: Order) -> bool:
    """Say whether the outcome is hearsay: a callback told it, and no answer to a query has confirmed it.

    Of an order that is under way nobody needs to know, and of one that is contradicted more is wrong than that.
    """
    if is_contradicted(order):
        return False
    under_way = of_order(order).group == Group.IN_PROGRESS
    return order.status is not None and order.confirmed_at is None and not under_way


QUEUED_IN: dict[str, str | Promise] = {
    BatchState.CANARY: _("Nothing has been sent yet: the first orders of its batch go ahead, then the others follow."),
    BatchState.RUNNING: _("Nothing has been sent yet: it goes out when its turn comes in its batch."),
    BatchState.PAUSED: _("Nothing has been sent: its batch is paused. It goes out once somebody lets the batch go on."),
    BatchState.WITHDRAWN: _("Nothing has been sent: its batch was withdrawn, and so will be this order."),
}
"""Why an order is queued, by the state of its batch."""


def why_queued(order: Order) -> str | Promise:
    """Return what a queued order of a batch waits for, "" for any other."""
    if order.batch is None or order.submission != Submission.QUEUED:
        return ""
    return QUEUED_IN.get(order.batch.state, "")


def badge(order: Order, size: str = "") -> dict[str, Any]:
    """Return what `includes/state.html` shows of an order: a word, a colour, an icon, a mark where it is hearsay."""
    return {"outcome": of_order(order), "only_reported": is_only_reported(order), "size": size}


def why_unanswered(error: GatewayError) -> str:
    """Say in the reader's language what became of a call that the platform did not answer."""
    if isinstance(error, NotSent):
        return gettext("no connection")
    return gettext("no answer that can be read, or not in time")
