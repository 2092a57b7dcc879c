"""After the storm: everything comes to rest, and so much time passes that every question is asked and answered.

Real time would be hours. What is due is moved nearer instead, in the database, by rows; nothing else is touched.
"""

import time
from collections.abc import Callable
from typing import Any

from .acts import do
from .books import Platform, Portal
from .people import Person
from .plan import Act, Action

ROUNDS = 14
MINUTES = 61
"""That pass in a round: more than any question waits for but those about orders that are long under way."""

PATIENCE = 90.0
QUIET = 1.5
"""Seconds for which nothing may be due: longer than the pause between two sweeps."""

REVERSED, REFUNDED = 10, 4


def settle(portal: Portal, platform: Platform, clerk: Person, say: Callable[[str], None]) -> None:
    """Return when nothing is left that could be answered, or when that has been tried ROUNDS times.

    Args:
        portal, platform: both books. The approver and the supervisor are at work.
        clerk: places an order of each product at the end, by which the platform proves that it finds what it has.
        say: shows how far it is.
    """
    wait_for(lambda: not portal.progress()[1] or not _is_moving(portal), "the queue is empty")
    wait_for(platform.has_come_to_rest, "the platform's orders come to rest")
    do(Action(Act.PLACE, 1, (("13300000000", 50),)), clerk, portal)
    do(Action(Act.PLACE_OIL, 1, (("0", 500),)), clerk, portal)
    tell_reversals_again(portal, platform)
    for number in range(ROUNDS):
        wait_for(lambda: not _is_moving(portal) and platform.has_come_to_rest(), "nothing is due any more")
        left = open_questions(portal)
        say(f"time passes: round {number}, {left} orders without an answer")
        if not left and number:
            return
        portal.let_time_pass(MINUTES)


def open_questions(portal: Portal) -> int:
    """Return how many orders have something coming that time will bring."""
    return portal.number(
        "SELECT count(*) FROM recharge_order WHERE"
        " submission IN ('AWAITING_APPROVAL', 'QUEUED', 'SUBMITTING', 'UNKNOWN')"
        f" OR submission = 'ACCEPTED' AND confirmed_at IS NULL AND NOT ({portal.marked})"
    )


def tell_reversals_again(portal: Portal, platform: Platform) -> None:
    """Send the callbacks of reversals once more: nothing asks about a settled success, so they are all there is.

    Where the web was dead for all six sendings, or a fault has lost them, nobody could know. See docs/decisions.
    """
    ours = {row["order_no"]: row["status"] for row in portal.orders()}
    for entry in platform.report()["orders"]:
        if REVERSED in entry["history"] and ours.get(entry["order_no"]) not in (REVERSED, REFUNDED):
            for status in (REVERSED, REFUNDED):
                platform.call_back(entry["order_no"], status)


def wait_for(condition: Callable[[], Any], what: str) -> bool:
    """Wait until it holds, but not for ever; return whether it does. What is left is for the verdict to tell."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False


def _is_moving(portal: Portal) -> bool:
    """Say whether anything is due now, or becomes due by a sweep at most."""
    soon = f"now() + interval '{QUIET} seconds'"
    return bool(
        portal.number(
            "SELECT count(*) FROM recharge_order WHERE"
            f" next_check_at <= {soon} OR lease_until <= {soon} OR submission = 'AWAITING_APPROVAL'"
            f" OR submission = 'SUBMITTING' AND submitted_at > now() - interval '10 seconds'"
            f" OR submission = 'QUEUED' AND next_push_at <= {soon}"
        )
    )
