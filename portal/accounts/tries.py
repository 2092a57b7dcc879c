"""Slowing whoever guesses: wrong passwords and codes are counted by name and by address, in the database.

A try is written down before it is looked at, so that a hundred at the same moment, in as many processes, see each
other. Names are counted whether anybody has them or not, and stand there as blind indexes only: who guesses learns
nothing, and what was typed into the wrong field is not kept.
"""

import datetime as dt
import math

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, QuerySet
from django.utils.translation import ngettext

from portal.kit import crypto
from portal.kit.database import from_now, now

from .models import FailedTry

COUNTED_FOR = dt.timedelta(minutes=15)
KEPT_FOR = dt.timedelta(days=1)
FREE_BY_NAME = 5
FREE_BY_ADDRESS = 20
"""So many wrong ones cost no time. A whole shop may come from one address."""
FIRST_WAIT = 30
MAX_WAIT = 300
"""Seconds; each further wrong one doubles them."""
_PURPOSE = "name of a failed sign-in"


class Slowed(Exception):
    """It was tried too often: nothing was looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds} seconds are left")
        self.minutes = math.ceil(seconds / 60)

    def in_words(self) -> ValidationError:
        """Return what people read; the same whether anybody has the name or not."""
        minutes = self.minutes
        text = ngettext(
            "Too many attempts. This one was not checked; try again in %(minutes)s minute.",
            "Too many attempts. This one was not checked; try again in %(minutes)s minutes.",
            minutes,
        )
        return ValidationError(text % {"minutes": minutes}, code="slowed")


def begin(kind: FailedTry.Kind, name: str, address: str) -> FailedTry:
    """Write a try down before it is looked at; it counts as a wrong one until it is forgiven.

    Args:
        kind: what is tried.
        name: whose it would be, existing or not.
        address: where it comes from; "" where it is not known.

    Raises:
        Slowed: there were too many wrong ones lately. This one is not counted.
    """
    who = crypto.blind_index(name, purpose=_PURPOSE)
    FailedTry.objects.filter(at__lt=from_now(-KEPT_FOR)).delete()
    mine = FailedTry.objects.create(kind=kind, who=who, address=address)
    others = FailedTry.objects.exclude(pk=mine.pk).filter(at__gte=from_now(-COUNTED_FOR))
    seconds = max(
        _wait(others.filter(kind=kind, who=who), FREE_BY_NAME),
        _wait(others.filter(address=address), FREE_BY_ADDRESS) if address else 0,
    )
    if seconds > 0:
        mine.delete()
        raise Slowed(seconds)
    return mine


def forgive(right: FailedTry) -> None:
    """Forget a try that was right, and the wrong ones of its name before it."""
    FailedTry.objects.filter(kind=right.kind, who=right.who).delete()


def count(kind: FailedTry.Kind, name: str) -> int:
    """Return how many wrong ones there were for a name lately, existing or not."""
    who = crypto.blind_index(name, purpose=_PURPOSE)
    return FailedTry.objects.filter(kind=kind, who=who, at__gte=from_now(-COUNTED_FOR)).count()


def forget(kind: FailedTry.Kind, name: str) -> None:
    """Forget the wrong ones of a name."""
    FailedTry.objects.filter(kind=kind, who=crypto.blind_index(name, purpose=_PURPOSE)).delete()


def is_worth_noting(address: str) -> bool:
    """Count a sign-in by an account elsewhere that failed; such ones slow nobody down.

    Args:
        address: where it comes from; "" where it is not known.

    Returns:
        Whether there were few from there lately, so that nobody fills the history with them.
    """
    who = crypto.blind_index(address, purpose=_PURPOSE)
    FailedTry.objects.filter(at__lt=from_now(-KEPT_FOR)).delete()
    lately = FailedTry.objects.filter(kind=FailedTry.Kind.OUTSIDE, who=who, at__gte=from_now(-COUNTED_FOR))
    if lately.count() >= FREE_BY_ADDRESS:
        return False
    FailedTry.objects.create(kind=FailedTry.Kind.OUTSIDE, who=who, address="")
    return True


def _wait(wrong: QuerySet[FailedTry], free: int) -> float:
    """Return the seconds that are left until the next try, by how many wrong ones there were and when the last was."""
    found = wrong.aggregate(times=Count("pk"), last=Max("at"))
    if found["times"] < free:
        return 0
    wait = min(FIRST_WAIT * 2 ** (found["times"] - free), MAX_WAIT)
    return float(wait - (now() - found["last"]).total_seconds())
