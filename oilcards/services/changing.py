"""Changing a card: the book holds what we want, the state says whether the platform has it too.

Sending the same values twice does no harm, so an unanswered change may be repeated, or looked into by comparing.
"""

import time

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from oilcards.choices import CardAction, CardVerdict, State
from oilcards.details import CardDetails
from oilcards.models import OilCard
from portal import platform
from portal.gateway import Acknowledgement, GatewayError
from portal.gateway import CardType as WireCardType

from . import sync
from .adding import columns
from .availability import refuse_another_identity
from .checking import checked, refuse_duplicate
from .errors import TooLate


def edit_card(
    *, card_id: int, details: CardDetails, version: int, actor: User, accept_warnings: bool = False
) -> OilCard:
    """Change a card in the book and at the platform. An active card whose values stay the same is left alone.

    Args:
        card_id: the card's primary key.
        details: all values as typed, changed or not.
        version: the version of the card that the person saw.
        actor: the person.
        accept_warnings: the person has seen what is unusual about the values, and means it.

    Returns:
        The card: ACTIVE, CHANGE_FAILED with a `problem`, or UNKNOWN.

    Raises:
        NotConfigured: the platform's credentials are not set.
        InvalidCard: values that can't be right.
        Doubtful: unusual values, and the warnings were not accepted.
        DuplicateCard: another card of the book has this number.
        HasOrders: number or type would change, and orders of the card show them.
        TooLate: the card can't be changed now, or was changed meanwhile.
    """
    sync.require_platform()
    details = checked(details, accept_warnings=accept_warnings)
    return _change(card_id=card_id, details=details, version=version, actor=actor, even_if_same=False)


def adopt_ours(*, card_id: int, version: int, actor: User) -> OilCard:
    """Give the platform our values, all of them, whatever it has: the one direction after a comparison.

    Args:
        card_id: the card's primary key.
        version: the version of the card that the person saw.
        actor: the person.

    Returns:
        The card: ACTIVE, CHANGE_FAILED with a `problem`, or UNKNOWN.

    Raises:
        NotConfigured: the platform's credentials are not set.
        TooLate: the card can't be changed now, or was changed meanwhile.
    """
    sync.require_platform()
    return _change(card_id=card_id, details=None, version=version, actor=actor, even_if_same=True)


def can_edit(card: OilCard) -> bool:
    """Say whether the card's values can be sent to the platform."""
    return card.state in (State.ACTIVE, State.CHANGE_FAILED) or (
        card.state == State.UNKNOWN and card.action == CardAction.CHANGE
    )


def _change(*, card_id: int, details: CardDetails | None, version: int, actor: User, even_if_same: bool) -> OilCard:
    sync.expire_leases(card_id=card_id)
    started = time.monotonic()
    try:
        with transaction.atomic(durable=True):
            card = sync.lock(card_id)
            if not can_edit(card) or card.version != version:
                raise TooLate(_("This card can't be changed now, or somebody else has changed it in the meantime."))
            wanted = details or card.details
            changed = card.details.changed_fields(wanted)
            if not changed and not even_if_same and card.state == State.ACTIVE:
                return card
            refuse_another_identity(card, changed)
            refuse_duplicate(wanted.card_number, but=card.pk)
            card = sync.begin(card, CardAction.CHANGE, actor=actor, changed_fields=changed, **columns(wanted))
    except IntegrityError:
        if details is not None:
            refuse_duplicate(details.card_number, but=card_id)
        raise
    return _hand_over(card, actor, started)


def _hand_over(card: OilCard, actor: User, started: float) -> OilCard:
    try:
        answer = sync.exchange("edit_card", lambda: _call(card), started=started)
    except GatewayError as error:
        return sync.finish(card, sync.failure(error, otherwise=State.CHANGE_FAILED), actor=actor)
    return sync.finish(card, sync.End(State.ACTIVE, CardVerdict.APPLIED, answer.message, answer.raw), actor=actor)


def _call(card: OilCard) -> Acknowledgement:
    details = card.details
    return platform.client().edit_oil_card(
        card_id=card.platform_card_id or "",
        card_number=details.card_number,
        holder_name=details.holder_name,
        holder_phone=details.holder_phone,
        national_id=details.national_id,
        card_type=WireCardType(details.card_type),
    )
