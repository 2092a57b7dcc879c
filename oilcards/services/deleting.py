"""Deleting a card at the platform. Its row, its history and its orders stay, and its number may be added anew.

Asking twice for the same deletion does no harm, so an unanswered one may be repeated, or looked into by comparing.
"""

import time

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from oilcards.choices import CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard
from portal import platform
from portal.gateway import GatewayError, Rejected

from . import sync
from .availability import has_open_orders
from .checking import given_reason
from .errors import OpenOrders, TooLate
from .events import record
from .heuristics import means_no_such_card


def delete_card(*, card_id: int, actor: User) -> OilCard:
    """Delete a card at the platform and take it out of the book; one that was never added just leaves the book.

    Args:
        card_id: the card's primary key.
        actor: the person.

    Returns:
        The card: DELETED, UNKNOWN, or as it was, with a `problem`, where the platform refused.

    Raises:
        NotConfigured: the platform's credentials are not set.
        OpenOrders: orders of the card are open.
        TooLate: the card can't be deleted now.
    """
    sync.expire_leases(card_id=card_id)
    if OilCard.objects.filter(pk=card_id, state=State.ADD_FAILED).exists():
        return _leave_book(card_id, [State.ADD_FAILED], EventKind.DISCARDED, actor, "")
    sync.require_platform()
    started = time.monotonic()
    with transaction.atomic(durable=True):
        before = sync.lock(card_id)
        if not can_delete(before):
            raise TooLate(_("This card can't be deleted now."))
        if has_open_orders(before):
            raise OpenOrders
        card = sync.begin(before, CardAction.DELETE, actor=actor)
    return _hand_over(card, actor, started, before=before)


def declare_deleted(*, card_id: int, reason: str, actor: User) -> OilCard:
    """Take a card out of the book that a person has seen to be gone from the platform.

    Args:
        card_id: the card's primary key; its deletion is unknown, or it differs from the platform.
        reason: how the person knows.
        actor: the person.

    Raises:
        ReasonMissing: no reason was given.
        OpenOrders: orders of the card are open.
        TooLate: the card isn't in such a state.
    """
    sync.expire_leases(card_id=card_id)
    states = [State.UNKNOWN, State.CHANGE_FAILED]
    return _leave_book(card_id, states, EventKind.DECLARED_DELETED, actor, given_reason(reason))


def can_delete(card: OilCard) -> bool:
    """Say whether the card can be deleted at the platform, or discarded where it never got there."""
    return card.state in (State.ACTIVE, State.CHANGE_FAILED, State.ADD_FAILED) or (
        card.state == State.UNKNOWN and card.action in (CardAction.CHANGE, CardAction.DELETE)
    )


def can_declare_deleted(card: OilCard) -> bool:
    """Say whether a person's word is enough that the platform doesn't have the card any more."""
    return card.state == State.CHANGE_FAILED or (card.state == State.UNKNOWN and card.action == CardAction.DELETE)


def _leave_book(card_id: int, states: list[State], kind: EventKind, actor: User, note: str) -> OilCard:
    with transaction.atomic(durable=True):
        card = sync.lock(card_id)
        if card.state not in states or (kind == EventKind.DECLARED_DELETED and not can_declare_deleted(card)):
            raise TooLate(_("This card can't be deleted now."))
        if has_open_orders(card):
            raise OpenOrders
        left = OilCard.objects.filter(pk=card.pk, state=card.state, version=card.version).update(
            state=State.DELETED, action="", problem="", changed_by=actor, changed_at=Now()
        )
        if not left:
            raise TooLate(_("Somebody else has changed this card in the meantime."))
        record(card, kind, actor=actor, note=note, state_from=card.state, state_to=State.DELETED)
    return OilCard.objects.get(pk=card_id)


def _hand_over(card: OilCard, actor: User, started: float, *, before: OilCard) -> OilCard:
    number = card.platform_card_id or ""
    try:
        answer = sync.exchange(
            "delete_card", lambda: platform.client().delete_oil_card(card_id=number), started=started
        )
    except GatewayError as error:
        if isinstance(error, Rejected) and means_no_such_card(error):
            note = f"{error.code} {error.message}"
            end = sync.End(State.DELETED, CardVerdict.APPLIED, note, error.raw)
        else:
            end = _not_deleted(error, before)
    else:
        end = sync.End(State.DELETED, CardVerdict.APPLIED, answer.message, answer.raw)
    return sync.finish(card, end, actor=actor)


def _not_deleted(error: GatewayError, before: OilCard) -> sync.End:
    """The platform certainly did nothing, or nobody knows. What was unclear before is so still."""
    was = State(before.state)
    end = sync.failure(error, otherwise=was if was == State.ACTIVE else State.CHANGE_FAILED)
    if was == State.UNKNOWN and end.state != State.UNKNOWN:
        return sync.End(State.UNKNOWN, end.verdict, end.note, end.raw, action=CardAction(before.action))
    return end
