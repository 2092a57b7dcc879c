"""Writing history: the one place where events are made, and where personal data is kept out of them."""

from collections.abc import Iterable
from typing import Any

from oilcards import masking
from oilcards.choices import EventKind
from oilcards.models import OilCard, OilCardEvent

RAW_LIMIT = 16 * 1024
NOTE_LIMIT = 300


def clean(text: str, limit: int) -> str:
    """Cut a text of unknown origin to what a column holds; PostgreSQL takes no NUL and no lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:limit]


def record(
    card: OilCard, kind: EventKind, *, raw: str = "", note: str = "", secrets: Iterable[str] = (), **fields: Any
) -> OilCardEvent:
    """Append an event to the card's history, in the caller's transaction.

    Args:
        card: the card it is about.
        kind: what it is about.
        raw: an answer of the platform; what is personal in it is not kept.
        note: a sentence for people; the same holds for it.
        secrets: personal values that raw and note may repeat, besides those of the card.
        fields: the other columns of the event.
    """
    hidden = [*card.details.secrets, *secrets]
    return OilCardEvent.objects.create(
        card=card,
        kind=kind,
        raw=clean(masking.evidence(raw, hidden), RAW_LIMIT) if raw else "",
        note=clean(masking.scrub(note, hidden), NOTE_LIMIT),
        **fields,
    )


def problem(card: OilCard, text: str) -> str:
    """Return `text` as it may stand in the card's column `problem`."""
    return clean(masking.scrub(text, card.details.secrets), NOTE_LIMIT)
