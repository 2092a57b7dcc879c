"""What a person may do about an addition that was never answered: it is not repeated blindly."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from oilcards.choices import CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard
from portal.gateway import GatewayError
from portal.gateway import OilCard as WireCard

from . import reading, sync
from .adding import MAX_ID_LENGTH
from .checking import given_reason
from .comparing import secrets_of
from .errors import AnotherCard, InvalidCard, NoAnswer, PlatformIdTaken, TooLate
from .events import problem, record


def enter_platform_id(*, card_id: int, platform_card_id: str, actor: User) -> OilCard:
    """Give a card the id that a person found in the vendor's console; the platform must say that it is this card.

    Args:
        card_id: the card's primary key; its addition is unknown or failed.
        platform_card_id: the id as typed.
        actor: the person.

    Returns:
        The card: ACTIVE, or CHANGE_FAILED with a `problem` where the platform has other values besides the number.

    Raises:
        NotConfigured: the platform's credentials are not set.
        InvalidCard: this can't be an id.
        PlatformIdTaken: another card of the book has it.
        NoAnswer: the platform did not answer, or has no such card.
        AnotherCard: the platform's card with this id has another number, or the platform doesn't tell it.
        TooLate: the card isn't in such a state, or was changed meanwhile.
    """
    sync.require_platform()
    number = platform_card_id.strip()
    if not number or len(number) > MAX_ID_LENGTH or not number.isprintable() or not number.isascii():
        raise InvalidCard({"platform_card_id": _("Enter the card's id as the vendor's console shows it.")})
    sync.expire_leases(card_id=card_id)
    card = OilCard.objects.get(pk=card_id)
    if not can_enter_platform_id(card):
        raise TooLate(_("This card's addition is not open any more."))
    _refuse_taken(number, but=card.pk)
    try:
        wire = reading.ask(number)
    except GatewayError as error:
        verdict, note, raw = reading.describe(error)
        _record_attempt(card, actor, number, verdict, note, raw)
        raise NoAnswer(problem(card, note)) from None
    return _take(card, number, wire, actor)


def declare_never_arrived(*, card_id: int, reason: str, actor: User) -> OilCard:
    """Record a person's word that the platform never received the addition, so that it may be made again.

    Args:
        card_id: the card's primary key; its addition is unknown.
        reason: how the person knows.
        actor: the person.

    Raises:
        ReasonMissing: no reason was given.
        TooLate: the card isn't in such a state.
    """
    reason = given_reason(reason)
    sync.expire_leases(card_id=card_id)
    with transaction.atomic(durable=True):
        swapped = OilCard.objects.filter(pk=card_id, state=State.UNKNOWN, action=CardAction.ADD).update(
            state=State.ADD_FAILED, action="", problem="", changed_by=actor, changed_at=Now()
        )
        if not swapped:
            raise TooLate(_("This card's addition is not open any more."))
        card = OilCard.objects.get(pk=card_id)
        record(
            card,
            EventKind.NEVER_ARRIVED,
            actor=actor,
            note=reason,
            state_from=State.UNKNOWN,
            state_to=State.ADD_FAILED,
        )
    return card


def can_enter_platform_id(card: OilCard) -> bool:
    """Say whether the card may be at the platform without our knowing its id."""
    return card.state == State.ADD_FAILED or (card.state == State.UNKNOWN and card.action == CardAction.ADD)


def can_declare_never_arrived(card: OilCard) -> bool:
    """Say whether it is unknown that the addition arrived."""
    return card.state == State.UNKNOWN and card.action == CardAction.ADD


def _take(card: OilCard, number: str, wire: WireCard, actor: User) -> OilCard:
    read = reading.held_against(card.details, wire)
    if not read.number_agrees or (wire.card_id and wire.card_id != number):
        note = _("The platform's card with this id has another number, or it doesn't tell the number.")
        _record_attempt(card, actor, number, CardVerdict.CONFLICT, note, wire.raw, wire)
        raise AnotherCard(note)
    state, verdict = reading.judge(card, read)
    message = reading.explanation(state, read)
    try:
        with transaction.atomic(durable=True):
            swapped = OilCard.objects.filter(pk=card.pk, state=card.state, version=card.version).update(
                state=state,
                action="",
                platform_card_id=number,
                problem=problem(card, message),
                version=F("version") + 1,
                compared_at=Now(),
                changed_by=actor,
                changed_at=Now(),
            )
            if not swapped:
                raise TooLate(_("Somebody else has changed this card in the meantime."))
            record(
                card,
                EventKind.ID_ENTERED,
                actor=actor,
                raw=wire.raw,
                note=message,
                secrets=secrets_of(wire),
                platform_card_id=number,
                changed_fields=",".join(item.field for item in read.differences),
                state_from=card.state,
                state_to=state,
                verdict=verdict,
            )
    except IntegrityError:
        _refuse_taken(number, but=card.pk)
        raise
    return OilCard.objects.get(pk=card.pk)


def _refuse_taken(number: str, *, but: int) -> None:
    other = OilCard.objects.in_the_book().filter(platform_card_id=number).exclude(pk=but).first()
    if other is not None:
        raise PlatformIdTaken(other)


def _record_attempt(
    card: OilCard, actor: User, number: str, verdict: CardVerdict, note: str, raw: str, wire: WireCard | None = None
) -> None:
    with transaction.atomic(durable=True):
        record(
            card,
            EventKind.ID_ENTERED,
            actor=actor,
            raw=raw,
            note=note,
            secrets=secrets_of(wire) if wire else (),
            platform_card_id=number,
            state_from=card.state,
            state_to=card.state,
            verdict=verdict,
        )
