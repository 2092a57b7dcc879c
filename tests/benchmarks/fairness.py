"""How long a clerk waits beside a batch of 10,000: `python -m tests.benchmarks.fairness`.

PostgreSQL, Redis and a worker for each queue, as in docs/deploy, and a platform that takes 200 ms. Every second a
single order is placed, as a clerk places one: first with nothing else to do, then while a batch goes out, then while
another batch goes out and the platform hangs for each of its orders. The time runs from just before the placing to the
claim, which is committed right before the first byte, both by the machine's one clock. The brake is off, or the third
part would be over after ten hanging orders.
"""

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from . import rig

LATENCY, WANTED_SECONDS = 0.2, 2.0
WORKERS = {"orders": 32, "batches": 32, "checks": 16, "sweeps": 2}
"""Threads by queues."""

HANGING = "7"
"""The last digit of the numbers for which the platform takes an order and never answers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="of each batch")
    parser.add_argument("--seconds", type=int, default=45, help="of each part; so many single orders")
    options = parser.parse_args()
    rig.begin("fairness")
    with ExitStack() as stack:
        root, platform = stack.enter_context(_platform())
        environment = platform | {
            "DATABASE_URL": stack.enter_context(rig.postgresql("fairness")),
            "CELERY_BROKER_URL": stack.enter_context(rig.redis_database()),
            "BATCH_CANARY": "0",
            "BRAKE_UNKNOWNS": "0",
        }
        rig.enter(environment)
        stack.enter_context(_workers(environment))
        _measure(root, options.orders, options.seconds)


def _measure(root: str, orders: int, seconds: int) -> None:
    from django.contrib.auth.models import User

    from recharge.batches.services import managing

    clerk = User.objects.create_user("clerk")
    _waits(clerk, "130", 3)  # until everything is warm
    rig.wait_for_quiet()
    _show("no batch", _waits(clerk, "138", seconds), "")
    _send(f"{root}/sandbox/faults", {"fault": "accept_hang", "suffix": HANGING})
    for what, digit in (("a batch", "1"), ("a hanging batch", HANGING)):
        rig.wait_for_quiet()
        batch = _make_batch(clerk, digit, orders)
        waits = _waits(clerk, f"15{digit}", seconds)
        _show(what, waits, f"; meanwhile {_handed_over(batch):,} of {orders:,} of the batch went out")
        managing.withdraw_rest(batch_id=batch.pk, actor=clerk)


def _waits(clerk: Any, prefix: str, count: int) -> list[float]:
    """Place so many single orders, one a second, and return for how many seconds each waited until it was taken up."""
    from django.utils import timezone

    from recharge.models import Order, OrderEvent
    from recharge.orders.services import placing

    placed = {}
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number - time.monotonic()))
        moment = timezone.now()
        placed[placing.place_mobile_order(placed_by=clerk, mobile=f"{prefix}{number:07d}0", face_value=50).pk] = moment
    orders = Order.objects.filter(pk__in=placed)
    rig.wait_for(lambda: orders.filter(submission="ACCEPTED", claims=1).count() == count, "all are accepted")
    claimed = OrderEvent.objects.filter(order__in=placed, kind="CLAIMED").values_list("order", "at")
    return [(at - placed[order]).total_seconds() for order, at in claimed]


def _make_batch(clerk: Any, digit: str, orders: int) -> Any:
    from recharge.batches.services import judging, making, uploading
    from recharge.choices import Product

    lines = ("mobile,face_value", *(f"139{number:07d}{digit},50" for number in range(orders)))
    draft = uploading.keep_upload(
        content="\n".join(lines).encode(), file_name="list.csv", product=Product.MOBILE, uploaded_by=clerk
    )
    judging.judge_waiting()
    return making.make_batch(draft=draft, made_by=clerk)


def _handed_over(batch: Any) -> int:
    from recharge.models import Order

    return Order.objects.filter(batch=batch, claims__gt=0).count()


def _show(what: str, waits: list[float], more: str) -> None:
    print(f"  beside {what:16} {rig.spread(waits)} s, ", end="")
    print(f"wanted {WANTED_SECONDS} at most, {len(waits)} orders{more}", flush=True)


@contextmanager
def _platform() -> Iterator[tuple[str, dict[str, str]]]:
    """Run a sandbox platform that gives no news of orders; give its address and the portal's settings for it."""
    port = rig.free_port()
    root = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as directory:
        options = (f"--port={port}", f"--latency={LATENCY}", "--pace=60", "--app-key=bench", "--balance=99999999")
        settings = ("--app-secret=bench-secret", "--no-suffixes", "--no-callbacks", f"--books={directory}/books")
        ready = partial(rig.answers, f"{root}/sandbox/summary.json")
        with rig.process("-m", "portal.sandbox", *options, *settings, environment={}, ready=ready):
            yield root, {"WIKEYUN_BASE_URL": f"{root}/rest/"}


@contextmanager
def _workers(environment: dict[str, str]) -> Iterator[None]:
    celery, lean = ("-m", "celery", "-A", "portal"), ("--without-gossip", "--without-mingle")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for queue, threads in WORKERS.items():
            options = ("-P", "threads", "-c", str(threads), "-Q", queue, "-n", f"{queue}@%h", *lean)
            stack.enter_context(rig.process(*celery, "worker", *options, environment=environment, ready=lambda: True))
        beat = ("beat", f"--schedule={directory / 'beat'}", "--pidfile=")
        stack.enter_context(rig.process(*celery, *beat, environment=environment, ready=lambda: True))
        yield


def _send(url: str, values: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(values).encode(), headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


if __name__ == "__main__":
    main()
