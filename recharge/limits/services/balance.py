"""The prepaid balance at the platform, as it was told last, and whether it is enough to go on."""

import datetime as dt
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from portal import platform
from portal.gateway import GatewayError, Rejected
from portal.kit.database import from_now, release_connection
from recharge.choices import Brake
from recharge.core import queue
from recharge.core.wording import why_unanswered
from recharge.models import Balance

from . import pacing

log = structlog.get_logger(__name__)

REFRESH_WHILE_SPENDING = dt.timedelta(seconds=10)
ASKED_LATELY = dt.timedelta(minutes=2)
"""A platform that was asked within this time and told nothing is not just about to be asked."""


def refresh_balance_soon() -> None:
    """Let a worker ask for the balance if nobody has lately; batches spend a lot within a minute."""
    if not Balance.objects.filter(tried_at__gt=from_now(-REFRESH_WHILE_SPENDING)).exists():
        queue.refresh_balance()


def refresh_balance(*, patient: bool = True) -> bool:
    """Ask the platform for the balance and keep the answer; a failure keeps the old one and its age.

    Args:
        patient: whether a slow platform gets as much time as for an order; else some seconds.

    Returns:
        Whether the platform answered, were it by a refusal; True where there are no credentials and nobody was asked.
    """
    if not platform.is_configured():
        return True
    pacing.wait_for_turn()
    release_connection()
    client = platform.client() if patient else platform.trial_client()
    try:
        account = client.account()
    except Rejected as refusal:
        _keep(error=str(refusal)[:300], answered_at=Now())
    except GatewayError as error:
        log.info("balance_not_told", error=str(error))
        _keep(error=why_unanswered(error))
        return False
    else:
        _keep(error="", answered_at=Now(), amount=account.balance, told_at=Now())
    return True


def _keep(**told: Any) -> None:
    Balance.objects.update_or_create(pk=1, defaults={**told, "tried_at": Now()})


def is_silent() -> bool:
    """Say whether the platform gave no answer when it was asked last."""
    return Balance.objects.filter(Q(answered_at=None) | Q(answered_at__lt=F("tried_at"))).exclude(error="").exists()


def silent_since() -> dt.datetime | None:
    """Return since when the platform has not answered, where that is longer than ALERT_PLATFORM_DOWN_SECONDS ago.

    None, too, where nobody has asked it lately: then nothing is known.
    """
    long_ago = from_now(-dt.timedelta(seconds=settings.ALERT_PLATFORM_DOWN_SECONDS))
    silent = Balance.objects.exclude(error="").filter(answered_at__lt=long_ago, tried_at__gt=from_now(-ASKED_LATELY))
    return silent.values_list("answered_at", flat=True).first()


def may_spend(*, ask: bool = True) -> bool:
    """Say whether the balance is known to be at BALANCE_FLOOR at least.

    What isn't known is not enough. Without a floor nothing is asked, and everything may be spent.

    Args:
        ask: whether the platform is asked now where the balance isn't known.
    """
    if not settings.BALANCE_FLOOR:
        return True
    if ask and not _told_lately().exists():
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
