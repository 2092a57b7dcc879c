"""The restore guard: nothing is pushed from a database that was restored, until a person has put it in order.

A token stands in the database and beside it, and is replaced every few seconds while orders are pushed. Whoever takes
an order up has seen both agree, and the claim's own WHERE asks for the very token that was seen. A restored database
brings back an older token, which nobody can have seen beside it.

What stays: a backup taken within the seconds of one token, and restored before the next one, looks like the database
that was running.
"""

import datetime as dt
import secrets
import threading
import time

import structlog
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.db.models import Exists
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal import generations
from portal.kit.database import from_now
from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal
from recharge.models import Generation, Order

SEEN_FOR = 10.0
"""Seconds for which a process goes on without looking again."""

NEVER = float("-inf")
ADVANCED_EVERY = dt.timedelta(seconds=10)
TRUSTED_FOR = 60.0
"""Seconds for which a process goes on with what it has seen while a place can't be read or written."""
CLOSED_AFTER = 30.0
"""Seconds for which other processes may put back what a broker has lost, before the guard is closed for everybody."""

log = structlog.get_logger(__name__)


class _Seen:
    """What this process has seen for itself: the token on which database and places agreed, and when."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.forget()

    def forget(self) -> None:
        self.token: str | None = None
        self.at = NEVER
        self.missing_since: float | None = None
        self.read_at = NEVER


_seen = _Seen()


def token() -> str | None:
    """Return the token under which orders may be taken up now; None where nothing may be pushed."""
    with _seen.lock:
        if _seen.token is not None and time.monotonic() - _seen.at < SEEN_FOR:
            return _seen.token
        return look_again()


def look_again() -> str | None:
    """Do the same without relying on what was seen before: another process may have replaced the token."""
    with _seen.lock:
        _seen.at = NEVER
        try:
            with transaction.atomic():
                row = _row(locked=True)
                if not row.is_open:
                    _seen.forget()
                    return None
                trouble = _compare(row)
        except OperationalError:  # another process holds the lock, and may be frozen
            row, trouble = _row(), _("another process holds it")
        if trouble is not None:
            return _do_without(row, trouble)
        if _seen.at == NEVER:
            _miss(row)
            return None
        _settle()
        return _seen.token


def open_for(seen: str) -> Exists:
    """Return the condition under which anything may be pushed, for the WHERE of what takes orders up.

    Args:
        seen: what `token` returned.
    """
    return Exists(Generation.objects.filter(is_open=True, token=seen))


def closed() -> Generation | None:
    """Return the generation while nothing is pushed because of it, None while it is open."""
    return Generation.objects.exclude(is_open=True, closed_because="").first()


def advance() -> None:
    """Replace the token now, so that whatever backup was just made holds an older one."""
    Generation.objects.filter(pk=1).update(advanced_at=from_now(-2 * ADVANCED_EVERY))
    look_again()


def open_again() -> None:
    """Let orders be pushed from this database, in the caller's transaction, and from no other generation of it.

    Raises:
        OSError, kombu.exceptions.OperationalError: the place beside the database can't be reached.
    """
    new = _new_token()
    _row()
    for place in generations.places():
        place.keep_only(new)
    Generation.objects.filter(pk=1).update(
        token=new, advanced_at=Now(), is_open=True, closed_at=None, closed_because=""
    )
    _seen.forget()


def belong_together(*, actor: User | None, reason: str) -> None:
    """Open the guard without changing any order: a person knows that this database was not restored.

    Args:
        actor: the person; None at the command line.
        reason: how the person knows.
    """
    with transaction.atomic(durable=True):
        open_again()
        record_of_portal(PortalEventKind.BELONG_TOGETHER, actor=actor, note=reason)


def _row(*, locked: bool = False) -> Generation:
    rows = Generation.objects.select_for_update(nowait=True) if locked else Generation.objects.all()
    row = rows.filter(pk=1).first()
    if row is None:
        Generation.objects.bulk_create([Generation(pk=1)], ignore_conflicts=True)
        row = rows.get(pk=1)
    return row


def _compare(row: Generation) -> str | None:
    """Look at the places, and replace the token where it has stood for long enough, while the row is locked.

    The places change only under this lock: two processes that write the same file or queue at once would lose a token.

    Returns:
        Why a place can't be read or written; None where all could. `_seen` says whether they agree.
    """
    try:
        if not _agrees(row):
            return None
        new = _next(row)
    except Exception as error:
        log.warning("generation_not_compared", why=str(error))
        return str(error)
    if new:
        Generation.objects.filter(pk=1).update(token=new, advanced_at=Now(), closed_because="")
    elif row.closed_because:
        Generation.objects.filter(pk=1).update(closed_because="")
    _seen.token, _seen.at, _seen.missing_since, _seen.read_at = (
        new or row.token,
        time.monotonic(),
        None,
        time.monotonic(),
    )
    return None


def _agrees(row: Generation) -> bool:
    """Say whether database and places agree, or this process knows that they did and puts back what was lost.

    A database without a token is new, or was just brought to the version that has tokens. With orders in it, beside
    places that know of tokens, it is an old backup.
    """
    places = generations.places()
    if not row.token:
        return not (any(place.tokens() for place in places) and Order.objects.filter(claims__gt=0).exists())
    lacking = [place for place in places if row.token not in place.tokens()]
    if lacking and row.token != _seen.token:
        return False
    for place in lacking:  # a broker was emptied; the database is the one that this process has seen all along
        place.add(row.token)
    return True


def _next(row: Generation) -> str | None:
    """Write the next token to the places if it is time, before the database has it; None where it is not."""
    places = generations.places()
    stood_long = Generation.objects.filter(pk=1, advanced_at__lt=from_now(-ADVANCED_EVERY))
    if not places or (row.token and not stood_long.exists()):
        return None
    new = _new_token()
    for place in places:
        place.add(new)
    return new


def _settle() -> None:
    """Leave no other token beside the database than its own: a stale one would let an old backup pass, for ever."""
    try:
        with transaction.atomic():
            row = _row(locked=True)
            for place in generations.places():
                if row.token and place.tokens() != {row.token}:
                    place.keep_only(row.token)
    except Exception as error:
        log.warning("generation_not_settled", why=str(error))  # the next caller does it


def _do_without(row: Generation, trouble: str) -> str | None:
    """Keep the last result for a while if a place is out of reach; then nothing is pushed, and every page says why."""
    if row.token == _seen.token and time.monotonic() - _seen.read_at < TRUSTED_FOR:
        _seen.at = time.monotonic()
        return _seen.token
    why = _("What stands beside the database can't be read or written: %(why)s.") % {"why": trouble}
    Generation.objects.filter(pk=1, is_open=True).update(closed_because=why[:300])
    return None


def _miss(row: Generation) -> None:
    """Take up nothing; close the guard for everybody where no process has put back the token for some time."""
    now = time.monotonic()
    _seen.missing_since = _seen.missing_since or now
    if now - _seen.missing_since < CLOSED_AFTER:
        return
    why = _("The database was restored, or what stands beside it was lost: they don't belong together.")
    with transaction.atomic():
        open_still = Generation.objects.filter(pk=1, token=row.token, is_open=True)
        if open_still.update(is_open=False, closed_at=Now(), closed_because=why):
            record_of_portal(PortalEventKind.GUARD_CLOSED, note=why)
            log.error("restore_guard_closed")


def _new_token() -> str:
    return secrets.token_hex(8)
