"""Asking the platform for a card, and comparing its answer with our book."""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from oilcards import masking
from oilcards.choices import CardAction, CardType, CardVerdict, State
from oilcards.details import LABELS, CardDetails
from oilcards.models import OilCard
from portal import platform
from portal.gateway import GatewayError, NotSent, Rejected
from portal.gateway import OilCard as WireCard
from portal.kit import crypto
from portal.kit.lists import listed

from . import sync

PARTLY_HIDDEN = "*"
"""A platform that tells 138****8000 tells only what it shows. [guess]"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the platform has otherwise. Both values are masked, and may look the same in spite of it."""

    field: str
    label: str
    ours: str
    theirs: str
    adoptable: bool
    """The platform shows its whole value, so that we can take it over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The platform's answer about a card, compared with our values of it."""

    theirs: CardDetails = field(repr=False)
    differences: tuple[Difference, ...]
    untold: tuple[str, ...]
    """Names of the fields that the platform did not show, or not wholly."""
    number_agrees: bool
    fingerprint: str


def ask(platform_card_id: str) -> WireCard:
    """Ask the platform for a card.

    Raises:
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    return sync.exchange(
        "card_info",
        lambda: platform.client().oil_card_info(card_id=platform_card_id),
        started=time.monotonic(),
    )


def describe(error: GatewayError) -> tuple[CardVerdict, str, str]:
    """Return verdict, note and evidence of a question that was not answered.

    What is no refusal may be half an answer with anybody's data in it: nothing of it is kept.
    """
    if isinstance(error, Rejected):
        return CardVerdict.REJECTED, f"{error.code} {error.message}", error.raw
    if isinstance(error, NotSent):
        return CardVerdict.NOT_SENT, _("The platform can't be reached. Nothing was sent; try again later."), ""
    return CardVerdict.OUTCOME_UNKNOWN, _("The platform gave no clear answer."), ""


def held_against(ours: CardDetails, wire: WireCard) -> Reading:
    """Compare our values with the platform's, field by field."""
    theirs = {
        "card_number": "".join(wire.card_number.split()),
        "card_type": "" if wire.card_type is None else str(wire.card_type.value),
        "holder_name": " ".join(wire.holder_name.split()),
        "holder_phone": "".join(wire.holder_phone.split()),
        "national_id": "".join(wire.national_id.split()).upper(),
    }
    mine = {name: str(int(value) if name == "card_type" else value) for name, value in ours.values().items()}
    whole = {name for name, value in theirs.items() if value and PARTLY_HIDDEN not in value}
    differing = [name for name, value in theirs.items() if not _agrees(mine[name], value)]
    return Reading(
        theirs=_details(ours, theirs, whole),
        differences=tuple(
            Difference(
                field=name,
                label=str(LABELS[name]),
                ours=masked(name, mine[name]),
                theirs=masked(name, theirs[name]),
                adoptable=name in whole,
            )
            for name in differing
        ),
        untold=tuple(name for name in theirs if name not in whole),
        number_agrees=bool(theirs["card_number"].strip(PARTLY_HIDDEN)) and "card_number" not in differing,
        fingerprint=crypto.blind_index("\x1f".join(theirs.values()), purpose=f"comparison of {wire.card_id}"),
    )


def adopted(ours: CardDetails, reading: Reading, fields: Collection[str]) -> CardDetails:
    """Return our values with those of `fields` that the platform has otherwise, and shows wholly, taken over."""
    names = {difference.field for difference in reading.differences if difference.adoptable} & set(fields)
    return replace(ours, **{name: getattr(reading.theirs, name) for name in names})


def judge(card: OilCard, reading: Reading) -> tuple[State, CardVerdict]:
    """Say in which state the card is after the platform has answered, and why.

    Only an answer that shows everything proves that both are in step; what was certain stays so without it.
    """
    if reading.differences:
        return State.CHANGE_FAILED, CardVerdict.DIFFERS
    if not reading.untold:
        return State.ACTIVE, CardVerdict.AGREES
    still_there = card.state == State.UNKNOWN and card.action != CardAction.CHANGE
    not_there_yet = card.state == State.ADD_FAILED
    return (State.CHANGE_FAILED if still_there or not_there_yet else State(card.state)), CardVerdict.UNCLEAR


def explanation(state: State, reading: Reading) -> str:
    """Return what to tell people of a card that is not in step; "" where there is nothing to tell."""
    if reading.differences:
        labels = listed(difference.label for difference in reading.differences)
        return _("The platform has other values: %(fields)s.") % {"fields": labels}
    if state != State.ACTIVE:
        return _("The platform doesn't show all values; send ours again to be sure.")
    return ""


def masked(name: str, value: str) -> str:
    """Return what may be shown of the value of the field `name`."""
    if name == "card_type":
        return str(CardType(int(value)).label) if value in {str(kind.value) for kind in CardType} else value[:10]
    mask = {
        "card_number": lambda number: masking.masked_number(number[-4:]),
        "holder_name": masking.masked_name,
        "holder_phone": masking.masked_phone,
        "national_id": masking.masked_national_id,
    }[name]
    return mask(value)


def _agrees(ours: str, theirs: str) -> bool:
    """Whether nothing that the platform shows contradicts our value."""
    if not theirs:
        return True
    shown = re.split(re.escape(PARTLY_HIDDEN) + "+", theirs)
    return re.fullmatch(".*".join(map(re.escape, shown)), ours, re.DOTALL) is not None


def _details(ours: CardDetails, theirs: dict[str, str], whole: set[str]) -> CardDetails:
    """Our values, with those that the platform shows wholly in their place."""
    values = {**ours.values(), **{name: theirs[name] for name in whole}}
    return CardDetails(
        card_number=str(values["card_number"]),
        card_type=CardType(int(values["card_type"])),
        holder_name=str(values["holder_name"]),
        holder_phone=str(values["holder_phone"]),
        national_id=str(values["national_id"]),
    )
