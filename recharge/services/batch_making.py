"""Making a batch: all of its orders in one transaction, or none, and once however often the form is sent."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import NOT_PROVIDED, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import platform
from recharge.choices import BatchEventKind, BatchState, EventKind, Submission
from recharge.models import Batch, BatchDraft, Order, OrderQuerySet
from recharge.status import Status

from . import spending
from .batch_reading import batches_of_same_file, lines, target
from .database import lock_batch
from .errors import BadLines, NotConfigured, NothingToPlace, ReasonNeeded
from .events import clean, record_of_all, record_of_batch
from .placing import PROVEN_DEAD, lock_all_targets, may_have_spent, needs_approval, new_order_no

AT_A_TIME = 1000
REASON_LIMIT = 200


def make_batch(*, draft: BatchDraft, made_by: User, leave_out_bad: bool = False, reason: str = "") -> Batch:
    """Place an order for each line of a draft; they are on their way when this returns, or await approval.

    Args:
        draft: the sheet.
        made_by: the person.
        leave_out_bad: whether lines that can't be placed are left out; else one of them is an error.
        reason: why what looks suspicious is right: duplicates, or the same file once more.

    Returns:
        The batch; the one that the draft was made into before, where it was.

    Raises:
        NotConfigured: the platform's credentials are not set.
        UnreadableSheet: the sheet can't be read (any more).
        BadLines: some lines can't be placed.
        ReasonNeeded: something looks suspicious, and no reason is given.
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
        _place(batch, _orders(draft, leave_out_bad=leave_out_bad, reason=batch.reason))
        BatchDraft.objects.filter(pk=draft.pk).delete()
    return batch


def make_again(*, batch_id: int, made_by: User, nonce: uuid.UUID) -> Batch:
    """Place anew what is proven to have failed in a batch: each of the new orders replaces a dead one.

    Args:
        batch_id: the batch with the failed orders.
        made_by: the person.
        nonce: names the form that was sent; the same form makes one batch.

    Returns:
        The new batch; the one that the same form made before, where it did.

    Raises:
        NotConfigured: the platform's credentials are not set.
        NothingToPlace: nothing failed for certain, or all of it was placed anew already.
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
        _place(batch, _replacements(old))
    return batch


def failed_orders(batch: Batch) -> OrderQuerySet:
    """Return the orders of a batch that were sent and are proven to have spent nothing, and that none replaces yet."""
    sent = Q(submission__in=[Submission.REJECTED, Submission.NOT_RECEIVED]) | Q(status=Status.REFUNDED)
    return Order.objects.filter(PROVEN_DEAD, sent, batch=batch, replaced_by=None)


def _require_platform() -> None:
    if not platform.is_configured():
        raise NotConfigured


def _orders(draft: BatchDraft, *, leave_out_bad: bool, reason: str) -> Iterator[Order]:
    for line in lines(draft):
        if line.order is None:
            if not leave_out_bad:
                raise BadLines(_("Line %(line)d can't be placed: %(problem)s") % _named(line.row.line, line.problem))
            continue
        if line.doubts:
            if not reason:
                raise ReasonNeeded(
                    _("Line %(line)d looks suspicious: %(problem)s If that is meant, say why.")
                    % _named(line.row.line, line.doubts[0])
                )
            line.order.duplicate_reason = reason
        yield line.order


def _named(line: int, problem: str) -> dict[str, object]:
    return {"line": line, "problem": problem}


def _replacements(old: Batch) -> Iterator[Order]:
    """Yield an order in the place of each failed one, but for those whose target has got the same meanwhile."""
    failed = failed_orders(old).select_for_update(of=("self",)).order_by("id")
    pieces = iter(list(failed))
    line = 0
    while piece := list(islice(pieces, AT_A_TIME)):
        same = Q(mobile__in=[order.mobile for order in piece if order.mobile])
        same |= Q(oil_card__in=[order.oil_card_id for order in piece if order.oil_card_id])
        taken = {target(order) for order in may_have_spent(Order.objects.filter(same))}
        for dead in piece:
            if target(dead) in taken:
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
            )


def _place(batch: Batch, orders: Iterable[Order]) -> None:
    """Save the batch and its orders, queued, or awaiting approval from the moment that their sum asks for it."""
    batch.state, batch.size, batch.total = BatchState.RUNNING, 1, 1  # until they are known
    batch.save(force_insert=True)
    placed = Order.objects.filter(batch=batch)
    now, day = timezone.now(), timezone.localdate()
    size = total = 0
    ahead: list[int | None] = []
    remaining = iter(orders)
    while piece := list(islice(remaining, AT_A_TIME)):
        size += len(piece)
        total += sum(order.face_value for order in piece)
        ahead += [order.line for order in piece[: settings.BATCH_CANARY - len(ahead)]]
        if needs_approval(total) and batch.state == BatchState.RUNNING:
            batch.state = BatchState.AWAITING_APPROVAL
            placed.update(submission=Submission.AWAITING_APPROVAL, next_push_at=None, counted_on=None)
        for order in piece:
            order.batch, order.placed_by, order.order_no = batch, batch.made_by, new_order_no()
            if batch.state == BatchState.RUNNING:
                order.submission, order.next_push_at, order.counted_on = Submission.QUEUED, now, day
            else:
                order.submission = Submission.AWAITING_APPROVAL
        _insert(piece)
    if not size:
        raise NothingToPlace(_("There is nothing that could be placed."))
    batch.size, batch.total = size, total
    batch.canary_until = ahead[-1] if 0 < len(ahead) < size else None
    after = Submission.AWAITING_APPROVAL
    if batch.state == BatchState.RUNNING:
        after = Submission.QUEUED
        spending.count(person=batch.made_by, amount=total)
        batch.state = BatchState.RUNNING if batch.canary_until is None else BatchState.CANARY
    batch.save(update_fields=["size", "total", "canary_until", "state"])
    record_of_all(placed, EventKind.PLACED, actor=batch.made_by, submission_to=after, placed=True)
    record_of_batch(batch, BatchEventKind.MADE, actor=batch.made_by, note=batch.reason)


VARYING = (
    "order_no",
    "mobile",
    "oil_card_id",
    "face_value",
    "speed",
    "switch_channel",
    "channel",
    "line",
    "note",
    "duplicate_reason",
    "replaces_id",
)
"""The columns, numbers and texts, in which the orders of a piece differ."""


def _insert(orders: list[Order]) -> None:
    """Insert some orders that are alike but for VARYING.

    `bulk_create` sends each of some 45 columns of every row as a parameter of its own, and takes ten times as long.
    """
    alike = {
        str(field.column): field.get_db_prep_save(getattr(orders[0], field.attname), connection)
        for field in Order._meta.concrete_fields
        if field.attname not in VARYING and field.db_default is NOT_PROVIDED and not field.primary_key
    }
    alike = {column: value for column, value in alike.items() if value is not None}
    into = f"INSERT INTO {Order._meta.db_table} ({', '.join([*VARYING, *alike])})"
    rows = [attrgetter(*VARYING)(order) for order in orders]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_type_of(name)}[]" for name in VARYING)
            cursor.execute(
                f"{into} SELECT varying.*, {_places(alike)} FROM unnest({arrays}) varying",  # noqa: S608  (no values)
                [*alike.values(), *map(list, zip(*rows, strict=True))],
            )
        else:
            cursor.executemany(
                f"{into} VALUES ({_places(VARYING)}, {_places(alike)})", [(*row, *alike.values()) for row in rows]
            )


def _places(names: Iterable[str]) -> str:
    return ", ".join("%s" for _ in names)


def _type_of(name: str) -> str:
    field = next(field for field in Order._meta.concrete_fields if field.attname == name)
    return str(field.db_type(connection)).partition("(")[0]  # without a length, to which a cast would cut texts
