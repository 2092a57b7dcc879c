"""What a restored backup leaves in doubt about cards: whatever was under way may have been answered, or done again."""

from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _

from oilcards.choices import BUSY_STATES, CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard, OilCardEvent


def in_doubt() -> QuerySet[OilCard]:
    """Return the cards whose last action may have reached the platform since the backup, or be repeated blindly."""
    return OilCard.objects.filter(state__in=[*BUSY_STATES, State.ADD_FAILED])


def doubt_all() -> int:
    """Let a person find out what became of those cards, in the caller's transaction.

    A card that was not added may have been added since, and the platform makes two of a number that it gets twice.

    Returns:
        How many there were.
    """
    note = _("A backup was restored: what was done at the platform since it was made is not known.")
    found = list(in_doubt().select_for_update(of=("self",)).order_by("pk").values_list("pk", "state"))
    OilCardEvent.objects.bulk_create(
        OilCardEvent(
            card_id=key,
            kind=EventKind.RESTORED,
            state_from=state,
            state_to=State.UNKNOWN,
            verdict=CardVerdict.OUTCOME_UNKNOWN,
            note=note,
        )
        for key, state in found
    )
    OilCard.objects.filter(pk__in=[key for key, _ in found]).update(
        action=Case(When(state=State.ADD_FAILED, then=Value(CardAction.ADD)), default=F("action")),
        state=State.UNKNOWN,
        lease_until=None,
        version=F("version") + 1,
        problem=note,
    )
    return len(found)
