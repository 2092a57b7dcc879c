"""Who works at the pages: clerks who carry the plan out, people who decide about what comes up, and a liar outside."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from .acts import NOTE, do
from .books import Platform, Portal
from .people import GivenUp, Outcomes, Person
from .plan import PLACING, Action, Plan

BACKLOG = 900
"""Orders that may wait before the clerks place more: the storm shall meet orders under way, not a long queue."""

MAX_WAIT = 12.0
ROUND = 0.5
READING = 0.7
MAX_STOP = 4.0
EARLY, NEWEST = 0.6, 15
"""So many lies are about the newest orders, of which the truth isn't known yet."""

BROKER_EMPTIED = "the broker was emptied; the database is the one that ran all along"
HIGHEST_CODE = 14
"""Lies may have codes that nobody knows."""


class Worker(threading.Thread):
    """A thread that goes on until it is told to stop; what kills it is shown at the end."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.over = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.failure = error
            raise

    def work(self) -> None:
        raise NotImplementedError


class Gauge(Worker):
    """Reads how far the orders have got, for all who need to know: the database may be slow, or frozen."""

    def __init__(self, portal: Portal) -> None:
        super().__init__("gauge")
        self._portal = portal
        self.placed = self.waiting = 0

    def work(self) -> None:
        while not self.over.wait(READING):
            self.placed, self.waiting = self._portal.progress()

    @property
    def moved(self) -> int:
        """How many orders have left the queue."""
        return self.placed - self.waiting


class Clerk(Worker):
    """Carries out action after action; several clerks share the list."""

    def __init__(self, person: Person, portal: Portal, actions: Iterator[Action], gauge: Gauge) -> None:
        super().__init__(person.username)
        self._person, self._portal, self._actions, self._gauge = person, portal, actions, gauge

    def work(self) -> None:
        while not self.over.is_set() and (action := next(self._actions, None)):
            if action.act in PLACING:
                self._wait_for_room()
            with suppress(GivenUp):
                do(action, self._person, self._portal)

    def _wait_for_room(self) -> None:
        deadline = time.monotonic() + MAX_WAIT
        while self._gauge.waiting > BACKLOG and time.monotonic() < deadline and not self.over.is_set():
            time.sleep(0.3)


class Shared(Iterator[Action]):
    """The list of actions, safe among threads."""

    def __init__(self, plan: Plan) -> None:
        self._actions, self._lock = iter(plan.actions), threading.Lock()

    def __next__(self) -> Action:
        with self._lock:
            return next(self._actions)


class Deciding(Worker):
    """Somebody who goes round after round through what awaits a decision."""

    def __init__(self, person: Person, portal: Portal, seed: int) -> None:
        super().__init__(person.username)
        self.person, self.portal, self.chance = person, portal, random.Random(seed)

    def work(self) -> None:
        while not self.over.is_set():
            for duty in self.duties():
                with suppress(GivenUp):
                    duty()
            self.over.wait(ROUND)

    def duties(self) -> list[Callable[[], None]]:
        raise NotImplementedError


class Approver(Deciding):
    """Approves what awaits it, refuses now and then, and ends the emergency stop."""

    def duties(self) -> list[Callable[[], None]]:
        return [self.decide_batches, self.decide_orders, self.end_the_stop]

    def decide_batches(self) -> None:
        for batch in self.portal.batches("state = 'AWAITING_APPROVAL'"):
            self._decide(f"/approvals/batches/{batch}/")

    def decide_orders(self) -> None:
        for order in self.portal.some("submission = 'AWAITING_APPROVAL' AND batch_id IS NULL"):
            self._decide(f"/approvals/orders/{order['order_no']}/")

    def end_the_stop(self) -> None:
        if self.portal.is_stopped():
            self.over.wait(self.chance.uniform(0.5, MAX_STOP))
            self.person.fill("/stop/go-on/", "seen")
            self.person.outcomes.count("emergency stop ended")

    def _decide(self, path: str) -> None:
        answer = "reject" if self.chance.random() < 0.02 else "approve"
        if self.person.fill(path, "decision", decision=answer, reason=NOTE):
            self.person.outcomes.count(f"decided: {answer}")


class Supervisor(Deciding):
    """Lets paused batches go on, skips the wait for first orders, and takes care of what is marked."""

    def duties(self) -> list[Callable[[], None]]:
        return [self.release_batches, self.look_at_marks]

    def release_batches(self) -> None:
        for batch in self.portal.batches("state = 'PAUSED'"):
            if self.chance.random() < 0.01:
                self.person.fill(f"/batches/{batch}/withdraw/", "reason", reason=NOTE)
            elif self.person.fill(f"/batches/{batch}/resume/", "seen", reason=NOTE):
                self.person.outcomes.count("batch let go on")

    def look_at_marks(self) -> None:
        marked = self.portal.some(self.portal.marked)
        if marked and self.chance.random() < 0.2:
            order = self.chance.choice(marked)
            if self.person.fill(f"/orders/{order['order_no']}/acknowledge/", "note", ticked="marks", note=NOTE):
                self.person.outcomes.count("mark dealt with")


class Operator(Worker):
    """Who looks after the machines: knows that it was the broker that was emptied, and says so where the guard asks."""

    def __init__(self, portal: Portal, command: Callable[..., object], outcomes: Outcomes) -> None:
        """Keep what it works with.

        Args:
            portal: the database.
            command: runs a management command.
            outcomes: where it is counted.
        """
        super().__init__("operator")
        self._portal, self._command, self._outcomes = portal, command, outcomes

    def work(self) -> None:
        while not self.over.wait(ROUND):
            if self._portal.is_guarded():
                self._command("after_restore", "--belong-together", BROKER_EMPTIED)
                self._outcomes.count("guard opened again")


class Liar(Worker):
    """Sends callbacks in the platform's name that say what isn't so."""

    def __init__(self, portal: Portal, platform: Platform, plan: Plan) -> None:
        super().__init__("liar")
        self._portal, self._platform, self._lies = portal, platform, plan.lies
        self._chance = random.Random(plan.seeds["liar"])
        self.lied_about: set[str] = set()

    def work(self) -> None:
        for _ in range(self._lies):
            if self.over.wait(self._chance.uniform(0.2, 2.5)):
                return
            orders = self._portal.some("gateway_order_no IS NOT NULL")
            if self._chance.random() < EARLY:
                orders = orders[:NEWEST]
            if orders:
                order_no = self._chance.choice(orders)["order_no"]
                self.lied_about.add(order_no)
                status, times = self._chance.randint(0, HIGHEST_CODE), self._chance.randint(1, 2)
                self._platform.call_back(order_no, status, times=times)
