"""Invented cards for trying the portal out; a platform to try things out with has the active ones too."""

from django.contrib.auth.models import User

from portal import platform

from .choices import CardAction, CardType, CardVerdict, EventKind, State
from .details import CardDetails
from .models import OilCard, OilCardEvent
from .services.adding import add_card, columns

SILENCE = "平台没有明确答复。"
BOOK = (  # number, type, name, ID number, state, action
    ("1000110000000004567", CardType.SINOPEC, "演示甲", "11010519491231002X", State.ACTIVE, ""),
    ("9000000000001688", CardType.PETROCHINA, "演示乙某", "11010519491231002X", State.ACTIVE, ""),
    ("1000110000000002333", CardType.SINOPEC, "演示丙", "11010519491231002X", State.UNKNOWN, CardAction.ADD),
    ("1000110000000009012", CardType.SINOPEC, "演示丁", "11010519491231002X", State.ADD_FAILED, ""),
)


def cards(clerk: User) -> list[OilCard]:
    """Fill an empty book, and return what it holds.

    Active cards are added like any other, at the platform of the settings, so that they can be recharged, changed and
    compared. Without one, and for all other states, only the history is told that leads to them.

    Args:
        clerk: who is said to have added them.
    """
    if not OilCard.objects.exists():
        for position, (number, card_type, name, national_id, state, action) in enumerate(BOOK, 1):
            details = CardDetails(number, card_type, name, f"1380000{1000 + position}", national_id)
            if state == State.ACTIVE and platform.is_configured():
                add_card(details=details, actor=clerk, accept_warnings=True)
            else:
                _tell(
                    OilCard(**columns(details), state=state, action=action, added_by=clerk, changed_by=clerk), position
                )
    return list(OilCard.objects.order_by("id"))


def _tell(card: OilCard, position: int) -> None:
    state = State(card.state)
    card.platform_card_id = f"demo-{position}" if state == State.ACTIVE else None
    verdict, note = {
        State.ACTIVE: (CardVerdict.APPLIED, ""),
        State.UNKNOWN: (CardVerdict.OUTCOME_UNKNOWN, SILENCE),
        State.ADD_FAILED: (CardVerdict.REJECTED, "3003 身份证号格式错误"),
    }[state]
    card.problem = note
    card.save(force_insert=True)
    OilCardEvent.objects.create(card=card, kind=EventKind.ADDING, actor=card.added_by, state_to=State.ADDING)
    OilCardEvent.objects.create(
        card=card,
        kind=EventKind.ANSWERED,
        actor=card.added_by,
        state_from=State.ADDING,
        state_to=state,
        verdict=verdict,
        note=note,
        platform_card_id=card.platform_card_id or "",
    )
