"""The prepaid balance at the platform, as it was told last, and whether it is enough to go on."""

import datetime as dt

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from portal import platform
from portal.gateway import GatewayError
from portal.kit.database import from_now, release_connection
from recharge.choices import Brake
from recharge.core import queue
from recharge.models import Balance

from . import pacing

REFRESH_WHILE_SPENDING = dt.timedelta(seconds=10)
ASKED_LATELY = dt.timedelta(minutes=2)
"""A platform that was asked within this time and told nothing is not just about to be asked."""


def refresh_balance_soon() -> None:
    """Let a worker ask for the balance if nobody has lately; batches spend a lot within a minute."""
    if not Balance.objects.filter(tried_at__gt=from_now(-REFRESH_WHILE_SPENDING)).exists():
        queue.refresh_balance()


def refresh_balance() -> None:
    """Ask the platform for the balance and keep the answer; a failure keeps the old one and its age."""
    if not platform.is_configured():
        return
    pacing.wait_for_turn()
    release_connection()
    try:
        account = platform.client().account()
    except GatewayError as error:
        Balance.objects.update_or_create(pk=1, defaults={"error": str(error)[:300], "tried_at": Now()})
    else:
        told = {"amount": account.balance, "told_at": Now(), "tried_at": Now(), "error": ""}
        Balance.objects.update_or_create(pk=1, defaults=told)


def may_spend() -> bool:
    """Say whether the balance is known to be at BALANCE_FLOOR at least; where it isn't known, ask the platform now.

    What isn't known is not enough. Without a floor nothing is asked, and everything may be spent.
    """
    if not settings.BALANCE_FLOOR:
        return True
    if not _told_lately().exists():
        refresh_balance()
    return _told_lately().filter(amount__gte=settings.BALANCE_FLOOR).exists()


def why_not_spend() -> Brake | None:
    """Return what a batch has to stop for, as far as the balance goes.

    A balance that nobody has asked for lately stops nothing yet: `may_spend` asks before anything is sent.
    """
    if not settings.BALANCE_FLOOR:
        return None
    told = _told_lately().first()
    if told and told.amount is not None:
        return Brake.BALANCE if told.amount < settings.BALANCE_FLOOR else None
    asked_lately = Balance.objects.filter(tried_at__gt=from_now(-ASKED_LATELY))
    return Brake.BALANCE_UNKNOWN if asked_lately.exists() else None


def _told_lately() -> QuerySet[Balance]:
    oldest = from_now(-dt.timedelta(seconds=settings.BALANCE_MAX_AGE))
    return Balance.objects.filter(told_at__gte=oldest, amount__isnull=False)
