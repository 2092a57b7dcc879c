"""Noticing that a part of the portal is dead, from another one: the web pages look at the workers, these at the web.

Where both may be dead, `manage.py watchdog` looks at all of it, or somebody outside misses the calls of HEARTBEAT_URL.
"""

import threading
from collections.abc import Sequence

import requests
import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from portal.celery import closing
from portal.kit.database import release_connection
from portal.kit.patience import Session, within
from recharge.choices import AlertKind, Part
from recharge.models import Alert, Heartbeat
from recharge.operations.services import heartbeats

from . import delivering, rules
from .ringing import remind, ring
from .watching import Finding, ill_parts

LIMITS = (3.0, 5.0)
"""Seconds to connect, and between two pieces of an answer."""
IN_ALL = 15.0
"""Seconds after which an answer is no answer, however it goes on: one worker sends all alerts."""
EVERY = 30.0
"""Seconds between two looks of the web process."""

log = structlog.get_logger(__name__)


def start() -> None:
    """Look after the workers from a thread of this process; the first look comes once they have had time to start."""
    threading.Thread(target=_keep_watch, name="watchdog", daemon=True).start()


def stand_in() -> None:
    """Where the workers are dead, ring for what is wrong, and send what is owed in their place."""
    dead = heartbeats.dead_workers()
    if dead:
        _ring_for(dead)
    if any(row.part == Part.ALERTS for row in dead):
        delivering.deliver()


def look_at_all() -> list[str]:
    """Look at workers and web, ring for what is wrong, and send it from here.

    Returns:
        What is wrong, a line each; none where all parts are alive.

    Raises:
        DatabaseError: the database can't be reached, so that nothing could be rung.
    """
    web_is_alive = look_at_web()
    found = _ring_for(heartbeats.dead_workers())
    delivering.deliver()
    lines = [_line(finding) for finding in found]
    if not web_is_alive and not any(finding.kind == AlertKind.WEB for finding in found):
        lines.append(_("No answer from %(address)s") % {"address": f"{settings.PUBLIC_URL}/healthz"})
    return lines


def _ring_for(dead: Sequence[Heartbeat]) -> list[Finding]:
    delivering.read_channels()
    found = list(ill_parts(dead))
    for finding in found:
        ring(finding.kind, finding.key, since=finding.since, amount=finding.amount, **finding.data)
    remind(rules.all_rules(), {finding.kind for finding in found})
    return found


def _line(finding: Finding) -> str:
    since = _("since %(at)s") % {"at": f"{timezone.localtime(finding.since):%Y-%m-%d %H:%M:%S}"}
    return " · ".join([str(finding.kind.label), since, *(f"{name}: {value}" for name, value in finding.data.items())])


def look_at_web() -> bool:
    """Ask the web pages, by their public name, whether they are alive, and keep the answer; return it, too."""
    release_connection()
    alive = _answers(f"{settings.PUBLIC_URL}/healthz", b"ok")
    (heartbeats.beat if alive else heartbeats.miss)(Part.WEB)
    return alive


def call_heartbeat() -> None:
    """Call HEARTBEAT_URL while all parts of the portal work: a call that stays away is what rings there."""
    ill = Alert.objects.filter(over_at=None, kind__in=(AlertKind.STANDSTILL, AlertKind.WEB))
    if not settings.HEARTBEAT_URL or heartbeats.dead_workers() or ill.exists():
        return
    release_connection()
    if not _answers(settings.HEARTBEAT_URL):
        log.warning("heartbeat_not_delivered")  # the address is a secret


def _answers(url: str, text: bytes = b"") -> bool:
    try:
        with (
            within(IN_ALL),
            Session() as session,
            session.get(url, timeout=LIMITS, allow_redirects=False, stream=True) as response,
        ):
            return response.ok and not response.is_redirect and response.raw.read(len(text)) == text
    except (requests.RequestException, HTTPError, OSError):
        return False


def _keep_watch() -> None:
    pause = heartbeats.PATIENCE.total_seconds()
    while not closing.wait(pause):
        pause = EVERY
        try:
            stand_in()
        except Exception:  # a database that is away is told by /readyz; the thread must outlive it
            log.exception("watchdog_failed")
        finally:
            release_connection()
