"""Adding a card to the book and to the platform: each addition is sent at most once.

The platform makes two cards of a number that is added twice, so an unanswered addition is never repeated: it is
resolved by its id from the vendor's console, or by a person who declares that it never arrived (see resolving.py).
"""

import time

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from oilcards.choices import BUSY, CardAction, CardVerdict, EventKind, State
from oilcards.details import CardDetails
from oilcards.models import OilCard, number_index_field
from portal import platform
from portal.gateway import CardType as WireCardType
from portal.gateway import GatewayError, OilCardReceipt, Rejected, may_mean_duplicate
from portal.kit.database import from_now

from . import sync
from .checking import checked, refuse_duplicate
from .errors import TooLate
from .events import record

MAX_ID_LENGTH = 64


def add_card(*, details: CardDetails, actor: User, accept_warnings: bool = False) -> OilCard:
    """Put a card into the book and add it at the platform.

    Args:
        details: the values as typed.
        actor: the person.
        accept_warnings: the person has seen what is unusual about the values, and means it.

    Returns:
        The card: ACTIVE, ADD_FAILED with a `problem`, or UNKNOWN.

    Raises:
        NotConfigured: the platform's credentials are not set.
        InvalidCard: values that can't be right.
        Doubtful: unusual values, and the warnings were not accepted.
        DuplicateCard: a card of the book has this number.
    """
    sync.require_platform()
    details = checked(details, accept_warnings=accept_warnings)
    started = time.monotonic()
    try:
        with transaction.atomic(durable=True):
            refuse_duplicate(details.card_number)
            card = OilCard.objects.create(
                **columns(details),
                state=BUSY[CardAction.ADD],
                action=CardAction.ADD,
                lease_until=from_now(sync.lease()),
                added_by=actor,
                changed_by=actor,
            )
            record(card, EventKind.ADDING, actor=actor, state_to=card.state)
    except IntegrityError:
        # Somebody added the same number a moment ago: the constraint catches what the check above could not see.
        refuse_duplicate(details.card_number)
        raise
    return _hand_over(card, actor, started)


def add_again(
    *, card_id: int, details: CardDetails, version: int, actor: User, accept_warnings: bool = False
) -> OilCard:
    """Add a card at the platform that certainly isn't there yet, with the same or with corrected values.

    Args:
        card_id: the card's primary key.
        details: the values as typed.
        version: the version of the card that the person saw.
        actor: the person.
        accept_warnings: the person has seen what is unusual about the values, and means it.

    Returns:
        The card: ACTIVE, ADD_FAILED with a `problem`, or UNKNOWN.

    Raises:
        NotConfigured, InvalidCard, Doubtful, DuplicateCard: as for `add_card`.
        TooLate: the card isn't ADD_FAILED, or was changed meanwhile.
    """
    sync.require_platform()
    details = checked(details, accept_warnings=accept_warnings)
    started = time.monotonic()
    try:
        with transaction.atomic(durable=True):
            card = sync.lock(card_id)
            if not can_add_again(card) or card.version != version:
                raise TooLate(_("This card can't be added again now."))
            refuse_duplicate(details.card_number, but=card.pk)
            changed = card.details.changed_fields(details)
            card = sync.begin(card, CardAction.ADD, actor=actor, changed_fields=changed, **columns(details))
    except IntegrityError:
        refuse_duplicate(details.card_number, but=card_id)
        raise
    return _hand_over(card, actor, started)


def can_add_again(card: OilCard) -> bool:
    """Say whether it is certain that the platform doesn't have the card."""
    return card.state == State.ADD_FAILED


def columns(details: CardDetails) -> dict[str, object]:
    """Return the columns that hold the values: encrypted, but for the last digits and the type."""
    number = details.card_number
    return {**details.values(), "number_index": number_index_field().index(number), "last_four": number[-4:]}


def _hand_over(card: OilCard, actor: User, started: float) -> OilCard:
    try:
        receipt = sync.exchange("add_card", lambda: _call(card.details), started=started)
    except GatewayError as error:
        end = sync.failure(error, otherwise=State.ADD_FAILED)
        if isinstance(error, Rejected) and may_mean_duplicate(error):
            end = sync.End(State.UNKNOWN, CardVerdict.OUTCOME_UNKNOWN, end.note, end.raw)
        return sync.finish(card, end, actor=actor)
    return _record_receipt(card, receipt, actor)


def _call(details: CardDetails) -> OilCardReceipt:
    return platform.client().add_oil_card(
        card_number=details.card_number,
        holder_name=details.holder_name,
        holder_phone=details.holder_phone,
        national_id=details.national_id,
        card_type=WireCardType(details.card_type),
    )


def _record_receipt(card: OilCard, receipt: OilCardReceipt, actor: User) -> OilCard:
    number = receipt.card_id
    if len(number) > MAX_ID_LENGTH:
        note = _("The platform gave an id that is too long.")
        end = sync.End(State.UNKNOWN, CardVerdict.CONFLICT, note, receipt.raw)
        return sync.finish(card, end, actor=actor)
    end = sync.End(State.ACTIVE, CardVerdict.APPLIED, "", receipt.raw, number)
    try:
        # It arrived after all: that counts even where a person has declared that it never did.
        return sync.finish(card, end, actor=actor, also_from=[State.ADD_FAILED], platform_card_id=number)
    except IntegrityError:
        note = _("The platform gave an id that another card of the book has.")
        end = sync.End(State.UNKNOWN, CardVerdict.CONFLICT, note, receipt.raw, number)
        return sync.finish(card, end, actor=actor)
