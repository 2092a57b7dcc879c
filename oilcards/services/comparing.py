"""Comparing a card with what the platform has, which also resolves a change or deletion that was never answered."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from oilcards.choices import BUSY_STATES, CardAction, CardVerdict, EventKind, State
from oilcards.details import CardDetails
from oilcards.models import OilCard
from portal.gateway import GatewayError, Rejected
from portal.gateway import OilCard as WireCard

from . import reading, sync
from .adding import columns
from .availability import refuse_another_identity
from .checking import checked, refuse_duplicate
from .errors import NoAnswer, TooLate
from .events import clean, problem, record
from .heuristics import means_no_such_card
from .reading import Difference, Reading


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of asking the platform about a card."""

    card: OilCard
    verdict: CardVerdict
    message: str = ""
    differences: tuple[Difference, ...] = ()
    fingerprint: str = ""
    """Stands for the platform's values that the person has seen; `adopt_theirs` wants it back."""

    @property
    def answered(self) -> bool:
        """Whether the platform said anything about the card."""
        return self.verdict not in (CardVerdict.REJECTED, CardVerdict.NOT_SENT, CardVerdict.OUTCOME_UNKNOWN)


def compare(*, card_id: int, actor: User) -> Comparison:
    """Ask the platform for the card and compare its answer with our book; the card's state follows the answer.

    An active card that differs becomes CHANGE_FAILED, so that nothing is recharged before a person has decided.

    Args:
        card_id: the card's primary key.
        actor: the person.

    Returns:
        The comparison. Its verdict is AGREES, DIFFERS, UNCLEAR, MISSING, CONFLICT, or why there was no answer.

    Raises:
        NotConfigured: the platform's credentials are not set.
        TooLate: the card has no id at the platform, something is under way, or it was changed meanwhile.
    """
    card = _askable(card_id)
    try:
        wire = reading.ask(card.platform_card_id or "")
    except GatewayError as error:
        return _unanswered(card, error, actor)
    if _is_another(card, wire):
        return _about_another(card, wire, actor)
    read = reading.held_against(card.details, wire)
    state, verdict = reading.judge(card, read)
    message = reading.explanation(state, read)
    card = _settle(card, state, verdict, actor, note=message, problem_text=message, wire=wire, read=read)
    return Comparison(card, verdict, message, read.differences, read.fingerprint)


def adopt_theirs(*, card_id: int, fields: Collection[str], fingerprint: str, actor: User) -> OilCard:
    """Take over the platform's values: the other direction after a comparison. The platform is asked once more.

    Args:
        card_id: the card's primary key.
        fields: names of the fields to take over, as the comparison has them.
        fingerprint: that of the comparison which the person saw.
        actor: the person.

    Returns:
        The card: ACTIVE where nothing differs any more, CHANGE_FAILED otherwise.

    Raises:
        NotConfigured: the platform's credentials are not set.
        NoAnswer: the platform did not answer.
        InvalidCard: a value of the platform can't be right; send ours instead.
        DuplicateCard: another card of the book has the platform's number.
        HasOrders: number or type would be taken over, and orders of the card show ours.
        TooLate: the platform's values, or the card, have changed meanwhile.
    """
    card = _askable(card_id)
    try:
        wire = reading.ask(card.platform_card_id or "")
    except GatewayError as error:
        raise NoAnswer(_unanswered(card, error, actor).message) from None
    read = reading.held_against(card.details, wire)
    if _is_another(card, wire) or read.fingerprint != fingerprint:
        raise TooLate(_("The platform has other values by now: compare again."))
    wanted = checked(reading.adopted(card.details, read, fields), accept_warnings=True)
    rest = reading.held_against(wanted, wire)
    state, verdict = reading.judge(card, rest)
    message = reading.explanation(state, rest)
    try:
        return _settle(
            card, state, verdict, actor, note=message, problem_text=message, wire=wire, read=rest, wanted=wanted
        )
    except IntegrityError:
        refuse_duplicate(wanted.card_number, but=card_id)
        raise


def can_compare(card: OilCard) -> bool:
    """Say whether the platform can be asked for the card."""
    return bool(card.platform_card_id) and card.state != State.DELETED and card.state not in BUSY_STATES


def _askable(card_id: int) -> OilCard:
    sync.require_platform()
    sync.expire_leases(card_id=card_id)
    card = OilCard.objects.get(pk=card_id)
    if not can_compare(card):
        raise TooLate(_("The platform can't be asked for this card now."))
    return card


def _is_another(card: OilCard, wire: WireCard) -> bool:
    return bool(wire.card_id) and wire.card_id != card.platform_card_id


def _about_another(card: OilCard, wire: WireCard, actor: User) -> Comparison:
    note = _("The platform answered about another card.")
    card = _settle(card, State(card.state), CardVerdict.CONFLICT, actor, note=note, problem_text=note, wire=wire)
    return Comparison(card, CardVerdict.CONFLICT, note)


def _unanswered(card: OilCard, error: GatewayError, actor: User) -> Comparison:
    verdict, note, raw = reading.describe(error)
    state, text = State(card.state), card.problem
    if isinstance(error, Rejected) and means_no_such_card(error):
        verdict, text = CardVerdict.MISSING, note
        deleting = card.state == State.UNKNOWN and card.action == CardAction.DELETE
        state = State.DELETED if deleting else State.CHANGE_FAILED
    card = _settle(card, state, verdict, actor, note=note, problem_text=text, raw=raw)
    return Comparison(card, verdict, problem(card, note))


def _settle(
    card: OilCard,
    state: State,
    verdict: CardVerdict,
    actor: User,
    *,
    note: str,
    problem_text: str,
    raw: str = "",
    wire: WireCard | None = None,
    read: Reading | None = None,
    wanted: CardDetails | None = None,
) -> OilCard:
    """Record what the platform said; the card must be as it was when the platform was asked."""
    changes: dict[str, object] = {"compared_at": Now()} if read else {}
    changed = (
        card.details.changed_fields(wanted) if wanted else [item.field for item in read.differences] if read else []
    )
    with transaction.atomic(durable=True):
        if wanted:
            refuse_another_identity(sync.lock(card.pk), changed)
            refuse_duplicate(wanted.card_number, but=card.pk)
            changes |= {**columns(wanted), "version": F("version") + 1, "changed_by": actor, "changed_at": Now()}
        swapped = OilCard.objects.filter(pk=card.pk, state=card.state, version=card.version).update(
            state=state,
            action=card.action if state == State.UNKNOWN else "",
            problem="" if state == State.DELETED else problem(card, problem_text),
            **changes,
        )
        if not swapped:
            raise TooLate(_("Somebody else has changed this card in the meantime."))
        record(
            card,
            EventKind.ADOPTED if wanted else EventKind.COMPARED,
            actor=actor,
            raw=wire.raw if wire else raw,
            note=note,
            secrets=secrets_of(wire) if wire else (),
            platform_card_id=clean(wire.card_id, 64) if wire else "",
            changed_fields=",".join(changed),
            state_from=card.state,
            state_to=state,
            verdict=verdict,
        )
    return OilCard.objects.get(pk=card.pk)


def secrets_of(wire: WireCard) -> list[str]:
    """Return the platform's personal values, for keeping them out of the history."""
    return [wire.card_number, wire.holder_name, wire.holder_phone, wire.national_id]
