"""What a reading would do to the evidence that is stored: looked at, never changed."""

from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field

from django.db.models import Count, Max, Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import EventKind, RefusalMeaning, Submission, Verdict
from recharge.fulfilment.services import replaying
from recharge.fulfilment.services.replaying import REFUSED_WITHIN, Outcome
from recharge.models import Order, OrderEvent, Reading
from recharge.readings import services as readings
from recharge.status import IN_PROGRESS, Status

LOOKED_AT = 200
"""Orders whose histories are read for it; the others are counted by their evidence alone."""

COUNTED_TO = 10_000
LISTED = 20
LATEST = 1_000
"""So many of the latest unfinished orders, and of those refused, are searched for words that nobody has taught yet."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What would come of it: `orders` have such evidence, `outcomes` says how many of those looked at become what."""

    orders: int
    outcomes: list[tuple[Outcome, int]]
    listed: list[tuple[Order, Outcome]]
    not_looked_at: int = 0

    @property
    def changing(self) -> int:
        """How many would change, at most."""
        return self.not_looked_at + sum(count for outcome, count in self.outcomes if outcome != Outcome.LEFT)


def effect_of(reading: Reading) -> Effect:
    """Return what a reading does, once it is in force or taken back, to the orders that there are, the latest first."""
    keys = sorted(set(_affected(reading)), reverse=True)
    taught = readings.in_force() if reading.removed_at else readings.in_force().with_one_more(reading)
    histories = Prefetch("events", OrderEvent.objects.defer("raw").order_by("id"))
    looked_at = Order.objects.filter(pk__in=keys[:LOOKED_AT])
    again = set(looked_at.placed_again().values_list("pk", flat=True))
    shown = looked_at.with_people_and_cards().prefetch_related(histories).order_by("-id")
    found = [
        (
            order,
            replaying.outcome(reading, order, list(order.events.all()), taught, placed_again=order.pk in again),
        )
        for order in shown
    ]
    counts = Counter(outcome for _order, outcome in found)
    listed: list[tuple[Order, Outcome]] = [row for row in found if row[1] != Outcome.LEFT]
    return Effect(len(keys), counts.most_common(), listed[:LISTED], max(0, len(keys) - LOOKED_AT))


def effect_of_removal(reading: Reading) -> Effect:
    """Return what comes of it if a reading is taken back, or has been: what rests on its code, the latest first."""
    taken_back = copy(reading)
    taken_back.removed_at = reading.removed_at or timezone.now()
    return effect_of(taken_back)


def _affected(reading: Reading) -> Iterator[int]:
    """Yield the orders that have evidence which the reading is about."""
    rows = replaying.evidence(reading).order_by("-id").values_list("order_id", "note")[:COUNTED_TO]
    return (order_id for order_id, note in rows if replaying.matches(reading, note))


@dataclass(slots=True)
class Untaught:
    """A code that nobody knows, or words that were taken by the gateway's own reading, as they came in."""

    code: int | None
    refusal: tuple[str, str]
    """Its code and its words, both "" where it is about a code."""
    default: str
    orders: int = 0
    event: int = 0
    """The latest of the history that has it: by which the page to teach it is asked for."""
    parts: set[str] = field(default_factory=set)
    """Whether it answered a hand-over or a query."""


def unknown_codes() -> list[Untaught]:
    """Return the codes that were reported and that nobody knows or has taught, the latest first."""
    taught = set(Reading.objects.live().exclude(code=None).values_list("code", flat=True))
    told = OrderEvent.objects.filter(verdict=Verdict.UNKNOWN_CODE).order_by().values("reported_status")
    rows = told.annotate(orders=Count("order", distinct=True), event=Max("pk")).order_by("-event")
    return [
        Untaught(row["reported_status"], ("", ""), "", row["orders"], row["event"])
        for row in rows
        if row["reported_status"] not in taught
    ]


def untaught_words() -> list[Untaught]:
    """Return the words of refusals of orders that are unfinished or refused, and what the gateway takes them for."""
    live = [reading for reading in Reading.objects.live().filter(code=None) if reading.is_exact]
    unfinished = Order.objects.open().exclude(submission=Submission.AWAITING_APPROVAL)
    refused = Order.objects.filter(submission=Submission.REJECTED)
    latest = [list(some.order_by("-id").values_list("pk", flat=True)[:LATEST]) for some in (unfinished, refused)]
    refusals = OrderEvent.objects.filter(
        order__in=[key for keys in latest for key in keys],
        kind__in=(EventKind.ANSWERED, EventKind.QUERIED),
        verdict__in=(Verdict.OUTCOME_UNKNOWN, Verdict.REJECTED),
    ).exclude(note="")
    rows = refusals.order_by().values("note", "kind").annotate(orders=Count("order", distinct=True), event=Max("pk"))
    found: dict[tuple[str, str], Untaught] = {}
    for row in rows:
        refusal = readings.refusal_of(row["note"])
        key = readings.place_of(refusal)
        if key and not any(readings.is_about(reading, refusal) for reading in live):
            one = found.setdefault(key, Untaught(None, key, readings.default_meaning(refusal.message)))
            one.orders, one.event = one.orders + row["orders"], max(one.event, row["event"])
            one.parts.add(row["kind"])
    return sorted(found.values(), key=lambda one: -one.event)


def risks(reading: Reading) -> list[str]:
    """Return what a person has to know before he teaches or agrees to it, in sentences."""
    if reading.code is not None:
        return _risks_of_code(Status(reading.means_status or 0))
    said = {
        RefusalMeaning.DEFINITE_NO: _(
            "Orders whose hand-over is refused in these words count as never taken and can be placed again at once. "
            "If the platform carries one out all the same, the money is spent twice."
        ),
        RefusalMeaning.NO_SUCH_ORDER: _(
            "Three such answers over half an hour, while the platform finds another order of ours, prove that an order "
            "never arrived. If they are also given for orders that it has, the money is spent twice."
        ),
        RefusalMeaning.NO_SUCH_CALL: _(
            "Orders for oil cards are no longer confirmed by answers; what callbacks say about them stands alone."
        ),
    }
    late = _(
        "Refused orders of the last %(days)s days whose refusal says so count as unknown again, are asked about, and "
        "can't be placed again before that is answered. Those that were placed again already stay as they are."
    ) % {"days": REFUSED_WITHIN.days}
    sentences = [said.get(RefusalMeaning(reading.means), late)]
    kills = reading.means in (RefusalMeaning.DEFINITE_NO, RefusalMeaning.NO_SUCH_ORDER)
    if kills and not readings.default_meaning(reading.words):
        sentences.append(_("The portal takes these words for unclear by itself: ask the vendor before."))
    return sentences


def risks_of_removal() -> list[str]:
    """Return the same of a code that is taken back."""
    return [
        _(
            "Orders whose state rests on this code come into doubt: they can't be placed again before a person has "
            "closed the mark and the platform has answered. Those that were placed again already stay as they are."
        )
    ]


def _risks_of_code(status: Status) -> list[str]:
    asked = _("Orders of which it was told are asked about at once; only the platform's own answer confirms it.")
    if status in IN_PROGRESS:
        return [asked]
    if status == Status.SUCCEEDED:
        return [_("Customers may be told that the money has arrived. If it hasn't, nobody looks after them."), asked]
    return [
        _(
            "Once the platform's own answer confirms it, orders may be placed again as the meaning allows. If they are "
            "carried out all the same, the money is spent twice."
        ),
        asked,
    ]
