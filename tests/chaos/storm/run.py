"""One run from beginning to end."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import report
from .books import Platform, Portal
from .cards import add_cards
from .checks import run_checks
from .people import Outcomes, Person
from .plan import Plan
from .settling import settle
from .shop import CLERKS, OPENING_BALANCE, PASSWORD, Shop, open_shop
from .staff import Approver, Clerk, Deciding, Liar, Shared, Supervisor, Worker
from .verdict import Evidence, Verdict, judge
from .weather import Weather

TICK = 0.1
SECONDS_BETWEEN_NEWS = 15.0
LONGEST = (180.0, 1 / 6, 6.0)
"""A storm is broken off after so many seconds, and so many more for each order and for each kill."""


class Gauge(Worker):
    """Reads how far the orders have got, apart from whoever strikes: the database may be frozen."""

    def __init__(self, portal: Portal, over: threading.Event) -> None:
        super().__init__("gauge", over)
        self._portal = portal
        self.placed = self.waiting = 0

    def work(self) -> None:
        while not self.over.wait(0.3):
            self.placed, self.waiting = self._portal.progress()

    @property
    def moved(self) -> int:
        return self.placed - self.waiting


class Run:
    """People, weather and both books of one run."""

    def __init__(self, plan: Plan, shop: Shop) -> None:
        self.plan, self.shop = plan, shop
        self.portal, self.platform = Portal(shop.database_url), Platform(shop.platform_root)
        self.outcomes = Outcomes()
        self.weather = Weather(plan, shop, self.platform)
        self.storm_is_over, self.all_is_over = threading.Event(), threading.Event()
        self.started = time.monotonic()
        actions = Shared(plan)
        clerks = [Clerk(self.person(name), self.portal, actions, self.storm_is_over) for name in CLERKS]
        self.liar = Liar(self.portal, self.platform, plan, self.storm_is_over)
        self.placing: list[Worker] = [*clerks]
        self.deciding: list[Deciding] = [
            Approver(self.person("approver"), self.portal, plan.seeds["approver"], self.all_is_over),
            Supervisor(self.person("supervisor"), self.portal, plan.seeds["supervisor"], self.all_is_over),
        ]
        self.gauge = Gauge(self.portal, self.all_is_over)

    @property
    def everybody(self) -> list[Worker]:
        return [*self.placing, self.liar, *self.deciding, self.gauge]

    def person(self, username: str) -> Person:
        return Person(self.shop.web_root, username, PASSWORD, self.outcomes)

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self.started:6.0f} s  {what}", flush=True)

    def storm(self) -> None:
        """Let people work and the weather rage until both have done all that the plan has."""
        for worker in self.everybody:
            worker.start()
        base, per_order, per_kill = LONGEST
        deadline = time.monotonic() + base + per_order * self.plan.orders + per_kill * self.plan.kills
        next_news = 0.0
        while not self._has_blown_over() and time.monotonic() < deadline:
            self.weather.pass_by(self.gauge.moved)
            if time.monotonic() >= next_news:
                self.say(f"{self.gauge.placed} placed, {self.gauge.waiting} waiting; {self._strikes_done()}")
                next_news = time.monotonic() + SECONDS_BETWEEN_NEWS
            time.sleep(TICK)
        self.storm_is_over.set()

    def settle(self) -> None:
        """Bring everything back, and let it come to rest."""
        self.weather.clear_up()
        for worker in [*self.placing, self.liar]:
            worker.join(120)
        settle(self.portal, self.platform, self.person(CLERKS[0]), self.say)
        self.all_is_over.set()
        for worker in self.everybody:
            worker.join(120)

    def judge(self) -> Verdict:
        """Read both books and compare them; let the portal check its own."""
        verdict = judge(
            Evidence(
                orders=self.portal.orders(),
                platform=self.platform.report(),
                summary=self.platform.summary(),
                lied_about=frozenset(self.liar.lied_about),
                shown=frozenset(self.outcomes.shown_orders),
                opening_balance=Decimal(OPENING_BALANCE),
            )
        )
        run_checks(self.shop, verdict)
        verdict.broken["people who could not go on"] = [
            f"{worker.name}: {worker.failure!r}" for worker in self.everybody if worker.failure or worker.is_alive()
        ]
        if not self.weather.is_over or any(True for _ in self._left_undone()):
            verdict.broken["broken off"] = ["the storm took too long; a part of the plan was left out"]
        return verdict

    def figures(self, storm_seconds: float) -> dict[str, Any]:
        orders = self.portal.orders()
        done = self.weather.done
        kills = sum(number for name, number in done.items() if name.startswith("kill "))
        return {
            "seed": str(self.plan.seed),
            "orders placed": len(orders),
            "of them in the place of failed ones": sum(1 for order in orders if order["replaces_id"]),
            "accepted by the platform": sum(1 for order in orders if order["submission"] == "ACCEPTED"),
            "marked for a person": sum(1 for order in orders if order["marked"]),
            "orders that somebody lied about": len(self.liar.lied_about),
            "killed with -9": kills,
            "what was done to the processes": report.counted(done),
            "what people did": report.counted(self.outcomes.counted),
            "faults of the platform, half of all": ", ".join(self.plan.kinds),
            "storm, seconds": f"{storm_seconds:.0f}",
            "all, seconds": f"{time.monotonic() - self.started:.0f}",
            "orders/s in the storm": f"{len(orders) / storm_seconds:.1f}",
        }

    def _left_undone(self) -> Any:
        return (worker for worker in self.placing if worker.is_alive())

    def _has_blown_over(self) -> bool:
        at_work = any(worker.is_alive() for worker in self.placing)
        return not at_work and self.weather.is_over

    def _strikes_done(self) -> str:
        return f"{sum(self.weather.done.values())} of {len(self.plan.strikes)} strikes"


def run(plan: Plan, *, keep: str = "", say: Callable[[str], None] = print) -> bool:
    """Carry a plan out, print the table, and return whether all of it holds.

    Args:
        plan: what will happen.
        keep: see `open_shop`.
        say: prints a line.
    """
    with open_shop(plan, keep) as shop:
        this = Run(plan, shop)
        add_cards(this.person(CLERKS[0]))
        began = time.monotonic()
        this.storm()
        storm_seconds = time.monotonic() - began
        this.settle()
        verdict = this.judge()
        say("")
        say(report.table(verdict, this.figures(storm_seconds)))
        for case in report.cases(verdict):
            say(case)
    return verdict.holds
