"""Invented cards for trying the portal out: inert like the invented orders, for no platform knows their ids."""

from django.contrib.auth.models import User

from .choices import CardType, Deed, EventKind, State, Verdict
from .details import CardDetails
from .models import OilCard, OilCardEvent
from .services.adding import columns

SILENCE = "平台没有明确答复。"
BOOK = (  # number, type, name, ID number, state, deed
    ("1000110000000004567", CardType.SINOPEC, "演示甲", "11010519491231002X", State.ACTIVE, ""),
    ("9000000000001688", CardType.PETROCHINA, "演示乙某", "11010519491231002X", State.ACTIVE, ""),
    ("1000110000000002333", CardType.SINOPEC, "演示丙", "11010519491231002X", State.UNKNOWN, Deed.ADD),
    ("1000110000000009012", CardType.SINOPEC, "演示丁", "11010519491231002X", State.ADD_FAILED, ""),
)


def cards(clerk: User) -> list[OilCard]:
    """Add the cards to an empty book, with the history that leads to their states; return what the book holds.

    Args:
        clerk: who is said to have added them.
    """
    if not OilCard.objects.exists():
        for position, (number, card_type, name, national_id, state, deed) in enumerate(BOOK, 1):
            details = CardDetails(number, card_type, name, f"1380000{1000 + position}", national_id)
            _tell(OilCard(**columns(details), state=state, deed=deed, added_by=clerk, changed_by=clerk), position)
    return list(OilCard.objects.order_by("id"))


def _tell(card: OilCard, position: int) -> None:
    state = State(card.state)
    card.platform_card_id = f"demo-{position}" if state == State.ACTIVE else None
    verdict, note = {
        State.ACTIVE: (Verdict.APPLIED, ""),
        State.UNKNOWN: (Verdict.OUTCOME_UNKNOWN, SILENCE),
        State.ADD_FAILED: (Verdict.REJECTED, "3003 身份证号格式错误"),
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
