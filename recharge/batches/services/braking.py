"""What a batch does by itself: its first orders go ahead, it stops where something looks wrong, and it ends."""

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import BatchEventKind, BatchState, Brake, Submission
from recharge.core.events import record_of_batch
from recharge.core.phone_numbers import masked
from recharge.limits.services import outages
from recharge.models import UNDER_WAY, Balance, Batch, Order

WINDOW = 20
"""How many of a batch's latest orders are judged together."""


def look_at(*, batch_id: int) -> None:
    """Continue, pause or end a batch under way, as its orders require. Idempotent.

    Args:
        batch_id: the batch's primary key.
    """
    batch = Batch.objects.under_way().filter(pk=batch_id).first()
    if batch is None:
        return
    brake = _why_brake(batch)
    if brake:
        _pull(batch, brake)
    elif batch.state == BatchState.CANARY:
        _look_at_canary(batch)
    elif not _has_more(batch):
        _move(batch, BatchState.HANDED_OVER, BatchEventKind.HANDED_OVER)


def look_at_all() -> None:
    """Check every batch under way: the safety net for workers that died before they could."""
    for batch_id in Batch.objects.under_way().order_by("pk").values_list("pk", flat=True):
        look_at(batch_id=batch_id)


def _look_at_canary(batch: Batch) -> None:
    """What an outage swallowed says nothing about the list: others go ahead in its place once that is over."""
    first = Order.objects.filter(batch=batch, line__lte=batch.canary_until)
    lost = first.filter(outages.lost()).count()
    ahead = list(first.exclude(outages.lost()).values_list("submission", flat=True))
    if not {Submission.QUEUED, Submission.SUBMITTING, Submission.ACCEPTED}.issuperset(ahead):
        _pull(batch, Brake.CANARY)
    elif lost and (outages.is_suspected() or _send_others_ahead(batch, settings.BATCH_CANARY - len(ahead))):
        return
    elif all(submission == Submission.ACCEPTED for submission in ahead):
        _move(batch, BatchState.RUNNING, BatchEventKind.CANARY_PASSED)


def blames_only_an_outage(batch: Batch) -> bool:
    """Say whether none of the first orders failed but those that an outage swallowed."""
    first = Order.objects.filter(batch=batch, line__lte=batch.canary_until)
    fine = Q(submission__in=(Submission.QUEUED, Submission.SUBMITTING, Submission.ACCEPTED))
    return first.filter(outages.lost()).exists() and not first.exclude(fine | outages.lost()).exists()


def _send_others_ahead(batch: Batch, missing: int) -> bool:
    """Let so many more orders go ahead; False where there are no others."""
    waiting = Order.objects.filter(batch=batch, line__gt=batch.canary_until, submission=Submission.QUEUED)
    others = list(waiting.order_by("line").values_list("line", flat=True)[: max(missing, 0)])
    ahead = Batch.objects.filter(pk=batch.pk, state=BatchState.CANARY, canary_until=batch.canary_until)
    return bool(others) and ahead.update(canary_until=others[-1]) == 1


def _why_brake(batch: Batch) -> Brake | None:
    if not batch.waits and (brake := outages.why_not_spend()):
        return brake
    answered = Order.objects.filter(batch=batch, submitted_at__gte=batch.judged_from)
    answered = answered.exclude(submission__in=[Submission.QUEUED, Submission.SUBMITTING]).exclude(outages.lost())
    latest = list(answered.order_by("-submitted_at", "-id").values_list("submission", flat=True)[:WINDOW])
    refused = next((n for n, kind in enumerate(latest) if kind != Submission.REJECTED), len(latest))
    if settings.BRAKE_REJECTIONS and refused >= settings.BRAKE_REJECTIONS:
        return Brake.REJECTIONS
    if settings.BRAKE_UNKNOWNS and latest.count(Submission.UNKNOWN) >= settings.BRAKE_UNKNOWNS:
        return Brake.UNKNOWNS
    return None


def _has_more(batch: Batch) -> bool:
    """Ask for both by one statement: between two, an order that comes back to the queue would be seen by neither."""
    queued, under_way = (
        Exists(Order.objects.filter(batch=batch, submission=submission))
        for submission in (Submission.QUEUED, Submission.SUBMITTING)
    )
    return Batch.objects.filter(queued | under_way, pk=batch.pk).exists()


def _pull(batch: Batch, brake: Brake) -> None:
    with transaction.atomic(durable=True):
        under_way = Batch.objects.filter(pk=batch.pk, state__in=UNDER_WAY)
        if under_way.update(state=BatchState.PAUSED, brake=brake, braked_at=Now()):
            record_of_batch(batch, BatchEventKind.BRAKED, note=_note(batch, brake))


def _note(batch: Batch, brake: Brake) -> str:
    if brake == Brake.BALANCE:
        balance = Balance.objects.get()
        figures = {"amount": f"{balance.amount:,.2f}", "floor": f"{settings.BALANCE_FLOOR:,}"}
        return _("%(reason)s: ¥ %(amount)s, the least is ¥ %(floor)s") % {"reason": brake.label, **figures}
    if brake == Brake.BALANCE_UNKNOWN:
        return f"{brake.label}: {_why_unknown()}"
    if brake == Brake.REJECTIONS:
        refused = Order.objects.filter(batch=batch).exclude(refusal="").order_by("-submitted_at").first()
        return f"{brake.label}: {_without_number(refused)}" if refused else str(brake.label)
    return str(brake.label)


def _why_unknown() -> str:
    balance = Balance.objects.get()
    if balance.told_at is None:
        said = _("the platform has never told it")
    else:
        said = _("told last at %(at)s") % {"at": timezone.localtime(balance.told_at).strftime("%Y-%m-%d %H:%M")}
    return f"{said}; {balance.error}" if balance.error else said


def _without_number(refused: Order) -> str:
    """Read by everybody who may see batches, including those who may not see numbers."""
    return refused.refusal.replace(refused.mobile or "\n", masked(refused.mobile))


def _move(batch: Batch, state: BatchState, kind: BatchEventKind) -> None:
    with transaction.atomic(durable=True):
        if Batch.objects.filter(pk=batch.pk, state=batch.state).update(state=state):
            record_of_batch(batch, kind)
