"""Writing history: the one place where events are made."""

from typing import Any

from portal.gateway import GatewayError, OutcomeUnknown, Rejected
from portal.statements import insert_row
from recharge.choices import EventKind, Verdict
from recharge.models import Order, OrderEvent

RAW_LIMIT = 16 * 1024
NOTE_LIMIT = 300


def clean(text: str, limit: int) -> str:
    """Cut a text of unknown origin to what a column holds; PostgreSQL takes no NUL and no lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:limit]


def describe(error: GatewayError) -> tuple[Verdict, str, str]:
    """Return verdict, evidence and note for a call that failed.

    The platform's own words are for people; what a library says of a broken connection is evidence.
    """
    if isinstance(error, Rejected):
        return Verdict.REJECTED, error.raw, f"{error.code} {error.message}"
    if isinstance(error, OutcomeUnknown):
        return Verdict.OUTCOME_UNKNOWN, error.raw or str(error), ""
    return Verdict.NOT_SENT, str(error), ""


def record(order: Order, kind: EventKind, *, raw: str = "", note: str = "", **fields: Any) -> None:
    """Append an event to the order's history, in the caller's transaction.

    Args:
        order: the order it is about.
        kind: what it is about.
        raw: the evidence as it came, without secrets.
        note: a sentence for people.
        fields: the other columns of the event.
    """
    insert_row(OrderEvent(order=order, kind=kind, raw=clean(raw, RAW_LIMIT), note=clean(note, NOTE_LIMIT), **fields))
