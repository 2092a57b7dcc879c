"""All that will happen in a run, drawn from its seed before anything is started."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .faults import KINDS, LIES, SETTINGS, USUAL, Rule

CARDS = 6
PHASES_PER = 800
"""Orders after which the platform has other faults."""

SINGLE_SHARE, OIL_SHARE = 0.06, 0.015
SHEET_SIZES = (3, 20, 60, 150, 400)
SHEET_WEIGHTS = (4, 3, 3, 3, 1)
VALUES = (50, 100, 200)
SERVERS = {"worker": 8, "web worker": 4, "web": 2, "scheduler": 3, "platform": 3, "broker": 1, "database": 1}
"""What is killed, and how often in comparison."""

FREEZES = {"platform": (2.5, 6.0), "broker": (1.0, 4.0), "web": (1.0, 4.0), "database": (1.0, 3.0)}
"""What is frozen for a while besides workers, and for how many seconds."""

LEASE_SECONDS = 64
"""Twice WIKEYUN_TIMEOUT and a margin of a minute: the portal's lease of an order that a worker has taken up."""


class Act(StrEnum):
    """What staff do."""

    PLACE = "place"
    PLACE_OIL = "place_oil"
    UPLOAD = "upload"
    REPLACE = "replace"
    AGAIN = "again"
    WITHDRAW = "withdraw"
    WITHDRAW_REST = "withdraw_rest"
    CANCEL = "cancel"
    ASK = "ask"
    ACKNOWLEDGE = "acknowledge"
    PAUSE = "pause"
    STOP = "stop"


class Blow(StrEnum):
    """What is done to the processes."""

    KILL = "kill"
    FREEZE = "freeze"
    FLUSH = "flush"
    RESTART = "restart"


PLACING = {Act.PLACE, Act.PLACE_OIL, Act.UPLOAD}
OTHER_ACTS = {
    Act.REPLACE: 30,
    Act.AGAIN: 6,
    Act.WITHDRAW: 10,
    Act.WITHDRAW_REST: 1,
    Act.CANCEL: 10,
    Act.ASK: 10,
    Act.ACKNOWLEDGE: 30,
    Act.PAUSE: 3,
    Act.STOP: 1,
}
"""Acts that place nothing new, and how many of each there are for a thousand orders; at least one of each."""


@dataclass(frozen=True)
class Action:
    """One thing that somebody does. `pick` chooses among what is there at that moment."""

    act: Act
    pick: int
    lines: tuple[tuple[str, int], ...] = ()
    """Number (for cards: which of them) and yuan of each order to be placed."""
    twice: bool = False
    """Whether the button is pressed twice."""
    careless: bool = False
    """Whether it is tried where it makes no sense."""


@dataclass(frozen=True)
class Strike:
    """Something that is done to the processes."""

    at: int
    """How many orders have left the queue by then."""
    blow: Blow
    target: str
    pick: int
    seconds: float
    """How long it stays dead or frozen."""


@dataclass(frozen=True)
class Phase:
    """The platform's faults for a while."""

    at: int
    kinds: tuple[str, ...]

    @property
    def rules(self) -> list[Rule]:
        return [rule for kind in self.kinds for rule in KINDS[kind]]

    @property
    def settings(self) -> dict[str, Any]:
        return {**USUAL, **{name: value for kind in self.kinds for name, value in SETTINGS.get(kind, {}).items()}}


@dataclass(frozen=True)
class Plan:
    seed: int
    orders: int
    kills: int
    kinds: tuple[str, ...]
    phases: tuple[Phase, ...]
    strikes: tuple[Strike, ...]
    actions: tuple[Action, ...]
    seeds: dict[str, int] = field(default_factory=dict)
    """Those of the people who decide about what comes up, by name."""
    lies: int = 0


def draw(*, seed: int, orders: int, kills: int, wanted: Sequence[str] = ()) -> Plan:
    """Return the plan of a run; the same arguments give the same plan.

    Args:
        seed: of all that is decided by chance.
        orders: how many are placed, those in the place of failed ones not counted.
        kills: how often something is killed with -9; freezes, flushes and restarts come on top.
        wanted: kinds of faults that are on from beginning to end, whatever the seed says.
    """
    chance = random.Random(seed)
    kinds = tuple(sorted(chance.sample(sorted(KINDS), len(KINDS) // 2)))
    return Plan(
        seed=seed,
        orders=orders,
        kills=kills,
        kinds=tuple(sorted({*kinds, *wanted})),
        phases=tuple(_phases(chance, orders, kinds, wanted)),
        strikes=tuple(_strikes(chance, orders, kills)),
        actions=tuple(_actions(chance, orders)),
        seeds={name: chance.getrandbits(32) for name in ("approver", "supervisor", "liar", "platform")},
        lies=max(3, orders // 200) if LIES in (*kinds, *wanted) else 0,
    )


def _phases(chance: random.Random, orders: int, kinds: tuple[str, ...], wanted: Sequence[str]) -> Iterator[Phase]:
    number = max(4, orders // PHASES_PER)
    for phase in range(number):
        chosen = chance.sample(kinds, chance.randint(len(kinds) // 3, len(kinds) - 2))
        yield Phase(at=phase * orders // number, kinds=tuple(sorted({*chosen, *wanted})))


def _strikes(chance: random.Random, orders: int, kills: int) -> Iterator[Strike]:
    """Yield all strikes, spread evenly; freezes beyond the lease early enough to end within the run."""
    blows = [_kill(chance) for _ in range(kills)]
    blows += [_short_freeze(chance) for _ in range(max(3, kills // 8))]
    blows += [(Blow.FLUSH, "broker", 0.0)] * max(1, kills // 15)
    blows += [(Blow.RESTART, "database", 0.0)] * max(1, kills // 20)
    chance.shuffle(blows)
    for number in range(max(1, kills // 25)):
        frozen = (Blow.FREEZE, "worker", LEASE_SECONDS + chance.uniform(2.0, 8.0))
        blows.insert(1 + number * 22 + chance.randrange(5), frozen)
    for number, (blow, target, seconds) in enumerate(blows):
        at = (number + 1) * orders // (len(blows) + 1)
        yield Strike(at, blow, target, chance.getrandbits(16), seconds)


def _kill(chance: random.Random) -> tuple[Blow, str, float]:
    target = chance.choices(list(SERVERS), list(SERVERS.values()))[0]
    return Blow.KILL, target, chance.choice((0.0, 0.2, 1.0, 2.0))


def _short_freeze(chance: random.Random) -> tuple[Blow, str, float]:
    target = chance.choice(list(FREEZES))
    return Blow.FREEZE, target, chance.uniform(*FREEZES[target])


def _actions(chance: random.Random, orders: int) -> Iterator[Action]:
    """Yield what the clerks do, one after the other: what places orders, and the rest strewn among it."""
    actions = list(_placing(chance, orders))
    chance.shuffle(actions)
    for act, per_thousand in OTHER_ACTS.items():
        for _ in range(max(1, per_thousand * orders // 1000)):
            # Not at the very beginning, when there is nothing yet that it could be done to.
            place = chance.randint(len(actions) // 6, len(actions))
            careless = chance.random() < 0.2
            actions.insert(place, Action(act, chance.getrandbits(32), careless=careless))
    yield from actions


def _placing(chance: random.Random, orders: int) -> Iterator[Action]:
    numbers = _mobiles(chance)
    oil, singles = max(2, int(orders * OIL_SHARE)), int(orders * SINGLE_SHARE)
    for _ in range(oil):
        yield _action(chance, Act.PLACE_OIL, [(str(chance.randrange(CARDS)), 500)])
    for _ in range(singles):
        yield _action(chance, Act.PLACE, [(next(numbers), chance.choice(VALUES))])
    left = orders - oil - singles
    while left > 0:
        size = min(left, chance.choices(SHEET_SIZES, SHEET_WEIGHTS)[0])
        left -= size
        yield _action(
            chance, Act.UPLOAD, [(next(numbers), 50 if size <= 3 else chance.choice(VALUES)) for _ in range(size)]
        )


def _action(chance: random.Random, act: Act, lines: list[tuple[str, int]]) -> Action:
    return Action(act, chance.getrandbits(32), tuple(lines), twice=chance.random() < 0.1)


def _mobiles(chance: random.Random) -> Iterator[str]:
    """Yield numbers, now and then one that was there before: a repetition that needs a reason."""
    given: list[str] = []
    number = chance.randrange(10_000_000)
    while True:
        if given and chance.random() < 0.01:
            yield chance.choice(given)
            continue
        number = (number + 7919) % 100_000_000
        given.append(f"{chance.choice(('138', '139', '150', '159', '186', '131', '189', '177'))}{number:08d}")
        yield given[-1]
