"""The whole background is killed with -9 in the middle of the work, twice, while the platform misbehaves.

On SQLite that is `manage.py serve` with its embedded worker; on PostgreSQL a real `celery worker` behind Redis.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from recharge.choices import Product, Submission
from recharge.models import DEAD_SUBMISSIONS, Order
from tests.oil_cards import place
from tests.processes import (
    Processes,
    books,
    clear_faults,
    database_url,
    free_port,
    sandbox_settings,
    set_fault,
    spoken_to,
    time_passes,
    wait_for,
)

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
ORDERS = 60  # half of them of each product
FAULTS = {"accept_hang": 0.08, "accept_502": 0.05, "refuse_html": 0.05, "reset": 0.05, "reject": 0.05}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, Processes, int]]:
    port = free_port()
    with sandbox_settings(tmp_path, latency="0.1") as (root, environment), spoken_to(environment):
        processes = Processes(
            {
                **environment,
                "DATABASE_URL": database_url(),
                "CELERY_BROKER_URL": os.environ.get("CELERY_BROKER_URL", "memory://"),
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "WIKEYUN_TIMEOUT": "2",
                "SWEEP_SECONDS": "0.5",
            }
        )
        yield root, processes, port
        processes.end()


def start(processes: Processes, port: int, tmp_path: Path) -> list[subprocess.Popen[bytes]]:
    portal = processes.serve(port)
    if connection.vendor == "sqlite":
        return [portal]
    options = ["-A", "portal", "worker", "-P", "threads", "-c", "8"]
    worker = processes.start("-m", "celery", *options)
    beat = processes.start("-m", "celery", "-A", "portal", "beat", "-s", str(tmp_path / "beat"))
    return [portal, worker, beat]


def kill(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.wait()


def pushes(root: str) -> int:
    return int(requests.get(f"{root}/sandbox/summary.json", timeout=5).json()["pushes"])


def place_orders(count: int = ORDERS) -> None:
    clerk = User.objects.create_user("clerk")
    for number in range(count):
        place(list(Product)[number % 2], placed_by=clerk, number=number)
    Order.objects.update(next_push_at=timezone.now())


def all_is_known(root: str) -> bool:
    time_passes(11)
    summary = requests.get(f"{root}/sandbox/summary.json", timeout=5).json()
    return not Order.objects.open().exists() and not summary["lives_under_way"]


def test_books_agree_after_two_kills(shop: tuple[str, Processes, int], tmp_path: Path) -> None:
    root, processes, port = shop
    for fault, probability in FAULTS.items():
        set_fault(root, fault=fault, probability=probability)
    place_orders()

    for at_least in (10, 30):
        started = start(processes, port, tmp_path)
        wait_for(lambda: pushes(root) >= at_least, f"{at_least} pushes")  # noqa: B023  (used at once)
        kill(started)
        assert Order.objects.open().exists(), "killed too late to prove anything"
        time_passes(11)
    clear_faults(root)
    start(processes, port, tmp_path)
    wait_for(lambda: all_is_known(root), "every order's fate is known")

    booked = books(root)
    for order in Order.objects.all():
        if order.submission in DEAD_SUBMISSIONS:
            assert order.order_no not in booked
            continue
        theirs = booked[order.order_no]
        assert theirs["pushes"] == 1
        assert theirs["product"].upper() == order.product
        assert order.submission == Submission.ACCEPTED
        assert (order.gateway_order_no, order.status) == (theirs["order_number"], theirs["status"])
    for product in Product:
        accepted = Order.objects.filter(product=product, submission=Submission.ACCEPTED).count()
        assert len([True for theirs in booked.values() if theirs["product"].upper() == product]) == accepted
        assert accepted > ORDERS / 4
    assert requests.get(f"{root}/sandbox/summary.json", timeout=5).json()["double_spent"] == []


def test_sigterm_leaves_nothing_half_way(shop: tuple[str, Processes, int], tmp_path: Path) -> None:
    root, processes, port = shop
    place_orders(98)  # so many that some still wait when a busy machine gets to stopping
    started = start(processes, port, tmp_path)
    wait_for(lambda: pushes(root) >= 5, "5 pushes")
    for process in started:
        process.send_signal(signal.SIGTERM)
    ends = [process.wait(timeout=20) for process in started]
    assert ends[:2] == [0] * len(ends[:2])
    # Beat holds no order; one that is told to stop before it listens to signals is ended by the system.
    assert set(ends[2:]) <= {0, -signal.SIGTERM}
    assert not Order.objects.filter(submission=Submission.SUBMITTING).exists()
    assert Order.objects.filter(submission=Submission.QUEUED).exists(), "stopped too late to prove anything"
