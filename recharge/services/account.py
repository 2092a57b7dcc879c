"""The prepaid balance at the platform, as it was told last."""

import datetime as dt

from django.utils import timezone

from portal import platform
from portal.database import release_connection
from portal.gateway import GatewayError
from recharge.models import Balance

from . import pacing, queue

REFRESH_WHILE_SPENDING = dt.timedelta(seconds=10)


def refresh_balance_soon() -> None:
    """Let a worker ask for the balance if nobody has lately; batches spend a lot within a minute."""
    if not Balance.objects.filter(tried_at__gt=timezone.now() - REFRESH_WHILE_SPENDING).exists():
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
        Balance.objects.update_or_create(pk=1, defaults={"error": str(error)[:300], "tried_at": timezone.now()})
    else:
        now = timezone.now()
        Balance.objects.update_or_create(
            pk=1, defaults={"amount": account.balance, "told_at": now, "tried_at": now, "error": ""}
        )
