"""One run from beginning to end."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import report
from .books import Platform, Portal
from .cards import add_cards
from .checks import run_checks
from .logs import unexpected_errors
from .people import Outcomes, Person
from .plan import Plan
from .settling import settle
from .shop import CLERKS, OPENING_BALANCE, PASSWORD, Shop, open_shop
from .staff import Approver, Clerk, Gauge, Liar, Operator, Shared, Supervisor, Worker
from .verdict import ERRORS, Evidence, Verdict, judge
from .weather import Weather

TICK = 0.1
LAST_PAGE = 150.0
"""Seconds in which everybody comes to an end: longer than somebody tries to get a page."""

SECONDS_BETWEEN_NEWS = 15.0
LONGEST = (180.0, 1 / 6, 6.0)
"""A storm is broken off after so many seconds, and so many more for each order and for each kill."""


class Run:
    """People, weather and both books of one run."""

    def __init__(self, plan: Plan, shop: Shop) -> None:
        self.plan, self.shop = plan, shop
        self.portal, self.platform = Portal(shop.database_url), Platform(shop.platform_root)
        self.outcomes = Outcomes()
        self.weather = Weather(plan, shop, self.platform)
        self.is_complete = False
        self.started = time.monotonic()
        self.gauge, self.liar = Gauge(self.portal), Liar(self.portal, self.platform, plan)
        actions = Shared(plan)
        self.clerks = [Clerk(self.person(name), self.portal, actions, self.gauge) for name in CLERKS]
        self.of_the_storm: list[Worker] = [*self.clerks, self.liar]
        self.to_the_end: list[Worker] = [
            Approver(self.person("approver"), self.portal, plan.seeds["approver"]),
            Supervisor(self.person("supervisor"), self.portal, plan.seeds["supervisor"]),
            Operator(self.portal, shop.try_to_run, self.outcomes),
            self.gauge,
        ]

    @property
    def everybody(self) -> list[Worker]:
        return [*self.of_the_storm, *self.to_the_end]

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

    def settle(self) -> None:
        """Bring everything back, and let it come to rest."""
        self.is_complete = self._has_blown_over()
        self.weather.clear_up()
        end(self.of_the_storm)
        settle(self.portal, self.platform, self.person(CLERKS[0]), self.say)
        end(self.to_the_end)

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
        verdict.broken[ERRORS] = unexpected_errors(self.shop.folder)
        verdict.broken["people who could not go on"] = [
            f"{worker.name}: {worker.failure!r}" for worker in self.everybody if worker.failure or worker.is_alive()
        ]
        if not self.is_complete:
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
            **report.fates(self.platform.report()["orders"]),
            "workers given up on, by orders": self.portal.leases_expired(),
            "killed with -9": kills,
            "what was done to the processes": report.counted(done),
            "what people did": report.counted(self.outcomes.counted),
            "faults of the platform, half of all": ", ".join(self.plan.kinds),
            "storm, seconds": f"{storm_seconds:.0f}",
            "all, seconds": f"{time.monotonic() - self.started:.0f}",
            "orders/s in the storm": f"{len(orders) / storm_seconds:.1f}",
        }

    def _has_blown_over(self) -> bool:
        at_work = any(clerk.is_alive() for clerk in self.clerks)
        return not at_work and self.weather.is_over

    def _strikes_done(self) -> str:
        return f"{sum(self.weather.done.values())} of {len(self.plan.strikes)} strikes"


def end(workers: list[Worker]) -> None:
    for worker in workers:
        worker.over.set()
    for worker in workers:
        worker.join(LAST_PAGE)


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
