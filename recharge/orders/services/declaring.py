"""Orders that the platform doesn't find by our number: what the vendor says of them, by two persons."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import EventKind, PortalEventKind, Submission
from recharge.core.errors import NotYours, TooLate
from recharge.core.events import clean, record, record_of_portal, require_all_seen
from recharge.core.locking import lock
from recharge.fulfilment.services.checking import has_shown_life
from recharge.fulfilment.services.privacy import hiding
from recharge.fulfilment.services.scheduling import CHECK_DELAYS
from recharge.fulfilment.services.transitions import Change
from recharge.limits.services import approval
from recharge.models import Declaration, Order

WORDS_LIMIT = 1000


def declarable_from(order: Order) -> dt.datetime:
    """Return from when on it makes sense that the vendor denies an order: what is slow may arrive yet."""
    return (order.submitted_at or order.placed_at) + dt.timedelta(hours=settings.DECLARE_AFTER_HOURS)


def can_declare(order: Order) -> bool:
    """Say whether somebody may declare now that the vendor confirms that the order never arrived."""
    return order.submission == Submission.UNKNOWN and timezone.now() >= declarable_from(order)


def declare(*, order_id: int, actor: User, words: str) -> Declaration:
    """Declare that the vendor confirms that an order never arrived; nothing changes before a second person agrees.

    Args:
        order_id: the order's primary key.
        actor: the person.
        words: what the vendor said, at most 1,000 characters.

    Raises:
        TooLate: its fate is known, it is too early, it is declared already, or the platform has spoken of it.
    """
    with transaction.atomic(durable=True):
        order = lock(order_id)
        require_declarable(order)
        if order.declarations.filter(decided_at=None).exists():
            raise TooLate(_("This was declared already; a second person has to decide."))
        hide = hiding(order)
        said = clean(hide(words) if hide else words, WORDS_LIMIT).strip()
        record(order, EventKind.DECLARED, actor=actor, note=said)
        return Declaration.objects.create(order=order, words=said, declared_by=actor)


def decide(*, declaration_id: int, actor: User, agrees: bool, last_seen: int, reason: str = "") -> Order:
    """Agree with a declaration, so that the order counts as never arrived, or disagree.

    Args:
        declaration_id: its primary key.
        actor: anybody but who declared it.
        agrees: whether the person agrees.
        last_seen: the last event of the order that the person was shown.
        reason: what there is to say about it.

    Raises:
        NotYours: the person declared it.
        TooLate: it is decided, or the order's fate is known meanwhile, or the platform has spoken of it.
        Outdated: something has happened to the order since it was shown.
    """
    found = Declaration.objects.only("order_id").get(pk=declaration_id)
    with transaction.atomic(durable=True):
        order = lock(found.order_id)
        declaration = Declaration.objects.get(pk=declaration_id)
        if declaration.decided_at:
            raise TooLate(_("This declaration is decided already."))
        require_decider(declaration, actor)
        require_all_seen(order, last_seen)
        change = Change(order)
        if agrees:
            require_declarable(order)
            change.declare_void()
            order.next_check_at = (
                timezone.now() + CHECK_DELAYS[-1]
            )  # checked once more: the platform may have found it meanwhile
        declaration.decided_by, declaration.decided_at, declaration.agreed = actor, timezone.now(), agrees
        declaration.save(update_fields=["decided_by", "decided_at", "agreed"])
        change.record(EventKind.AGREED if agrees else EventKind.DISAGREED, actor=actor, note=reason)
        said = PortalEventKind.APPROVED if agrees else PortalEventKind.DISAPPROVED
        record_of_portal(said, actor=actor, about=order, note=reason, details={"declaration": declaration.pk})
    return order


def require_decider(declaration: Declaration, actor: User) -> None:
    """Make sure that somebody may decide about a declaration.

    Raises:
        NotYours: he declared it, or may be able to sign in as who did.
    """
    if declaration.declared_by_id == actor.pk:
        raise NotYours(_("You declared this yourself: another person has to agree."))
    approval.require_another(declaration.declared_by, actor)


def require_declarable(order: Order) -> None:
    """Make sure that an order may be declared never to have arrived.

    Raises:
        TooLate: its fate is known, it is too early, or the platform has spoken of it.
    """
    if not can_declare(order):
        raise TooLate(_("This order's fate is known, or it is too early to say that it never arrived."))
    if order.doubts or has_shown_life(order):
        raise TooLate(_("The platform has spoken of this order: it can't be declared never to have arrived."))
