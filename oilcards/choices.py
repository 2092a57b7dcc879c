"""The portal's own words about an oil card: choices that its columns hold, and the groups of states."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class CardType(IntegerChoices):
    """`card_type` of the platform's document."""

    SINOPEC = 0, _("Sinopec")
    PETROCHINA = 1, _("PetroChina")


class State(TextChoices):
    """Whether the card in the book agrees with the platform's."""

    ADDING = "ADDING", _("Being added")
    ADD_FAILED = "ADD_FAILED", _("Not added")
    ACTIVE = "ACTIVE", _("Active")
    CHANGING = "CHANGING", _("Being changed")
    CHANGE_FAILED = "CHANGE_FAILED", _("Change failed")
    DELETING = "DELETING", _("Being deleted")
    DELETED = "DELETED", _("Deleted")
    UNKNOWN = "UNKNOWN", _("Not known whether it arrived")


class CardAction(TextChoices):
    """The action under way at the platform, or the last one where the platform stopped answering."""

    ADD = "ADD", _("Add")
    CHANGE = "CHANGE", _("Change")
    DELETE = "DELETE", _("Delete")


BUSY = {CardAction.ADD: State.ADDING, CardAction.CHANGE: State.CHANGING, CardAction.DELETE: State.DELETING}
"""The state in which a call of each action is under way."""

BUSY_STATES = [State.ADDING, State.CHANGING, State.DELETING]


class EventKind(TextChoices):
    """What an entry of the card's history is about."""

    ADDING = "ADDING", _("Being added at the platform")
    CHANGING = "CHANGING", _("Being changed at the platform")
    DELETING = "DELETING", _("Being deleted at the platform")
    ANSWERED = "ANSWERED", _("The platform answered")
    LEASE_EXPIRED = "LEASE_EXPIRED", _("The portal stopped half-way")
    COMPARED = "COMPARED", _("Compared with the platform")
    ADOPTED = "ADOPTED", _("Took over the platform's values")
    ID_ENTERED = "ID_ENTERED", _("The platform's id was entered")
    NEVER_ARRIVED = "NEVER_ARRIVED", _("Declared never arrived")
    DECLARED_DELETED = "DECLARED_DELETED", _("Declared deleted at the platform")
    DISCARDED = "DISCARDED", _("Discarded")
    REVEALED = "REVEALED", _("Personal data was revealed")
    RESTORED = "RESTORED", _("A backup was restored")


class CardVerdict(TextChoices):
    """What an event's evidence did to the card."""

    APPLIED = "applied", _("Applied")
    AGREES = "agrees", _("Agrees")
    DIFFERS = "differs", _("Differs")
    UNCLEAR = "unclear", _("The platform doesn't tell everything")
    CONFLICT = "conflict", _("Contradicts what is known")
    LATE = "late", _("Late, ignored")
    REJECTED = "rejected", _("Refused")
    NOT_SENT = "not_sent", _("Nothing was sent")
    OUTCOME_UNKNOWN = "outcome_unknown", _("No clear answer")
    MISSING = "missing", _("The platform has no such card")
