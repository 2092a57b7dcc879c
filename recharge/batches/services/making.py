"""Making a batch: all of its orders in one transaction, or none, and once however often the form is sent."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from oilcards.services.availability import lock_all_for_recharge
from portal import platform
from recharge.choices import BatchEventKind, BatchState, EventKind, Submission
from recharge.core.errors import BadLines, NotConfigured, NothingToPlace, Outdated, ReasonNeeded
from recharge.core.events import clean, record_of_all, record_of_batch
from recharge.core.locking import lock_batch
from recharge.fulfilment.services.transitions import ORIGINAL_UNSPENT
from recharge.limits.services import rules, spending
from recharge.limits.services.approval import needs_approval
from recharge.models import PROVABLY_UNSPENT, Batch, BatchDraft, Order, OrderQuerySet
from recharge.orders.services.placing import first_attempt_of, lock_all_targets, new_order_no
from recharge.status import Status

from . import skipped_lines
from .inserting import insert_orders
from .reading import batches_of_same_file, lines
from .skipped_lines import SkippedLine

PLACED_AT_ONCE = 1000
REASON_LIMIT = 200


def make_batch(
    *,
    draft: BatchDraft,
    made_by: User,
    leave_out_bad: bool = False,
    reason: str = "",
    doubts_seen: int | None = None,
) -> Batch:
    """Place an order for each line of a draft; they are on their way when this returns, or await approval.

    Args:
        draft: the sheet.
        made_by: the person.
        leave_out_bad: whether lines that can't be placed are left out; else one of them is an error.
        reason: why what looks suspicious is right: duplicates, or the same file once more.
        doubts_seen: of how many suspicious lines the person knew who gave the reason; None for any number of them.

    Returns:
        The batch; the one that the draft was made into before, where it was.

    Raises:
        NotConfigured: the platform's credentials are not set.
        UnreadableSheet: the sheet can't be read (any more).
        BadLines: some lines can't be placed.
        ReasonNeeded: something looks suspicious, and no reason is given, or more than it was given for.
        NothingToPlace: no line can be placed.
        LimitReached: the total doesn't fit into what may be spent today.
    """
    _require_platform()
    with transaction.atomic(durable=True):
        lock_all_targets()
        made = Batch.objects.filter(nonce=draft.pk).first()
        if made:
            return made
        if batches_of_same_file(draft) and not reason.strip():
            raise ReasonNeeded(_("A batch was made of this very file before. If that is meant, say why."))
        batch = Batch(
            nonce=draft.pk,
            product=draft.product,
            file_name=draft.file_name,
            digest=draft.digest,
            reason=clean(reason.strip(), REASON_LIMIT),
            made_by=made_by,
        )
        bad: list[SkippedLine] | None = [] if leave_out_bad else None
        _place(batch, _orders(draft, left_out=bad, reason=batch.reason, doubts_seen=doubts_seen))
        skipped_lines.keep(batch, bad or [])
        BatchDraft.objects.filter(pk=draft.pk).delete()
    return batch


def make_again(*, batch_id: int, made_by: User, nonce: uuid.UUID, orders_seen: int, money_seen: int) -> Batch:
    """Place anew what is proven to have failed in a batch: each of the new orders replaces a dead one.

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
        batch = Batch(
            nonce=nonce,
            product=old.product,
            file_name=old.file_name,
            reason=_("The failed ones of batch %(batch)d") % {"batch": old.pk},
            made_by=made_by,
        )
        _place(batch, _replacements(_failed_as_seen(old, orders_seen, money_seen)))
    return batch


def failed_orders(batch: Batch) -> OrderQuerySet:
    """Return the orders of a batch that were sent and are proven to have spent nothing, and that none replaces yet."""
    sent = Q(submission__in=[Submission.REJECTED, Submission.NOT_RECEIVED]) | Q(status=Status.REFUNDED)
    return Order.objects.filter(PROVABLY_UNSPENT, ORIGINAL_UNSPENT, sent, batch=batch, replaced_by=None)


def _require_platform() -> None:
    if not platform.is_configured():
        raise NotConfigured


def _orders(
    draft: BatchDraft, *, left_out: list[SkippedLine] | None, reason: str, doubts_seen: int | None
) -> Iterator[Order]:
    """Yield an order for each line; bad lines are added to `left_out`, or are an error where that is None."""
    doubts = 0
    for line in lines(draft):
        if line.order is None:
            if left_out is None:
                raise BadLines(_("Line %(line)d can't be placed: %(problem)s") % _named(line.row.line, line.problem))
            left_out.append(SkippedLine(line.row.line, line.problem, line.row.cells))
            continue
        if line.doubts:
            if not reason:
                raise ReasonNeeded(
                    _("Line %(line)d looks suspicious: %(problem)s If that is meant, say why.")
                    % _named(line.row.line, line.doubts[0])
                )
            doubts += 1
            if doubts_seen is not None and doubts > doubts_seen:
                raise ReasonNeeded(_("More lines look suspicious than before. Look at them: are they right, too?"))
            line.order.duplicate_reason = reason
        yield line.order


def _named(line: int, problem: str) -> dict[str, object]:
    return {"line": line, "problem": problem}


def _failed_as_seen(old: Batch, orders_seen: int, money_seen: int) -> list[int]:
    """Lock the failed orders, and return their keys where they are as many and as much as the person was shown."""
    failed = failed_orders(old).select_for_update(of=("self",)).order_by("id")
    values = dict(failed.values_list("pk", "face_value"))
    if (len(values), sum(values.values())) != (orders_seen, money_seen):
        raise Outdated
    return list(values)


def _replacements(failed: list[int]) -> Iterator[Order]:
    """Yield an order in the place of each failed one whose target hasn't got the same meanwhile, nor is a lost card."""
    remaining = iter(failed)
    line = 0
    while keys := list(islice(remaining, PLACED_AT_ONCE)):
        piece = list(Order.objects.filter(pk__in=keys).with_people_and_cards().order_by("id"))
        taken = rules.earlier_ones(piece)
        later = rules.earlier_ones(piece, since=keys[0])  # perhaps placed instead, by hand or by another list
        lock_all_for_recharge(_cards_of(piece))
        for dead in piece:
            latest = later.get(rules.target(dead))
            if rules.target(dead) in taken or (latest and latest.pk > dead.pk) or rules.problems(dead):
                continue
            line += 1
            yield Order(
                product=dead.product,
                mobile=dead.mobile,
                oil_card_id=dead.oil_card_id,
                face_value=dead.face_value,
                speed=dead.speed,
                switch_channel=dead.switch_channel,
                channel=dead.channel,
                note=dead.note,
                line=line,
                replaces=dead,
                first_attempt_id=first_attempt_of(dead),
            )


def _cards_of(orders: list[Order]) -> set[int]:
    return {order.oil_card_id for order in orders if order.oil_card_id}


def _require_active(piece: list[Order]) -> None:
    """Make sure that no card was deleted since its line was judged, and keep it from being deleted."""
    cards = _cards_of(piece)
    if lock_all_for_recharge(cards) != cards:
        raise BadLines(_("A card of this list has just been changed. Look at the list again."))


def _place(batch: Batch, orders: Iterable[Order]) -> None:
    """Save the batch and its orders, queued, or awaiting approval from the moment that their sum asks for it."""
    batch.state, batch.size, batch.total = BatchState.AWAITING_APPROVAL, 1, 1  # until they are known
    batch.save(force_insert=True)
    placed = Order.objects.filter(batch=batch)
    now, day = timezone.now(), timezone.localdate()
    submission, size, total = Submission.QUEUED, 0, 0
    ahead: list[int | None] = []
    remaining = iter(orders)
    while piece := list(islice(remaining, PLACED_AT_ONCE)):
        _require_active(piece)
        size += len(piece)
        total += sum(order.face_value for order in piece)
        ahead += [order.line for order in piece[: settings.BATCH_CANARY - len(ahead)]]
        if submission == Submission.QUEUED and needs_approval(total):
            submission = Submission.AWAITING_APPROVAL
            _let_await_approval(placed)
        for order in piece:
            order.batch, order.placed_by, order.order_no = batch, batch.made_by, new_order_no()
            order.submission = submission
            if submission == Submission.QUEUED:
                order.next_push_at, order.counted_on = now, day
        insert_orders(piece)
    if not size:
        raise NothingToPlace(_("There is nothing that could be placed."))
    batch.size, batch.total = size, total
    batch.canary_until = ahead[-1] if 0 < len(ahead) < size else None
    if submission == Submission.AWAITING_APPROVAL:
        batch.state = BatchState.AWAITING_APPROVAL
    else:
        counted_on = spending.count(person=batch.made_by, amount=total)
        if counted_on != day:  # midnight has passed meanwhile
            placed.update(counted_on=counted_on)
        batch.state = BatchState.RUNNING if batch.canary_until is None else BatchState.CANARY
    batch.save(update_fields=["size", "total", "canary_until", "state"])
    record_of_all(placed, EventKind.PLACED, actor=batch.made_by, submission_to=submission, placed=True)
    record_of_batch(batch, BatchEventKind.MADE, actor=batch.made_by, note=batch.reason)


def _let_await_approval(queued: OrderQuerySet) -> None:
    """Take out of the queue what was put there before the sum had grown so large."""
    queued.update(submission=Submission.AWAITING_APPROVAL, next_push_at=None, counted_on=None)
