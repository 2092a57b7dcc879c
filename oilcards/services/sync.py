"""What adding, changing and deleting have in common: how an action is begun, carried to the platform and ended.

The intent is committed first, by a compare-and-swap on state and version; the call is made with no transaction and no
connection held; what came of it is recorded in a second transaction, unless a later action has begun. Whoever dies in
between leaves a lease that runs out, and the card becomes UNKNOWN.
"""

import datetime as dt
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from oilcards.choices import BUSY, CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard
from portal import metrics, platform
from portal.gateway import GatewayError, NotSent, OutcomeUnknown, Rejected
from portal.kit.database import from_now, release_connection

from .errors import NotConfigured, TooLate
from .events import problem, record

LEASE_MARGIN = dt.timedelta(seconds=60)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class End:
    """How an action ended: the state that the card is in now, and why."""

    state: State
    verdict: CardVerdict
    note: str = ""
    raw: str = ""
    platform_card_id: str = ""
    action: CardAction | None = None
    """What is unclear now, where it isn't the action itself."""


def lease() -> dt.timedelta:
    """How long an action may take: twice the deadline of the exchange, and a margin."""
    return dt.timedelta(seconds=2 * settings.WIKEYUN_TIMEOUT) + LEASE_MARGIN


def require_platform() -> None:
    """Refuse to begin what could not be carried out.

    Raises:
        NotConfigured: the platform's credentials are not set.
    """
    if not platform.is_configured():
        raise NotConfigured


def lock(card_id: int) -> OilCard:
    """Read the card and keep others from changing it until the transaction ends.

    SQLite knows no row locks; there every transaction is IMMEDIATE and so alone from its beginning.
    """
    return OilCard.objects.select_for_update(of=("self",)).get(pk=card_id)


def expire_leases(*, card_id: int | None = None) -> int:
    """Give up on actions whose lease has expired: whether they reached the platform is unknown.

    Cheap where nothing has run out; called before cards are looked at, and may be called by any sweep.

    Args:
        card_id: look at this card only.

    Returns:
        How many cards have become unknown.
    """
    expired = OilCard.objects.with_expired_lease()
    cards = expired if card_id is None else expired.filter(pk=card_id)
    return sum(_expire(card) for card in cards)


def _expire(card: OilCard) -> bool:
    note = _("The portal was interrupted; whether the platform received it is not known.")
    with transaction.atomic(durable=True):
        expired = OilCard.objects.with_expired_lease().filter(pk=card.pk, version=card.version)
        if not expired.update(state=State.UNKNOWN, lease_until=None, problem=note):
            return False
        record(
            card,
            EventKind.LEASE_EXPIRED,
            note=note,
            state_from=card.state,
            state_to=State.UNKNOWN,
            verdict=CardVerdict.OUTCOME_UNKNOWN,
        )
    return True


def begin(
    card: OilCard, action: CardAction, *, actor: User, changed_fields: Collection[str] = (), **values: Any
) -> OilCard:
    """Commit to an action, in the caller's transaction.

    Args:
        card: as it was read in this transaction; it must not have changed since.
        action: what is to be done at the platform.
        actor: the person who wants it.
        changed_fields: names of the fields that are changed, for the history.
        values: other columns to set.

    Returns:
        The card as it is now; `finish` wants exactly this one.

    Raises:
        TooLate: somebody else was faster.
    """
    swapped = OilCard.objects.filter(pk=card.pk, state=card.state, version=card.version).update(
        state=BUSY[action],
        action=action,
        lease_until=from_now(lease()),
        version=F("version") + 1,
        problem="",
        changed_by=actor,
        changed_at=Now(),
        **values,
    )
    if not swapped:
        raise TooLate(_("Somebody else has changed this card in the meantime."))
    begun = OilCard.objects.get(pk=card.pk)
    record(
        begun,
        EventKind(BUSY[action]),
        actor=actor,
        changed_fields=",".join(changed_fields),
        state_from=card.state,
        state_to=begun.state,
    )
    return begun


def exchange(name: str, call: Callable[[], Answer], *, started: float) -> Answer:
    """Make one call of the platform, holding neither transaction nor connection.

    Args:
        name: what the call is named in the metrics.
        call: makes it.
        started: when the action was begun, by the monotonic clock.

    Raises:
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    release_connection()
    if time.monotonic() - started > settings.WIKEYUN_TIMEOUT:
        raise NotSent("held up; too little of the lease is left to send safely")
    outcome, sent = "error", time.monotonic()
    try:
        answer = call()
        outcome = "ok"
        return answer
    except GatewayError as error:
        outcome = type(error).__name__
        raise
    finally:
        metrics.PLATFORM_SECONDS.labels(name, outcome).observe(time.monotonic() - sent)


def failure(error: GatewayError, *, otherwise: State) -> End:
    """Say how an action ended that the platform did not confirm.

    Args:
        error: what the call raised.
        otherwise: the state of the card where the platform certainly did nothing.
    """
    if isinstance(error, Rejected):
        return End(otherwise, CardVerdict.REJECTED, f"{error.code} {error.message}", error.raw)
    if isinstance(error, NotSent):
        return End(
            otherwise, CardVerdict.NOT_SENT, _("The platform can't be reached. Nothing was sent; try again later.")
        )
    raw = error.raw if isinstance(error, OutcomeUnknown) else ""
    return End(State.UNKNOWN, CardVerdict.OUTCOME_UNKNOWN, _("The platform gave no clear answer."), raw)


def finish(card: OilCard, end: End, *, actor: User, also_from: Collection[State] = (), **values: Any) -> OilCard:
    """Record how an action ended; where a later one has begun, only that the answer came.

    Args:
        card: as `begin` returned it.
        end: how it ended.
        actor: the person who wanted it.
        also_from: states in which the answer still counts, besides that of the action and UNKNOWN.
        values: other columns to set.

    Returns:
        The card as it is now.
    """
    mine = Q(state=card.state) | Q(state=State.UNKNOWN, action=card.action) | Q(state__in=also_from)
    unknown = end.state == State.UNKNOWN
    with transaction.atomic(durable=True):
        current = lock(card.pk)
        counts = OilCard.objects.filter(mine, pk=card.pk, version=card.version).update(
            state=end.state,
            action=(end.action or card.action) if unknown else "",
            lease_until=None,
            problem="" if end.verdict == CardVerdict.APPLIED else problem(card, end.note),
            **values,
        )
        record(
            card,
            EventKind.ANSWERED,
            actor=actor,
            raw=end.raw,
            note=end.note,
            platform_card_id=end.platform_card_id,
            state_from=current.state,
            state_to=end.state if counts else current.state,
            verdict=end.verdict if counts else CardVerdict.LATE,
        )
    return OilCard.objects.get(pk=card.pk)
