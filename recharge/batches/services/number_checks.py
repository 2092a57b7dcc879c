"""Asking the platform about the numbers of a list, in the background: nothing is placed by it, nothing waits for it.

A worker goes on with the oldest list for some seconds, then the next message does. What it has got is written with its
position in one UPDATE, under a lease: where it dies, the next one goes on there, and what was answered is in the cache.
In an outage of the platform all of it waits.
"""

import datetime as dt
import json
import time
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.celery import closing
from portal.kit.database import from_now
from portal.sheets import ColumnsUnsure, UnreadableSheet
from recharge.choices import Product
from recharge.core import queue
from recharge.core.events import clean
from recharge.limits.services import number_asking, outages, pacing
from recharge.models import Batch, BatchDraft, NumberCheck, Order
from recharge.numbers.services import known

from .reading import all_lines, open_draft, packed, unpacked

LEASE = dt.timedelta(seconds=60)
"""After this long without progress its worker counts as dead: some lines may each wait for two answers."""

WORKS_FOR = 10.0
"""Seconds, after which other work gets its turn."""

LATER = dt.timedelta(seconds=20)
"""After which a list is looked at again whose columns nobody has named yet."""

AT_A_TIME = 200
"""Lines of which is looked up together what the platform said lately."""

SILENT_AT_MOST = 5
"""Lines in a row without an answer after which it stops asking."""

NAMED_AT_MOST = 500
PROBLEM_LIMIT = 300
TURN_WITHIN = 0.3
"""Seconds: a line takes no turn that is further off, so that no order queues behind a list."""

FIGURES = ("position", "ported", "unable", "against", "unanswered", "named", "silent")

log = structlog.get_logger(__name__)

Line = tuple[int, str, int, int]
"""Its number, the phone number, value and speed."""


class _Overtaken(Exception):
    """The list is gone or a batch, was asked for anew, or somebody else is at it."""


def begin(draft: BatchDraft) -> None:
    """Let the platform be asked about the numbers of a list, from the start, where it is asked at all.

    What was answered lately is not asked again. In the caller's transaction.
    """
    NumberCheck.objects.filter(draft=draft).delete()
    if draft.product == Product.MOBILE and number_asking.is_on():
        NumberCheck.objects.create(draft=draft, language=translation.get_language() or settings.LANGUAGE_CODE)
        transaction.on_commit(queue.check_numbers_soon, robust=True)


def check_of(draft: BatchDraft) -> NumberCheck | None:
    """Return how far asking about a list has got, None where nobody is asked."""
    return NumberCheck.objects.defer("to_ask").filter(draft=draft).first()


def check_of_batch(batch: Batch) -> NumberCheck | None:
    """Return what the platform had said about a batch's numbers when it was made, None where nobody was asked."""
    return NumberCheck.objects.defer("to_ask").filter(batch=batch).first()


def hand_over(draft: BatchDraft, batch: Batch) -> None:
    """Let what was said of a list stay with the batch that it becomes, in the caller's transaction; asking ends."""
    NumberCheck.objects.filter(draft=draft).update(
        draft=None, batch=batch, to_ask="", lease_until=None, finished_at=Coalesce("finished_at", Now())
    )


def is_waiting() -> bool:
    """Say whether a list is to be asked about that nobody is at, while the platform can be reached."""
    return NumberCheck.objects.filter(_free(), finished_at=None).exists() and not outages.is_on()


def check_waiting() -> None:
    """Go on with the lists that wait for it, the oldest first, for some seconds; then leave it to the next message."""
    over = time.monotonic() + WORKS_FOR
    while not closing.is_set() and time.monotonic() < over and not outages.is_on() and (check := _take_up()):
        try:
            with translation.override(check.language):
                _go_on(check, over)
        except _Overtaken:
            log.info("number_check_overtaken", draft=str(check.draft_id))
    if not closing.is_set() and is_waiting():
        queue.check_numbers_soon()


def _take_up() -> NumberCheck | None:
    waiting = NumberCheck.objects.filter(_free(), finished_at=None, draft__isnull=False)
    oldest = waiting.order_by("asked_at", "pk").values_list("pk", flat=True).first()
    if not oldest or not waiting.filter(pk=oldest).update(lease_until=from_now(LEASE), attempts=F("attempts") + 1):
        return None
    return NumberCheck.objects.select_related("draft").filter(pk=oldest).first()


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _go_on(check: NumberCheck, over: float) -> None:
    if not check.to_ask and not _read(check):
        return
    lines: list[Line] = [tuple(line) for line in json.loads(unpacked(check.to_ask))]
    while check.position < check.total and check.silent < SILENT_AT_MOST:
        if time.monotonic() > over or closing.is_set() or outages.is_on():
            return _write(check, lease_until=None)
        try:
            _ask(check, lines[check.position : check.position + AT_A_TIME], over)
        except number_asking.NoSuchCall:
            return _finish(check, problem=_("The platform has no such call."))
    problem = ""
    if check.position < check.total:
        problem = _("The platform gave no answer several times in a row, so that it is asked no further.")
    return _finish(check, problem=problem)


def _read(check: NumberCheck) -> bool:
    """Read which lines there are to ask about; return whether that can be said already."""
    assert check.draft
    try:
        lines = list(_lines_of(check.draft))
    except ColumnsUnsure:
        _write(check, lease_until=from_now(LATER))
        return False
    except UnreadableSheet as refusal:
        _finish(check, problem=clean(str(refusal), PROBLEM_LIMIT))
        return False
    check.to_ask, check.total = packed(json.dumps(lines).encode()), len(lines)
    _write(check, to_ask=check.to_ask, total=check.total, lease_until=from_now(LEASE))
    return True


def _lines_of(draft: BatchDraft) -> Iterator[Line]:
    for line in all_lines(draft, open_draft(draft), find_others=False):
        if line.order and not line.copy:
            yield line.row.line, line.order.mobile, line.order.face_value, line.order.speed


def _ask(check: NumberCheck, lines: list[Line], over: float) -> None:
    """Ask about some lines, as many as there is time for; whatever was asked is told before the next one is."""
    orders = [Order(mobile=mobile, face_value=value, speed=speed) for _line, mobile, value, speed in lines]
    infos, offers = known.infos(order.mobile for order in orders), known.offers(orders)
    for (line, mobile, *_rest), order in zip(lines, orders, strict=True):
        heard = number_asking.Heard(infos.get(mobile), offers.get(known.offer_of(order)))
        if number_asking.lacks_something(heard):
            if time.monotonic() > over:
                break
            if not pacing.wait_within(TURN_WITHIN):
                time.sleep(TURN_WITHIN / 3)
                break
            _count(check, line, _paced(order))
            _tell(check)
            if check.silent >= SILENT_AT_MOST:
                break
        else:
            _count(check, line, heard)
    _tell(check)


def _tell(check: NumberCheck) -> None:
    """Say how far it has got, and that somebody is still at it."""
    _write(check, lease_until=from_now(LEASE), **{name: getattr(check, name) for name in FIGURES})


def _paced(order: Order) -> number_asking.Heard:
    began = time.monotonic()
    heard = number_asking.ask_patiently(order)
    if settings.NUMBER_ASKS_PER_SECOND:
        time.sleep(max(0.0, 1 / settings.NUMBER_ASKS_PER_SECOND - (time.monotonic() - began)))
    return heard


def _count(check: NumberCheck, line: int, heard: number_asking.Heard) -> None:
    check.position += 1
    check.silent = check.silent + 1 if heard.unanswered else 0
    check.unanswered += heard.unanswered
    check.ported += bool(heard.info and heard.info.ported)
    if doubt := known.doubt_of(heard.info, heard.offer):
        check.against += 1
        check.unable += doubt.key == known.UNABLE
        if len(check.named) < NAMED_AT_MOST:
            check.named.append([line, doubt.message])


def _finish(check: NumberCheck, *, problem: str) -> None:
    _write(check, finished_at=timezone.now(), lease_until=None, problem=problem, to_ask="")


def _write(check: NumberCheck, **columns: object) -> None:
    mine = NumberCheck.objects.filter(
        pk=check.pk, attempts=check.attempts, asked_at=check.asked_at, finished_at=None, draft__isnull=False
    )
    if not mine.update(**columns):
        raise _Overtaken
