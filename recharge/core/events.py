"""Writing history: the one place where events are made."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import F, Model, Value

from portal.gateway import GatewayError, OutcomeUnknown, Rejected
from portal.kit.compiled_queries import insert_row
from recharge.choices import BatchEventKind, EventKind, PortalEventKind, Submission, Verdict
from recharge.models import (
    ABOUT_ACCOUNTS,
    AccountChange,
    AlertChannel,
    Batch,
    BatchEvent,
    EmergencyStop,
    Order,
    OrderEvent,
    OrderQuerySet,
    PortalEvent,
    RefundClaim,
)

from .errors import Outdated
from .masking import hide_numbers

RAW_LIMIT = 16 * 1024
NOTE_LIMIT = 300
PORTAL_NOTE_LIMIT = 1000
SUBJECTS: dict[type[Model], str] = {
    User: "user",
    Group: "group",
    Order: "order",
    Batch: "batch",
    RefundClaim: "claim",
    AlertChannel: "channel",
    EmergencyStop: "stop",
    AccountChange: "change",
}
"""How the portal's history names what something was done to."""


class EventFields(TypedDict, total=False):
    """What an entry of an order's history may say besides what it is about. What is left out is empty."""

    actor: User | None
    """The person; None where the portal or the platform did it."""
    submission_from: str
    submission_to: str
    """One of Submission each."""
    status_from: int | None
    status_to: int | None
    """The platform's codes before and after."""
    reported_status: int | None
    """The code that the platform reported, known to us or not."""
    verdict: str
    """One of Verdict."""
    note: str
    """A sentence for people."""
    raw: str
    """The evidence as it came, without secrets."""
    began_at: dt.datetime | None
    """When the query began whose answer it is, by the database's clock."""


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


def require_all_seen(thing: Order | Batch, last_seen: int) -> None:
    """Make sure that a person has been shown all of a history, in the transaction that has locked what it belongs to.

    Args:
        thing: the order or the batch.
        last_seen: the key of the last event that there was when the page was made; 0 where none was shown.

    Raises:
        Outdated: something has happened since.
    """
    if last_seen != thing.events.values_list("pk", flat=True).last():
        raise Outdated


def record(order: Order, kind: EventKind, **fields: Unpack[EventFields]) -> None:
    """Append an event to the order's history, in the caller's transaction.

    Args:
        order: the order it is about.
        kind: what it is about.
        fields: the rest, see `EventFields`.
    """
    insert_row(_event(order, kind, fields))


def record_and_return(order: Order, kind: EventKind, **fields: Unpack[EventFields]) -> OrderEvent:
    """Do the same as `record`, and return the event with its key, which costs a little more."""
    event = _event(order, kind, fields)
    event.save(force_insert=True)
    return event


def _event(order: Order, kind: EventKind, fields: EventFields) -> OrderEvent:
    event = OrderEvent(order=order, kind=kind, **fields)
    event.raw, event.note = clean(event.raw, RAW_LIMIT), clean(event.note, NOTE_LIMIT)
    return event


def record_of_batch(batch: Batch, kind: BatchEventKind, *, actor: User | None = None, note: str = "") -> BatchEvent:
    """Append an event to the batch's history, in the caller's transaction.

    Args:
        batch: the batch it is about.
        kind: what it is about.
        actor: the person; None where the portal did it by itself.
        note: a sentence for people.

    Returns:
        The event, with its moment by the database's clock.
    """
    return BatchEvent.objects.create(batch=batch, kind=kind, actor=actor, note=clean(note, NOTE_LIMIT))


def record_of_portal(
    kind: PortalEventKind,
    *,
    actor: User | None = None,
    note: str = "",
    about: Model | str = "",
    details: Mapping[str, Any] | None = None,
) -> PortalEvent:
    """Append an event to the portal's own history, in the caller's transaction.

    Args:
        kind: what it is about.
        actor: the person; None where the portal did it by itself, or at the command line.
        note: a sentence for people, without secrets; what looks like a phone or card number in it is masked.
        about: what it was done to: one of SUBJECTS, or its name as `subject` makes it; "" for the portal itself.
        details: what else is known, without numbers of phones and cards, and without secrets.

    Returns:
        The event, with its moment by the database's clock.
    """
    return PortalEvent.objects.create(
        kind=kind,
        actor=actor,
        note=clean(note if kind in ABOUT_ACCOUNTS else hide_numbers(note), PORTAL_NOTE_LIMIT),
        about=about if isinstance(about, str) else subject(about),
        details=dict(details) if details is not None else None,
    )


def subject(thing: Model) -> str:
    """Return how the portal's history names what something was done to: `order:` and its number, `user:` and its key.

    Raises:
        KeyError: it has no name there.
    """
    name = SUBJECTS[thing._meta.concrete_model or type(thing)]  # who is signed in is a lazy object
    return f"{name}:{thing.order_no if isinstance(thing, Order) else thing.pk}"


def record_of_all(
    orders: OrderQuerySet,
    kind: EventKind,
    *,
    actor: User | None,
    submission_to: Submission,
    placed: bool = False,
    note: str = "",
) -> None:
    """Append the same event to the history of many orders, by one statement in the caller's transaction.

    Args:
        orders: the orders as they are before the change; for those that were just placed, as they are now.
        kind: what it is about.
        actor: the person.
        submission_to: what they become.
        placed: whether they were nothing before.
        note: a sentence for people.
    """
    before = Value("") if placed else F("submission")
    rows = orders.order_by().annotate(before=before).values_list("pk", "before")
    select, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {OrderEvent._meta.db_table} "  # noqa: S608  (names of our own, values are parameters)
            "(order_id, submission_from, kind, actor_id, submission_to, verdict, note, raw) "
            f"SELECT picked.*, %s, %s, %s, '', %s, '' FROM ({select}) picked",
            [kind, actor.pk if actor else None, submission_to, clean(note, NOTE_LIMIT), *parameters],
        )
