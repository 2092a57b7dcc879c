"""What befalls the processes and the platform while people work: kills, freezes, flushes, restarts, and faults."""

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable

from .books import Platform
from .faults import USUAL
from .plan import Blow, Phase, Plan, Strike
from .servers import Server
from .shop import Shop

MIN_GAP = 1.0
MAX_GAP = 15.0
"""Seconds between two strikes: not all at once, and none is saved up for ever where no order moves."""

RESTART_SECONDS = 0.1
"""After which whoever watches over the processes starts a dead one again."""


class Weather:
    """Carries out the plan's strikes and phases, as orders go out. Call `pass_by` again and again."""

    def __init__(self, plan: Plan, shop: Shop, platform: Platform) -> None:
        self._shop, self._platform = shop, platform
        self._strikes, self._phases = list(plan.strikes), list(plan.phases)
        self._phase: Phase | None = None
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._last = time.monotonic()
        self.done: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        return not self._strikes and not self._later

    def pass_by(self, moved: int) -> None:
        """Do what is due.

        Args:
            moved: how many orders have left the queue so far.
        """
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        if self._phases and moved >= self._phases[0].at:
            self._phase = self._phases.pop(0)
            self._tell_the_platform()
        if self._strikes and self._is_due(self._strikes[0], moved, now) and self._strike(self._strikes[0]):
            self._strikes.pop(0)
            self._last = now

    def clear_up(self) -> None:
        """Bring everything back that is dead or frozen, and switch all faults off."""
        while self._later:
            heapq.heappop(self._later)[2]()
        self._phase = None
        for server in self._shop.servers:
            server.wait_until_ready()
        self._tell_the_platform()

    def _is_due(self, strike: Strike, moved: int, now: float) -> bool:
        gap = now - self._last
        return gap >= MIN_GAP and (moved >= strike.at or gap >= MAX_GAP)

    def _strike(self, strike: Strike) -> bool:
        """Do it, unless nothing of the kind is up just now; return whether it was done."""
        candidates = [server for server in self._shop.called(strike.target) if server.is_running and not server.frozen]
        if not candidates:
            return False
        server = candidates[strike.pick % len(candidates)]
        if strike.target == "web worker" and not server.kill_a_child(strike.pick):
            return False
        match strike.blow:
            case Blow.KILL if strike.target != "web worker":
                server.kill()
                self._in(strike.seconds + RESTART_SECONDS, lambda: self._start(server))
            case Blow.FREEZE:
                server.freeze()
                self._in(strike.seconds, server.thaw)
            case Blow.FLUSH:
                self._shop.flush_broker()
            case Blow.RESTART:
                server.stop()
                self._start(server)
        self.done[f"{strike.blow} {strike.target}"] += 1
        return True

    def _start(self, server: Server) -> None:
        server.start()
        if server.name == "platform":  # which has forgotten its faults
            server.wait_until_ready()
            self._tell_the_platform()

    def _tell_the_platform(self) -> None:
        self._platform.set_faults(*((self._phase.rules, self._phase.settings) if self._phase else ([], USUAL)))

    def _in(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), what))
