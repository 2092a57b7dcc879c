"""Putting a batch together piece by piece, so that nobody who places an order waits for more than one piece of it.

Each piece is a transaction of its own, under a lock that all placing takes a share in: it looks for what was placed
since the list was judged, leaves that out, and inserts the rest. No order goes out before the batch is whole, since
every claim asks for the state of its batch. Where this process dies, the next one goes on after the last piece.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from oilcards.services.availability import lock_all_for_recharge
from portal.celery import closing
from portal.kit.database import from_now
from portal.sheets import UnreadableSheet
from recharge.choices import BatchEventKind, BatchState, Submission
from recharge.core.errors import BadLines, LimitReached, MoreThanShown, NothingToPlace
from recharge.core.events import record_of_batch
from recharge.core.locking import lock_batch
from recharge.fulfilment.services.transitions import ORIGINAL_UNSPENT
from recharge.limits.services import rules, slow_hold, spending
from recharge.limits.services.number_limits import NumberCounts
from recharge.models import PROVABLY_UNSPENT, Batch, BatchDraft, BatchMaking, Order, OrderQuerySet
from recharge.numbers.services import known
from recharge.orders.services.placing import first_attempt_of, lock_all_targets, new_order_no
from recharge.status import Status

from . import managing, skipped_lines
from .inserting import insert_orders, record_placed
from .reading import Line, all_lines, give_reason, lines, warnings_of
from .skipped_lines import SkippedLine

PLACED_AT_ONCE = 500 if connection.vendor == "postgresql" else 100
"""Orders of a piece: what a single order may have to wait for takes a tenth of a second."""

LEASE = dt.timedelta(seconds=30)
"""After this long without a piece its worker counts as dead."""

MAX_ATTEMPTS = 5
ROOM_FOR_OTHERS = 0.2
"""Seconds at least between two pieces on SQLite, whose waiting writers look again every tenth of a second."""

log = structlog.get_logger(__name__)


class _Overtaken(Exception):
    """The batch was withdrawn, or somebody else is at it."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines, or failed orders, up to a position; `choose` says under the lock which orders are made of them."""

    position: int
    choose: Callable[[Batch, BatchMaking], list[Order]]
    warnings: Mapping[str, list[int]] = field(default_factory=dict)


def failed_orders(batch: Batch) -> OrderQuerySet:
    """Return the orders of a batch that were sent and are proven to have spent nothing, and that none replaces yet."""
    sent = Q(submission__in=[Submission.REJECTED, Submission.NOT_RECEIVED]) | Q(status=Status.REFUNDED)
    return Order.objects.filter(PROVABLY_UNSPENT, ORIGINAL_UNSPENT, sent, batch=batch, replaced_by=None)


def latest_key() -> int:
    """Return the key of the latest order, in a transaction in which nobody else places any: all others come later."""
    return Order.objects.aggregate(latest=Max("pk"))["latest"] or 0


def begin(batch: Batch, making: BatchMaking) -> None:
    """Save a batch that is going to be made, with what is expected of it, in the caller's transaction.

    Raises:
        LimitReached: the whole of it doesn't fit into what may be spent today.
    """
    if not making.awaits_approval:
        spending.require_room(person=batch.made_by, amount=batch.total)
    batch.state = BatchState.MAKING
    batch.save(force_insert=True)
    making.batch = batch
    making.save(force_insert=True)


def add_orders(
    batch: Batch,
    making: BatchMaking,
    orders: list[Order],
    *,
    position: int,
    warnings: Mapping[str, list[int]] | None = None,
) -> None:
    """Place a piece of a batch, in the caller's transaction, and remember how far it has got.

    Args:
        batch: being made.
        making: how far it has got.
        orders: of the piece, by their lines.
        position: how far it has got with them.
        warnings: what rules had to say about numbers that the batch's reason was given for, and the orders' lines.

    Raises:
        LimitReached: it doesn't fit into what may be spent today; the caller's transaction must not go on.
        MoreThanShown: with it the batch would come to more than it was begun as.
    """
    money = sum(order.face_value for order in orders)
    if making.orders + len(orders) > batch.size or making.money + money > batch.total:
        raise MoreThanShown
    mine = BatchMaking.objects.filter(pk=batch.pk, position=making.position)
    further = {"position": position, "orders": making.orders + len(orders), "money": making.money + money}
    if not mine.update(**further, attempts=0, lease_until=from_now(LEASE)):
        raise _Overtaken
    making.position, making.orders, making.money = further.values()
    if not orders:
        return
    submission, counted_on, due = Submission.AWAITING_APPROVAL, None, None
    if not making.awaits_approval:
        submission, due = Submission.QUEUED, timezone.now()
        counted_on = spending.count(person=batch.made_by, amount=money)
    for order in orders:
        order.batch, order.placed_by, order.order_no = batch, batch.made_by, new_order_no()
        order.submission, order.next_push_at, order.counted_on = submission, due, counted_on
    known.describe(orders)
    insert_orders(orders)
    record_placed(batch, orders, warnings or {})


def finish(batch: Batch, making: BatchMaking, left_out: list[SkippedLine]) -> None:
    """Let a batch be whole, in the caller's transaction: from its commit on, its orders go out or can be approved.

    Raises:
        NothingToPlace: there is no order in it.
    """
    if not making.orders:
        raise NothingToPlace(_("There is nothing that could be placed."))
    first = Order.objects.filter(batch=batch).order_by("line").values_list("line", flat=True)
    ahead = list(first[: settings.BATCH_CANARY])
    batch.size, batch.total = making.orders, making.money
    batch.canary_until = ahead[-1] if 0 < len(ahead) < batch.size else None
    if making.awaits_approval:
        batch.state = BatchState.AWAITING_APPROVAL
    else:
        batch.state = BatchState.RUNNING if batch.canary_until is None else BatchState.CANARY
    batch.save(update_fields=["size", "total", "canary_until", "state"])
    skipped_lines.keep(batch, left_out)
    record_of_batch(batch, BatchEventKind.MADE, actor=batch.made_by, note=batch.reason)
    BatchMaking.objects.filter(pk=batch.pk).delete()
    if making.draft_id:
        BatchDraft.objects.filter(pk=making.draft_id).delete()


def assemble_waiting() -> None:
    """Go on with the batches that are being made, the oldest first, unless another worker is working on them."""
    while not closing.is_set() and (batch_id := _take_up()):
        try:
            _assemble(batch_id)
        except _Overtaken:
            log.info("batch_overtaken", batch=batch_id)
        except (LimitReached, MoreThanShown, NothingToPlace, UnreadableSheet) as error:
            managing.give_up(batch_id=batch_id, why=str(error))


def is_being_made() -> bool:
    """Say whether a batch is being made that nobody is at."""
    return BatchMaking.objects.filter(_free()).exists()


def choose(batch: Batch, making: BatchMaking, keys: list[int]) -> list[Order]:
    """Return an order in the place of each failed one whose target hasn't got the same meanwhile, nor is a lost card.

    While slow top-ups are held, none of them is chosen. What has failed since the batch was begun stays for another one
    where it would come to more orders or money with it.

    Args:
        batch: the new one.
        making: how far it has got.
        keys: of failed orders, in their order; in a transaction in which nobody else places any.
    """
    dead = failed_orders(making.again_of or batch).filter(pk__in=keys).order_by("id")
    piece = list(dead.select_for_update(of=("self",)).with_people_and_cards())
    taken = rules.earlier_ones(piece)
    later = rules.earlier_ones(piece, since=keys[0])  # perhaps placed instead, by hand or by another list
    lock_all_for_recharge(_cards_of(piece))
    counts = NumberCounts()
    counts.look_up(piece)
    held = slow_hold.is_on()
    room, money = batch.size - making.orders, batch.total - making.money
    chosen: list[Order] = []
    for old in piece:
        latest = later.get(rules.target(old))
        if rules.target(old) in taken or (latest and latest.pk > old.pk) or rules.problems(old):
            continue
        if len(chosen) == room or old.face_value > money:
            continue
        if (held and slow_hold.concerns(old)) or counts.take(old):
            continue
        money -= old.face_value
        chosen.append(_replacement(old, line=making.orders + len(chosen) + 1))
    return chosen


def require_active(orders: list[Order]) -> None:
    """Make sure that no card was deleted since its line was judged, and keep it from being deleted.

    Raises:
        BadLines: one is no longer active.
    """
    cards = _cards_of(orders)
    if lock_all_for_recharge(cards) != cards:
        raise BadLines(_("A card of this list has just been changed. Look at the list again."))


def _take_up() -> int | None:
    """Take up the oldest batch that is being made: two lists with the same numbers come one after the other."""
    oldest = BatchMaking.objects.order_by("pk").values_list("pk", flat=True).first()
    mine = BatchMaking.objects.filter(_free(), pk=oldest)
    taken = mine.update(lease_until=from_now(LEASE), attempts=F("attempts") + 1)
    return oldest if taken else None


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _assemble(batch_id: int) -> None:
    making = BatchMaking.objects.select_related("draft", "again_of", "batch__made_by").filter(pk=batch_id).first()
    if making is None:
        raise _Overtaken
    if making.attempts > MAX_ATTEMPTS:
        return managing.give_up(batch_id=batch_id, why=_("It failed several times; the log says why."))
    pieces = _pieces_of_list(making) if making.draft else _pieces_of_failed(making)
    for piece in pieces:
        began = time.monotonic()
        _place(making, piece)
        if closing.is_set():
            BatchMaking.objects.filter(pk=batch_id, position=making.position).update(lease_until=Now())
            return None
        if connection.vendor != "postgresql":
            time.sleep(max(ROOM_FOR_OTHERS, time.monotonic() - began))
    left_out = _left_out(making)
    with transaction.atomic(durable=True):
        finish(_locked(batch_id), making, left_out)


def _place(making: BatchMaking, piece: _Piece) -> None:
    with transaction.atomic(durable=True):
        lock_all_targets()
        batch = _locked(making.pk)
        orders = piece.choose(batch, making)
        add_orders(batch, making, orders, position=piece.position, warnings=piece.warnings)


def _locked(batch_id: int) -> Batch:
    batch = lock_batch(batch_id)
    if batch.state != BatchState.MAKING:
        raise _Overtaken
    return batch


def _pieces_of_list(making: BatchMaking) -> Iterator[_Piece]:
    """Yield the lines that are still to be placed, each judged by itself and by those above it.

    What was shown as bad is none of them, whatever is allowed by now: nobody has agreed to it.
    """
    assert making.draft
    judged = all_lines(making.draft, find_others=False, bad=set(making.bad))
    remaining = (line for line in judged if line.order and line.number > making.position)
    while piece := list(islice(remaining, PLACED_AT_ONCE)):
        yield _Piece(piece[-1].number, partial(_still_right, judged=piece), warnings_of(piece))


def _pieces_of_failed(making: BatchMaking) -> Iterator[_Piece]:
    while True:
        failed = failed_orders(making.again_of or making.batch).filter(pk__gt=making.position).order_by("pk")
        keys = list(failed.values_list("pk", flat=True)[:PLACED_AT_ONCE])
        if not keys:
            return
        yield _Piece(keys[-1], partial(choose, keys=keys))


def _still_right(batch: Batch, making: BatchMaking, judged: list[Line]) -> list[Order]:
    """Return the orders of some lines, but for those whose doubts nobody knew of when the reason was given."""
    orders = [line.order for line in judged if line.order]
    doubtful = set(making.doubtful)
    earlier = rules.earlier_ones(orders, besides=batch)
    active = lock_all_for_recharge(_cards_of(orders))
    counts = NumberCounts()
    counts.look_up(orders)
    held = slow_hold.is_on()
    chosen = []
    for line in judged:
        if line.order is None or (line.order.oil_card_id and line.order.oil_card_id not in active):
            continue
        if held and slow_hold.concerns(line.order):
            continue
        found = earlier.get(rules.target(line.order))
        if line.number in doubtful:
            give_reason(line, batch.reason, repeats=bool(found))
        elif found or line.doubts:
            continue
        if (found and found.pk > making.seen_until) or counts.take(line.order):
            continue
        chosen.append(line.order)
    return chosen


def _left_out(making: BatchMaking) -> list[SkippedLine]:
    """Return the lines of which no order was made: bad ones, and those that somebody else placed meanwhile."""
    batch, draft = making.batch, making.draft
    if draft is None or (making.orders == batch.size and not batch.left_out):
        return []
    placed = set(Order.objects.filter(batch=batch).values_list("line", flat=True))
    judged = lines(draft, besides=batch, bad=set(making.bad))
    return [_skipped(line) for line in judged if line.number not in placed]


def _skipped(line: Line) -> SkippedLine:
    why = line.problem or " ".join([_("Placed by somebody else while the batch was made."), *line.doubts])
    return SkippedLine(line.row.line, why, line.row.cells)


def _replacement(dead: Order, *, line: int) -> Order:
    return Order(
        product=dead.product,
        mobile=dead.mobile,
        oil_card_id=dead.oil_card_id,
        face_value=dead.face_value,
        speed=dead.speed,
        switch_channel=dead.switch_channel,
        channel=dead.channel,
        note=dead.note,
        purpose=dead.purpose,
        reference=dead.reference,
        line=line,
        replaces=dead,
        first_attempt_id=first_attempt_of(dead),
    )


def _cards_of(orders: Iterable[Order]) -> set[int]:
    return {order.oil_card_id for order in orders if order.oil_card_id}
