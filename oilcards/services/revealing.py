"""Showing personal data in clear: to whom it is allowed, for a reason, once, and on record."""

from django.contrib.auth.models import User
from django.db import transaction

from oilcards.choices import EventKind
from oilcards.details import CardDetails
from oilcards.models import OilCard
from portal.kit.audit import tell

from .checking import given_reason
from .errors import NotAllowed
from .events import record

PERMISSION = "oilcards.reveal_oilcard"


def reveal(*, card_id: int, reason: str, actor: User) -> CardDetails:
    """Return a card's values in clear, after it is on record who saw them and why.

    The caller shows them in the answer to this very request, which no cache may keep, and nowhere else.

    Args:
        card_id: the card's primary key.
        reason: why the person needs to see them.
        actor: the person.

    Raises:
        NotAllowed: the person may not.
        ReasonMissing: no reason was given.
    """
    if not actor.has_perm(PERMISSION):
        raise NotAllowed
    reason = given_reason(reason)
    with transaction.atomic(durable=True):
        card = OilCard.objects.get(pk=card_id)
        event = record(card, EventKind.REVEALED, actor=actor, note=reason)
        tell("CARD_REVEALED", actor=actor, about=f"card:{card.pk}", note=event.note)
    return card.details
