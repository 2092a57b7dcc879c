"""What a card's state says, and what follows from it: plain words, a colour and an icon."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import Wording

from .choices import CardAction, State
from .models import OilCard

_UNDER_WAY = _("The platform is being told at this moment.")

OF_STATE: dict[str, Wording] = {
    State.ADDING: Wording(State.ADDING.label, _UNDER_WAY, "azure", "send"),
    State.CHANGING: Wording(State.CHANGING.label, _UNDER_WAY, "azure", "send"),
    State.DELETING: Wording(State.DELETING.label, _UNDER_WAY, "azure", "send"),
    State.ACTIVE: Wording(
        State.ACTIVE.label, _("The platform has the card; it can be recharged."), "green", "circle-check"
    ),
    State.ADD_FAILED: Wording(
        State.ADD_FAILED.label,
        _("The platform doesn't have the card. Correct it and add it again, or discard it."),
        "red",
        "circle-x",
    ),
    State.CHANGE_FAILED: Wording(
        _("Not in step with the platform"),
        _("The platform may have other values than the book. Until that is settled, the card can't be recharged."),
        "orange",
        "alert-triangle",
    ),
    State.DELETED: Wording(
        State.DELETED.label,
        _("The card is no longer in use. Its history and its orders stay here."),
        "secondary",
        "trash",
    ),
}

_OF_SILENCE: dict[str, str | Promise] = {
    CardAction.ADD: _(
        "It was sent, but the platform gave no clear answer: perhaps it has the card, perhaps not. It is not sent "
        "again by itself, because the platform could make two cards of it. Look for the card in the vendor's "
        "console: if it is there, enter the id that the console shows; if it isn't, declare that it never arrived."
    ),
    CardAction.CHANGE: _(
        "The change was sent, but the platform gave no clear answer. Compare the card with the platform, or send the "
        "values again: sending the same values twice does no harm."
    ),
    CardAction.DELETE: _(
        "The deletion was sent, but the platform gave no clear answer. Compare the card with the platform, or delete "
        "it again: deleting twice does no harm."
    ),
}


def of_card(card: OilCard) -> Wording:
    """Return how the card's state is shown; where the platform fell silent, what is unclear now."""
    if card.state == State.UNKNOWN:
        return Wording(State.UNKNOWN.label, _OF_SILENCE[card.action], "orange", "message-question")
    return OF_STATE[card.state]


def badge(card: OilCard, size: str = "") -> dict[str, Any]:
    """Return what `includes/state.html` shows of a card: a word, a colour, an icon."""
    return {"outcome": of_card(card), "only_reported": False, "size": size}
