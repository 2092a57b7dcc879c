"""Judging large lists: a worker reads each from its first to its last line, and keeps what would come of it.

A list is judged in one go, the oldest first. Where the process dies, its lease runs out and the next one begins anew.
What was judged says up to which order it knew of others: making a batch of it looks for those that came later.
"""

import datetime as dt
import json
from dataclasses import asdict
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from portal.celery import closing
from portal.kit.database import from_now
from portal.sheets import ColumnsUnsure, UnreadableSheet
from recharge.core import queue
from recharge.core.errors import StillReading
from recharge.core.events import clean
from recharge.core.totals import Totals
from recharge.models import BatchDraft, ListReading
from recharge.orders.services.placing import lock_all_targets

from .assembling import latest_key
from .columns.memory import said_before
from .list_reading import ReadList, layout_of, written
from .preview import Preview, ShownLine, TypedLine
from .reading import all_lines, open_draft, packed, unpacked

LEASE = dt.timedelta(seconds=90)
"""After this long without progress its worker counts as dead; an older workbook may take a minute to open."""

MAX_ATTEMPTS = 5
TOLD_EVERY = 1000
"""Lines after which it is told how far the judging has got."""

PROBLEM_LIMIT = 300

log = structlog.get_logger(__name__)


class JudgedList(NamedTuple):
    """What a worker found: the figures, the numbers of lines, and the key of the latest order that it knew of."""

    seen: Preview
    doubtful: list[int]
    bad: list[int]
    seen_until: int


class _Overtaken(Exception):
    """The list is gone, asked for anew, or somebody else is at it."""


def begin(draft: BatchDraft) -> None:
    """Leave a list to a worker, anew where one has judged it before; in the caller's transaction.

    Args:
        draft: the list; what is said of its lines is said in the language that is active.
    """
    ListReading.objects.filter(draft=draft).delete()
    ListReading.objects.create(draft=draft, language=translation.get_language() or settings.LANGUAGE_CODE)
    transaction.on_commit(queue.judge_soon, robust=True)


def begin_again(draft: BatchDraft) -> None:
    """Let a list be judged once more, unless that is under way."""
    with transaction.atomic():
        if not ListReading.objects.filter(draft=draft, judged_at=None).exists():
            begin(draft)


def reading_of(draft: BatchDraft) -> ListReading | None:
    """Return how far a list has got that is, or was, left to a worker; None where it is judged when it is looked at."""
    return ListReading.objects.defer("result").filter(draft=draft).first()


def ahead_of(reading: ListReading) -> int:
    """Return how many lists are judged before this one."""
    return ListReading.objects.filter(judged_at=None, asked_at__lt=reading.asked_at).count()


def is_waiting() -> bool:
    """Say whether a list is to be judged that nobody is at."""
    return ListReading.objects.filter(_free(), judged_at=None).exists()


def judged_preview(draft: BatchDraft) -> JudgedList | None:
    """Return what a worker found in a list; None where it is judged when it is looked at.

    Raises:
        StillReading: the worker isn't through, or a person has to say something first.
        UnreadableSheet: the list can't be read.
    """
    reading = ListReading.objects.filter(draft=draft).first()
    if reading is None:
        return None
    if reading.problem:
        raise UnreadableSheet(reading.problem)
    if not reading.result or reading.seen_until is None:
        raise StillReading
    kept = json.loads(unpacked(reading.result))
    return JudgedList(_restored(kept["preview"]), kept["doubtful"], kept.get("bad", []), reading.seen_until)


def judge_waiting() -> None:
    """Judge the lists that wait for it, the oldest first, unless another worker is working on them."""
    while not closing.is_set() and (reading := _take_up()):
        try:
            with translation.override(reading.language):
                _judge(reading)
        except _Overtaken:
            log.info("reading_overtaken", draft=str(reading.pk))


def _take_up() -> ListReading | None:
    unfinished = ListReading.objects.filter(judged_at=None)
    oldest = unfinished.order_by("asked_at", "pk").values_list("pk", flat=True).first()
    mine = unfinished.filter(_free(), pk=oldest)
    if not mine.update(lease_until=from_now(LEASE), attempts=F("attempts") + 1, lines=0):
        return None
    return ListReading.objects.select_related("draft").filter(pk=oldest).first()


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _judge(reading: ListReading) -> None:
    if reading.attempts > MAX_ATTEMPTS:
        return _finish(reading, problem=_("It failed several times; the log says why."))
    with transaction.atomic(durable=True):
        lock_all_targets()
        reading.seen_until = latest_key()
    try:
        found = _opened(reading.draft)
        if found is None:
            return _finish(reading, asks_columns=True)
        result = _read(reading, found)
    except UnreadableSheet as refusal:
        return _finish(reading, problem=clean(str(refusal), PROBLEM_LIMIT))
    kept = packed(json.dumps(result, ensure_ascii=False).encode())
    return _finish(reading, seen_until=reading.seen_until, result=kept)


def _opened(draft: BatchDraft) -> ReadList | None:
    """Open a list, by what was said of the last one of its shape; None where a person has to say it."""
    try:
        return open_draft(draft)
    except ColumnsUnsure as question:
        chosen = said_before(question, product=draft.product, value_for_all=draft.value_for_all)
        if chosen is None:
            return None
    draft.columns = written(chosen)
    if not BatchDraft.objects.filter(pk=draft.pk, columns__isnull=True).update(columns=draft.columns):
        raise _Overtaken  # a person has just said it
    return open_draft(draft)


def _read(reading: ListReading, found: ReadList) -> dict[str, Any]:
    """Return what is kept of a list: its figures, and the numbers of its doubtful and of its bad lines."""
    seen = Preview(product=reading.draft.product, layout=found.layout, notice=found.notice)
    doubtful, bad = list[int](), list[int]()
    for count, line in enumerate(all_lines(reading.draft, found), start=1):
        seen.add(line)
        if line.order and line.doubts:
            doubtful.append(line.number)
        elif line.order is None and not line.is_chatter:
            bad.append(line.number)
        if count % TOLD_EVERY == 0:
            _tell(reading, count)
    return {"preview": asdict(seen), "doubtful": doubtful, "bad": bad}


def _tell(reading: ListReading, lines: int) -> None:
    """Say how far it has got; where the process is being ended, leave it to the next one."""
    _write(reading, lines=lines, lease_until=Now() if closing.is_set() else from_now(LEASE))
    if closing.is_set():
        raise _Overtaken


def _finish(reading: ListReading, **found: object) -> None:
    _write(reading, judged_at=Now(), lease_until=None, **found)


def _write(reading: ListReading, **columns: object) -> None:
    mine = ListReading.objects.filter(
        pk=reading.pk, asked_at=reading.asked_at, attempts=reading.attempts, judged_at=None
    )
    if not mine.update(**columns):
        raise _Overtaken


def _restored(kept: dict[str, Any]) -> Preview:
    """Return a preview as it was before it was kept as JSON."""
    seen = Preview(product=kept["product"], notice=kept["notice"], digest=kept.get("digest", ""))  # not of older ones
    seen.layout = layout_of(kept["layout"]) if kept["layout"] else None
    for name in ("good", "suspicious"):
        setattr(seen, name, Totals(**kept[name]))
    for name in ("bad", "typed", "chatter", "read_freely", "with_quantity", "of_quantities"):
        setattr(seen, name, kept[name])
    seen.groups = {
        group: {int(value): Totals(**totals) for value, totals in values.items()}
        for group, values in kept["groups"].items()
    }
    seen.bad_lines = [ShownLine(**line) for line in kept["bad_lines"]]
    seen.suspicious_lines = [ShownLine(**line) for line in kept["suspicious_lines"]]
    seen.typed_lines = [TypedLine(**line) for line in kept["typed_lines"]]
    return seen
