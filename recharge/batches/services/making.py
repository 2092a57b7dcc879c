"""Making a batch: all of its orders or none, and once however often the form is sent.

A small one is made at once, in one transaction. A larger one is begun, and a worker makes it piece by piece. What a
worker has judged before isn't judged again here: the pieces look for what came since.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import platform
from recharge.choices import BatchEventKind, BatchState
from recharge.core import queue
from recharge.core.errors import BadLines, NotConfigured, NothingToPlace, Outdated, ReasonNeeded
from recharge.core.events import clean, record_of_batch
from recharge.core.locking import lock_batch
from recharge.limits.services.approval import needs_approval
from recharge.models import Batch, BatchDraft, BatchMaking
from recharge.orders.services.placing import lock_all_targets

from . import assembling, judging, number_checks
from .assembling import failed_orders
from .judging import JudgedList
from .list_reading import is_short
from .reading import Line, batches_of_same_file, digest_with, give_reason, lines, open_draft, warnings_of
from .scheduling import AT_ONCE, Schedule, hours_of
from .skipped_lines import SkippedLine

MADE_AT_ONCE = 1000
"""Orders that may come of a list that is made in one transaction, while the person waits."""

REASON_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person was shown of a list: how many orders would come of it, their money, in yuan, and their digest."""

    orders: int
    money: int
    digest: str


def make_batch(
    *,
    draft: BatchDraft,
    made_by: User,
    leave_out_bad: bool = False,
    reason: str = "",
    doubts_seen: int | None = None,
    shown: Shown | None = None,
    schedule: Schedule = AT_ONCE,
) -> Batch:
    """Place an order for each line of a draft.

    Those of a small one are on their way when this returns, or await approval; a larger one is being made by a worker.

    Args:
        draft: the sheet.
        made_by: the person.
        leave_out_bad: whether lines that can't be placed are left out; else one of them is an error.
        reason: why what looks suspicious is right: duplicates, or the same file once more.
        doubts_seen: of how many suspicious lines the person knew who gave the reason; None for any number of them.
        shown: what the person was shown, who wants just that; None for whatever comes of it.
        schedule: when it goes out.

    Returns:
        The batch; the one that the draft was made into before, where it was.

    Raises:
        NotConfigured: the platform's credentials are not set.
        StillReading: it isn't judged to its end.
        Outdated: other orders would come of it than the person was shown, or it is read otherwise by now.
        UnreadableSheet: the sheet can't be read (any more).
        BadLines: some lines can't be placed.
        ReasonNeeded: something looks suspicious, and no reason is given, or more than it was given for.
        NothingToPlace: no line can be placed.
        LimitReached: the total doesn't fit into what may be spent today.
    """
    _require_platform()
    said = _Said(made_by, leave_out_bad, clean(reason.strip(), REASON_LIMIT), doubts_seen, shown, schedule)
    if found := judging.judged_preview(draft):
        with transaction.atomic(durable=True):
            batch = _made_of(draft) or _begin_judged(draft, said, found)
        _leave_to_worker(batch)
        return batch
    if _is_small(draft):
        with transaction.atomic(durable=True):
            return _made_of(draft) or _make_at_once(draft, said)
    with transaction.atomic(durable=True):
        if made := _made_of(draft):
            return made
        _require_fresh(draft, said)
        seen_until = assembling.latest_key()
    judged = _judge(draft, said)
    with transaction.atomic(durable=True):
        made = _made_of(draft)
        if made is None:
            made = _begin(draft, said, judged, seen_until=seen_until)
            record_of_batch(made, BatchEventKind.BEGUN, actor=made_by)
    _leave_to_worker(made)
    return made


def make_again(*, batch_id: int, made_by: User, nonce: uuid.UUID, orders_seen: int, money_seen: int) -> Batch:
    """Place anew what is proven to have failed in a batch: each of the new orders replaces a dead one.

    The new batch keeps to the hours of the old one.

    Args:
        batch_id: the batch with the failed orders.
        made_by: the person.
        nonce: names the form that was sent; the same form makes one batch.
        orders_seen: how many failed orders the person was shown, 0 where nothing was.
        money_seen: how many yuan they came to.

    Returns:
        The new batch; the one that the same form made before, where it did.

    Raises:
        NotConfigured: the platform's credentials are not set.
        NothingToPlace: nothing failed for certain, or all of it was placed anew already.
        Outdated: it isn't as many orders, or not as much money, as the person was shown.
        LimitReached: the total doesn't fit into what may be spent today.
    """
    _require_platform()
    with transaction.atomic(durable=True):
        lock_all_targets()
        made = Batch.objects.filter(nonce=nonce).first()
        if made:
            return made
        old = lock_batch(batch_id)
        found = failed_orders(old).order_by().aggregate(orders=Count("pk"), money=Sum("face_value"))
        if (found["orders"], found["money"] or 0) != (orders_seen, money_seen):
            raise Outdated
        if not orders_seen:
            raise NothingToPlace(_("There is nothing that could be placed."))
        batch = Batch(
            nonce=nonce,
            product=old.product,
            file_name=old.file_name,
            reason=_("The failed ones of batch %(batch)d") % {"batch": old.pk},
            made_by=made_by,
            size=orders_seen,
            total=money_seen,
            **hours_of(old).columns(timezone.now()),
        )
        making = BatchMaking(again_of=old, awaits_approval=needs_approval(money_seen), seen_until=0)
        assembling.begin(batch, making)
        if orders_seen > MADE_AT_ONCE:
            record_of_batch(batch, BatchEventKind.BEGUN, actor=made_by)
        else:
            keys = list(failed_orders(old).order_by("pk").values_list("pk", flat=True))
            assembling.add_orders(batch, making, assembling.choose(batch, making, keys), position=keys[-1])
            assembling.finish(batch, making, [])
    _leave_to_worker(batch)
    return batch


def _leave_to_worker(batch: Batch) -> None:
    if batch.state == BatchState.MAKING:
        queue.assemble_soon()


def _require_platform() -> None:
    if not platform.is_configured():
        raise NotConfigured


@dataclass(frozen=True, slots=True)
class _Said:
    """What the person said who wants a batch."""

    made_by: User
    leave_out_bad: bool
    reason: str
    doubts_seen: int | None
    shown: Shown | None
    schedule: Schedule


@dataclass(slots=True)
class _Judged:
    """What a list comes to.

    `doubtful` and `bad` are numbers of lines. `kept` are the lines that are left out, as far as they are known,
    `left_out` how many.
    """

    orders: int = 0
    money: int = 0
    doubtful: list[int] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    left_out: int = 0
    kept: list[SkippedLine] = field(default_factory=list)
    digest: str = ""

    def take(self, line: Line) -> None:
        assert line.order
        self.orders += 1
        self.money += line.order.face_value
        self.digest = digest_with(self.digest, line.order, is_doubtful=bool(line.doubts))
        if line.doubts:
            self.doubtful.append(line.number)

    def leave_out(self, line: Line) -> None:
        self.left_out += 1
        self.bad.append(line.number)
        self.kept.append(SkippedLine(line.row.line, line.problem, line.row.cells))


def _is_small(draft: BatchDraft) -> bool:
    return is_short(open_draft(draft), MADE_AT_ONCE)


def _made_of(draft: BatchDraft) -> Batch | None:
    """Return the batch that a draft was made into before; from here on nobody else makes one of it."""
    lock_all_targets()
    return Batch.objects.filter(nonce=draft.pk).first()


def _make_at_once(draft: BatchDraft, said: _Said) -> Batch:
    """Make a small batch, all of it or nothing, in the caller's transaction, in which nobody else places any order."""
    _require_fresh(draft, said)
    judged, placed = _Judged(), list[Line]()
    for line in _placeable(draft, said, judged):
        judged.take(line)
        give_reason(line, said.reason)
        placed.append(line)
    batch = _begin(draft, said, judged, seen_until=0)
    making = batch.making
    orders = [line.order for line in placed if line.order]
    assembling.require_active(orders)
    assembling.add_orders(batch, making, orders, position=0, warnings=warnings_of(placed))
    assembling.finish(batch, making, judged.kept)
    return batch


def _begin_judged(draft: BatchDraft, said: _Said, found: JudgedList) -> Batch:
    """Begin a batch of what a worker has judged, in the caller's transaction; its pieces look for what came since."""
    _require_fresh(draft, said)
    seen, doubtful = found.seen, found.doubtful
    if seen.bad and not said.leave_out_bad:
        first = seen.bad_lines[0]
        raise BadLines(_("Line %(line)d can't be placed: %(problem)s") % _named(first.line, first.words[0]))
    if doubtful and not said.reason:
        first = seen.suspicious_lines[0]
        raise ReasonNeeded(_suspicious(first.line, first.words[0]))
    if said.doubts_seen is not None and len(doubtful) > said.doubts_seen:
        raise ReasonNeeded(_more_suspicious())
    check = number_checks.check_of(draft)
    if check and check.against and not said.reason:
        against = _("The platform speaks against %(lines)d lines. If they are to be placed all the same, say why.")
        raise ReasonNeeded(against % {"lines": check.against})
    if len(found.bad) != seen.bad:
        raise Outdated  # judged before its bad lines were kept
    placeable = seen.placeable
    judged = _Judged(placeable.orders, placeable.money, doubtful, found.bad, seen.bad, digest=seen.digest)
    batch = _begin(draft, said, judged, seen_until=found.seen_until)
    record_of_batch(batch, BatchEventKind.BEGUN, actor=said.made_by)
    return batch


def _judge(draft: BatchDraft, said: _Said) -> _Judged:
    judged = _Judged()
    for line in _placeable(draft, said, judged):
        judged.take(line)
    return judged


def _begin(draft: BatchDraft, said: _Said, judged: _Judged, *, seen_until: int) -> Batch:
    """Save the batch that a list will become, in the caller's transaction."""
    if not judged.orders:
        raise NothingToPlace(_("There is nothing that could be placed."))
    if said.shown and said.shown != Shown(judged.orders, judged.money, judged.digest):
        raise Outdated
    _require_fresh(draft, said)
    _require_unchanged(draft)
    batch = Batch(
        nonce=draft.pk,
        product=draft.product,
        file_name=draft.file_name,
        digest=draft.digest,
        reason=said.reason,
        made_by=said.made_by,
        size=judged.orders,
        total=judged.money,
        left_out=judged.left_out,
        **said.schedule.columns(timezone.now()),
    )
    making = BatchMaking(
        draft=draft,
        awaits_approval=needs_approval(judged.money),
        doubtful=judged.doubtful,
        bad=judged.bad,
        seen_until=seen_until,
    )
    assembling.begin(batch, making)
    number_checks.hand_over(draft, batch)
    return batch


def _require_fresh(draft: BatchDraft, said: _Said) -> None:
    if batches_of_same_file(draft) and not said.reason:
        raise ReasonNeeded(_("This same file has already been made into a batch. If that is intended, say why."))


def _require_unchanged(draft: BatchDraft) -> None:
    """Make sure that nobody has told meanwhile to read the list otherwise than it was judged."""
    read_by = BatchDraft.objects.select_for_update().filter(pk=draft.pk).values_list("columns", "quantities").first()
    if read_by and read_by != (draft.columns, draft.quantities):
        raise Outdated


def _placeable(draft: BatchDraft, said: _Said, judged: _Judged) -> Iterator[Line]:
    """Yield the lines with an order; bad lines are left out where the person said so, else one is an error."""
    doubts = 0
    for line in lines(draft):
        if line.order is None:
            if not said.leave_out_bad:
                raise BadLines(_("Line %(line)d can't be placed: %(problem)s") % _named(line.row.line, line.problem))
            judged.leave_out(line)
            continue
        if line.doubts:
            if not said.reason:
                raise ReasonNeeded(_suspicious(line.row.line, line.doubts[0]))
            doubts += 1
            if said.doubts_seen is not None and doubts > said.doubts_seen:
                raise ReasonNeeded(_more_suspicious())
        yield line


def _suspicious(line: int, problem: str) -> str:
    return _("Line %(line)d looks suspicious: %(problem)s If that is intended, say why.") % _named(line, problem)


def _more_suspicious() -> str:
    return _("More lines look suspicious than before. Look at them: are they right, too?")


def _named(line: int, problem: str) -> dict[str, object]:
    return {"line": line, "problem": problem}
