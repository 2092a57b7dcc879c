"""The platform's status codes, their groups and the transition table: pure data and pure functions.

Codes 0-4, 6 and 7 are in the platform's document, 5 and 8-12 in the vendor's later public ones. Which code
may follow which is documented nowhere: `TRANSITIONS` is our reading, in this one place.
"""

from enum import StrEnum

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy as _


class Status(IntegerChoices):
    """What the platform says of an order."""

    WAITING_FOR_PAYMENT = 0, _("Waiting for payment")
    RECHARGING = 1, _("Recharging")
    SUCCEEDED = 2, _("Succeeded")
    FAILED = 3, _("Failed, to be refunded")
    REFUNDED = 4, _("Refunded")
    TIMED_OUT = 5, _("Timed out")
    WAITING = 6, _("Waiting to be recharged")
    MATCHED = 7, _("Matched")
    STORED = 8, _("Stored")
    CANCELLED = 9, _("Cancelled")
    REVERSED = 10, _("Reversed after success")
    PARTLY_ARRIVED = 11, _("Partly arrived")
    CANCELLING = 12, _("Being cancelled")


class CodeVerdict(StrEnum):
    """What becomes of a reported code."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    CONFLICT = "conflict"
    UNKNOWN_CODE = "unknown_code"


# From each status: the codes that are applied, and the late ones that are ignored. Any other known code is a
# conflict. 1, 6, 7 and 8 may cycle, since with `change=1` the platform tries another channel; 5 reads as
# impatience, not as an outcome. [guess]
_AFTER_PROGRESS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12}
TRANSITIONS: dict[int | None, tuple[frozenset[int], frozenset[int]]] = {
    None: (frozenset(range(13)) - {10}, frozenset()),
    0: (frozenset(_AFTER_PROGRESS), frozenset()),
    **{code: (frozenset(_AFTER_PROGRESS - {code}), frozenset({0})) for code in (1, 6, 7, 8)},
    12: (frozenset(_AFTER_PROGRESS - {12, 10}), frozenset({0})),
    5: (frozenset(_AFTER_PROGRESS - {5}), frozenset({0})),
    2: (frozenset({10}), frozenset({0, 1, 6, 7, 8, 12})),
    11: (frozenset({2, 4, 10}), frozenset({0, 1, 6, 7, 8, 12})),
    3: (frozenset({4}), frozenset({0, 5, 9, 12})),
    9: (frozenset({3, 4}), frozenset({0, 5, 12})),
    10: (frozenset({3, 4}), frozenset({0, 12})),
    4: (frozenset(), frozenset({0, 3, 5, 9, 12})),
}

IN_PROGRESS = frozenset({0, 1, 5, 6, 7, 8, 12})
"""Codes that say: it is under way."""

FINAL = frozenset({Status.SUCCEEDED, Status.REFUNDED})
"""Codes after which nothing more is expected, once the platform's own answer has confirmed them."""

CANCELLABLE = frozenset({None, 0, 1, 5, 6, 7, 8})
"""Where asking the platform to cancel makes sense; which ones it cancels is its own affair. [guess]"""


def verdict(current: int | None, reported: int) -> CodeVerdict:
    """Say what becomes of a reported code.

    Args:
        current: the order's status, None while the platform has told us none.
        reported: the code of a callback or of an answer to a query, any integer.

    Returns:
        The verdict; only APPLIED changes the order's status.
    """
    if reported not in Status.values:
        return CodeVerdict.UNKNOWN_CODE
    if reported == current:
        return CodeVerdict.DUPLICATE
    applied, stale = TRANSITIONS[current]
    if reported in applied:
        return CodeVerdict.APPLIED
    return CodeVerdict.STALE if reported in stale else CodeVerdict.CONFLICT
