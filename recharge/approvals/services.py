"""A second pair of eyes: what is above APPROVAL_ABOVE goes out only after another person has approved it."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recharge.choices import BatchEventKind, BatchState, EventKind, PortalEventKind, Submission
from recharge.core import queue
from recharge.core.errors import NotReplaceable, NotYours, Outdated, TooLate
from recharge.core.events import clean, record_of_batch, record_of_portal
from recharge.core.locking import lock, lock_batch
from recharge.fulfilment.services import transitions
from recharge.fulfilment.services.replacing import explain, hold_all_with_living_original, living_attempt, proofs
from recharge.fulfilment.services.transitions import Change
from recharge.limits.services import approval, spending
from recharge.models import PROVABLY_UNSPENT, Batch, Order

REASON_LIMIT = 200

DECIDED = gettext_lazy("awaits no approval any more")
OWN = gettext_lazy("is your own: another person has to approve it")
OF_SECOND_SELF = gettext_lazy(
    "was placed by somebody whom you added, or whose password or second factors you set or took away in the last 30 "
    "days: another person has to approve it"
)
READ_ALONE = gettext_lazy("replaces an order whose money has not come back: open it and read the proof")


def approve_order(*, order_id: int, actor: User, reason: str = "", proof_seen: int = 0) -> Order:
    """Queue an order that awaits approval.

    Args:
        order_id: the order's primary key; it is a single order.
        actor: the approver, anybody but who placed it.
        reason: what the approver has to say, for the timeline.
        proof_seen: the event by which the approver knows that what it replaces failed; 0 where none is needed.

    Raises:
        Outdated: it needs a proof, and this isn't the one.
        NotYours: the approver placed it, or may be able to sign in as who did.
        TooLate: it awaits no approval (any more), or it is part of a batch.
        LimitReached: it doesn't fit into what may be spent today.
        NotReplaceable: what it replaces is alive after all.
    """
    with transaction.atomic(durable=True):
        order = _awaiting(order_id, actor)
        _require_original_dead(order)
        proven = proofs(order)
        if proven and proven[-1].event.pk != proof_seen:
            raise Outdated
        change = Change(order)
        change.queue()
        order.approved_by = actor
        order.proof = proven[-1].event if proven else None
        named = [_("Proof: %(proof)s") % {"proof": proof} for proof in proven[::-1]]
        note = " · ".join([*filter(None, [clean(reason, REASON_LIMIT)]), *named])
        change.record(EventKind.APPROVED, actor=actor, note=note)
        _note(PortalEventKind.APPROVED, order, actor, reason)
        queue.send_on_commit(queue.SUBMIT, order.pk)
    return order


def require_decider(thing: Order | Batch, actor: User) -> None:
    """Make sure that somebody may decide about what another person placed; permissions are another matter.

    Raises:
        NotYours: he placed it, or may be able to sign in as who did.
    """
    if isinstance(thing, Batch):
        own, words = thing.made_by, _("You made this batch yourself: another person has to approve it.")
    else:
        own, words = thing.placed_by, _("You placed this order yourself: another person has to approve it.")
    if own.pk == actor.pk:
        raise NotYours(words)
    approval.require_another(own, actor)


def require_approvable(thing: Order | Batch) -> None:
    """Make sure that it could be approved now, for a page that says so beforehand: what is decided asks once more.

    Raises:
        NotReplaceable: what the order replaces is alive after all.
        LimitReached: it doesn't fit into what may be spent today.
    """
    if isinstance(thing, Batch):
        waiting = Order.objects.filter(batch=thing, submission=Submission.AWAITING_APPROVAL)
        person, amount = thing.made_by, waiting.aggregate(money=Sum("face_value"))["money"] or 0
    else:
        _require_original_dead(thing)
        person, amount = thing.placed_by, thing.face_value
    spending.require_left(person=person, amount=amount)


def left_out(orders: list[Order], actor: User) -> dict[int, str | Promise]:
    """Return which orders can't be decided together with others, by their keys, and why not.

    Args:
        orders: what was chosen.
        actor: who decides; nobody decides about what he placed, or may have placed under another name.
    """
    chains = {order.first_attempt_id for order in orders if order.first_attempt_id}
    others = Order.objects.filter(Q(pk__in=chains) | Q(first_attempt__in=chains)).exclude(PROVABLY_UNSPENT)
    alive = {(pk, first or pk) for pk, first in others.values_list("pk", "first_attempt")}
    selves = approval.second_selves({order.placed_by for order in orders}, actor)
    reasons: dict[int, str | Promise] = {}
    for order in orders:
        if order.submission != Submission.AWAITING_APPROVAL or order.batch_id:
            reasons[order.pk] = DECIDED
        elif order.placed_by_id == actor.pk:
            reasons[order.pk] = OWN
        elif order.placed_by_id in selves:
            reasons[order.pk] = OF_SECOND_SELF
        elif any(chain == order.first_attempt_id and pk != order.pk for pk, chain in alive):
            reasons[order.pk] = READ_ALONE
    return reasons


def disapprove_order(*, order_id: int, actor: User, reason: str) -> Order:
    """Withdraw an order that awaits approval; errors as in `approve_order`."""
    with transaction.atomic(durable=True):
        order = _awaiting(order_id, actor)
        change = Change(order)
        change.withdraw()
        change.record(EventKind.DISAPPROVED, actor=actor, note=clean(reason, REASON_LIMIT))
        _note(PortalEventKind.DISAPPROVED, order, actor, reason)
    return order


def approve_batch(*, batch_id: int, actor: User, reason: str = "") -> Batch:
    """Queue the orders of a batch that awaits approval.

    Args:
        batch_id: the batch's primary key.
        actor: the approver, anybody but who made it.
        reason: what the approver has to say, for the timeline.

    Raises:
        NotYours: the approver made it, or may be able to sign in as who did.
        TooLate: it awaits no approval (any more).
        LimitReached: it doesn't fit into what may be spent today.
    """
    with transaction.atomic(durable=True):
        batch = _batch_awaiting(batch_id, actor)
        batch.state = BatchState.RUNNING if batch.canary_until is None else BatchState.CANARY
        batch.approved_by = actor
        batch.save(update_fields=["state", "approved_by"])
        orders = Order.objects.filter(batch=batch, submission=Submission.AWAITING_APPROVAL)
        # Some may have been withdrawn; from here on none can be.
        waiting = orders.select_for_update(of=("self",)).order_by("pk")
        total = sum(waiting.values_list("face_value", flat=True))
        day = spending.count(person=batch.made_by, amount=total)
        transitions.queue_all(orders, approved_by=actor, counted_on=day)
        hold_all_with_living_original(Order.objects.filter(batch=batch))
        record_of_batch(batch, BatchEventKind.APPROVED, actor=actor, note=reason)
        _note(PortalEventKind.APPROVED, batch, actor, reason)
    return batch


def disapprove_batch(*, batch_id: int, actor: User, reason: str) -> Batch:
    """Withdraw a batch that awaits approval, with all its orders; errors as in `approve_batch`."""
    with transaction.atomic(durable=True):
        batch = _batch_awaiting(batch_id, actor)
        batch.state = BatchState.DISAPPROVED
        batch.save(update_fields=["state"])
        orders = Order.objects.filter(batch=batch, submission=Submission.AWAITING_APPROVAL)
        transitions.withdraw_all(orders, EventKind.DISAPPROVED, actor=actor)
        record_of_batch(batch, BatchEventKind.DISAPPROVED, actor=actor, note=reason)
        _note(PortalEventKind.DISAPPROVED, batch, actor, reason)
    return batch


def _note(kind: PortalEventKind, thing: Order | Batch, actor: User, reason: str) -> None:
    """Write the decision down for auditors, who look for decisions among all orders."""
    money = thing.face_value if isinstance(thing, Order) else thing.total
    record_of_portal(kind, actor=actor, about=thing, note=reason, details={"yuan": money})


def _require_original_dead(order: Order) -> None:
    if living := living_attempt(order, may_have_failed=True):
        raise NotReplaceable(explain(living))


def _awaiting(order_id: int, actor: User) -> Order:
    order = lock(order_id)
    if order.submission != Submission.AWAITING_APPROVAL or order.batch_id:
        raise TooLate(_("This order awaits no approval any more."))
    require_decider(order, actor)
    return order


def _batch_awaiting(batch_id: int, actor: User) -> Batch:
    batch = lock_batch(batch_id)
    if batch.state != BatchState.AWAITING_APPROVAL:
        raise TooLate(_("This batch awaits no approval any more."))
    require_decider(batch, actor)
    return batch
