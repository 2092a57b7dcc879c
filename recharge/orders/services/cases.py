"""What people agree about an order that needs one of them: who looks after it, until when, and what they found.

None of this changes what is true of the order. Every step is in its history, under the lock of the order.
"""

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit.wording import person
from recharge.choices import EventKind
from recharge.core.errors import InvalidOrder, Outdated, TooLate
from recharge.core.events import NOTE_LIMIT, clean, record
from recharge.core.locking import lock
from recharge.fulfilment.services.privacy import hiding
from recharge.models import Case, Order

FARTHEST = dt.timedelta(days=90)
"""A case that is put off for longer is forgotten."""


def take(*, order_id: int, actor: User) -> Order:
    """Make a case one's own, so that two people don't work on it.

    Args:
        order_id: the order's primary key.
        actor: the person.

    Raises:
        TooLate: nothing about the order needs a person, or somebody else looks after it.
    """
    with transaction.atomic(durable=True):
        order, case = _lock(order_id)
        if case.assignee_id == actor.pk:
            return order
        if case.assignee:
            taken = _("%(person)s looks after it already. It can be handed over.")
            raise TooLate(taken % {"person": person(case.assignee)})
        case.assignee = actor
        _save(case)
        record(order, EventKind.TAKEN, actor=actor)
    return order


def hand_over(*, order_id: int, actor: User, to: User, note: str) -> Order:
    """Assign a case to somebody, whoever had it before.

    Args:
        order_id: the order's primary key.
        actor: the person who hands it over.
        to: the person who gets it.
        note: what he should know; may be empty.

    Raises:
        TooLate: nothing about the order needs a person.
        InvalidOrder: that person may not work on orders.
    """
    if not (to.is_active and to.has_perm("recharge.change_order")):
        raise InvalidOrder("to", _("This person may not work on orders."))
    with transaction.atomic(durable=True):
        order, case = _lock(order_id)
        case.assignee = to
        words = _kept(order, note)
        case.note = words or case.note
        _save(case)
        name = person(to)
        record(order, EventKind.HANDED_OVER, actor=actor, note=f"{name}: {words}" if words else name)
    return order


def add_note(*, order_id: int, actor: User, note: str) -> Order:
    """Record what was found; the latest note is shown on the desk.

    Args:
        order_id: the order's primary key.
        actor: the person.
        note: at most 300 characters.

    Raises:
        TooLate: nothing about the order needs a person.
    """
    with transaction.atomic(durable=True):
        order, case = _lock(order_id)
        case.note = _kept(order, note)
        _save(case)
        record(order, EventKind.NOTED, actor=actor, note=case.note)
    return order


def put_off(*, order_id: int, actor: User, until: dt.datetime, note: str) -> Order:
    """Keep a case off the desk until a moment; it comes back by itself.

    Args:
        order_id: the order's primary key.
        actor: the person.
        until: when it is to be looked at again, at most 90 days from now.
        note: why; may be empty.

    Raises:
        InvalidOrder: the moment is over, or too far away.
        TooLate: nothing about the order needs a person.
    """
    if not timezone.now() < until <= timezone.now() + FARTHEST:
        raise InvalidOrder("until", _("Choose a moment within the next 90 days."))
    with transaction.atomic(durable=True):
        order, case = _lock(order_id)
        words = _kept(order, note)
        case.look_again_at, case.note = until, words or case.note
        _save(case)
        at = f"{timezone.localtime(until):%Y-%m-%d %H:%M}"
        record(order, EventKind.PUT_OFF, actor=actor, note=f"{at}: {words}" if words else at)
    return order


def change_note(*, order_id: int, actor: User, note: str, seen: str) -> Order:
    """Change the note that the order was placed with; what it was before stays in the history.

    Args:
        order_id: the order's primary key.
        actor: the person.
        note: at most 200 characters; "" takes it away.
        seen: the note that the person was shown.

    Raises:
        Outdated: somebody else has changed it since.
    """
    with transaction.atomic(durable=True):
        order = lock(order_id)
        if order.note != seen:
            raise Outdated
        before, order.note = order.note, _kept(order, note)[:200]
        if order.note != before:
            order.save(update_fields=["note"])
            record(order, EventKind.NOTE_CHANGED, actor=actor, note=f"{before or '–'} → {order.note or '–'}")
    return order


def _lock(order_id: int) -> tuple[Order, Case]:
    """Return the order, locked, and its case, a new one where nobody has done anything about it."""
    order = lock(order_id)
    if not order.needs_a_person:
        raise TooLate(_("This order no longer needs attention."))
    case = Case.objects.select_related("assignee").filter(order=order).first()
    return order, case or Case(order=order)


def _save(case: Case) -> None:
    case.changed_at = timezone.now()
    case.save()


def _kept(order: Order, note: str) -> str:
    """Return what is kept of a person's words: of an oil card, nothing that names its holder."""
    hide = hiding(order)
    words = note.strip()
    return clean(hide(words) if hide else words, NOTE_LIMIT)
