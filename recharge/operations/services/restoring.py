"""Putting a restored database in order, so that nothing is paid twice that was paid after the backup was made."""

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from oilcards.services import restoring as cards
from portal import platform
from recharge.batches.services import managing
from recharge.choices import BatchEventKind, BatchState, PortalEventKind
from recharge.core.events import record_of_portal
from recharge.fulfilment.services import transitions
from recharge.limits.services import accounts, restore_guard
from recharge.models import Account, Batch, BatchDraft, BatchEvent

UNFINISHED = (BatchState.MAKING, BatchState.AWAITING_APPROVAL, BatchState.CANARY, BatchState.RUNNING, BatchState.PAUSED)


def put_in_order(*, actor: User | None = None, dry_run: bool = False) -> dict[str, int]:
    """Make of a restored database one from which orders may be pushed again, in one transaction.

    Whatever was not sent when the backup was made may have been sent since: it becomes unknown, and only the platform's
    answers tell. What was dead may have been placed again. Batches are over, and uploads may be batches by now. A card
    that was not added may have been added since. Everybody signs in again, so that no form from before is sent once
    more: the order that it made is in no row.

    Args:
        actor: the person; None at the command line.
        dry_run: whether everything is taken back at the end, and only the numbers are told.

    Returns:
        How many orders become unknown, are asked about and are no longer replaceable, how many batches are ended, how
        many uploads are forgotten, how many cards are in doubt, and how many sessions end.

    Raises:
        OSError, kombu.exceptions.OperationalError: the place beside the database can't be reached; nothing was done.
    """
    with transaction.atomic(durable=True):
        numbers = transitions.doubt_all(account=_pushed_under())
        numbers["batches"] = _end_batches()
        numbers["drafts"] = BatchDraft.objects.all().delete()[1].get(BatchDraft._meta.label, 0)
        numbers["cards"] = cards.doubt_all()
        numbers["sessions"] = Session.objects.all().delete()[0]
        if dry_run:
            transaction.set_rollback(True)
        else:
            note = ", ".join(f"{name}: {number}" for name, number in numbers.items())
            record_of_portal(PortalEventKind.RESTORED, actor=actor, note=note)
            restore_guard.open_again()
    return numbers


def _end_batches() -> int:
    unfinished = list(Batch.objects.filter(state__in=UNFINISHED).values_list("pk", flat=True))
    note = _("Its orders may have been sent since the backup was made: they are asked about one by one.")
    BatchEvent.objects.bulk_create(
        BatchEvent(batch_id=batch_id, kind=BatchEventKind.RESTORED, note=note) for batch_id in unfinished
    )
    for batch in Batch.objects.filter(state=BatchState.MAKING):
        managing.stop_making(batch)
    left = Batch.objects.filter(pk__in=unfinished, state__in=UNFINISHED)
    left.update(state=BatchState.HANDED_OVER, brake="", braked_at=None)
    return len(unfinished)


def _pushed_under() -> Account:
    """Return the account that orders were pushed under, if they were: that of the settings, if the backup trusts it.

    Else the last one that it trusts: another account's "no such order" proves nothing, and these stay apart from it.
    """
    here = accounts.current() if platform.is_configured() else None
    if here and here.confirmed_at:
        return here
    return Account.objects.filter(confirmed_at__isnull=False).order_by("-confirmed_at").first() or accounts.current()
