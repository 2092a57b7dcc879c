"""Real processes for tests: a sandbox platform, workers, a portal; and what one waits for."""

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import requests
from django.db import OperationalError, connection, connections
from django.db.models import F
from django.test import override_settings

from oilcards.models import OilCard
from portal import platform
from recharge.core import queue
from recharge.fulfilment.services import checking
from recharge.models import Order
from recharge.operations.services import sweeping

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0
MOMENTS = ("next_push_at", "next_check_at", "asked_at", "first_missing_at", "last_missing_at", "lease_until")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def database_url() -> str:
    """Return the address of the test database for another process; SQLite's must be a file for that."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        assert "memory" not in str(values["NAME"]), "another process needs a database in a file"
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def wait_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE, every: float = 0.05) -> Any:
    """Poll every so many seconds until `condition` is true; fail with `what` when patience runs out."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(every)
    raise AssertionError(f"in vain: {what}")


def time_passes(minutes: int) -> None:
    """Move all moments of the cards, and of the orders that aren't over, into the past."""
    delta = dt.timedelta(minutes=minutes)
    for tries_left in reversed(range(5)):
        try:
            Order.objects.filter(settled_at=None).update(**{moment: F(moment) - delta for moment in MOMENTS})
            break
        except OperationalError:  # a deadlock with the portal, which locks orders one by one
            if not tries_left:
                raise
    OilCard.objects.update(lease_until=F("lease_until") - delta)


class Processes:
    """Starts real processes, with the product's settings, and ends every one of them by its id."""

    def __init__(self, environment: dict[str, str]) -> None:
        product = {"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(ROOT)}
        self.environment = {**os.environ, **product, **environment}
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> int:
        """Run a process to its end and return its exit code; negative where a signal ended it."""
        return self.start(*arguments).wait(timeout=PATIENCE)

    def serve(self, port: int) -> subprocess.Popen[bytes]:
        process = self.start("manage.py", "serve", "--port", str(port))
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "the portal starts")
        return process

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=PATIENCE)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@contextmanager
def sandbox_settings(
    tmp_path: Path, *, callbacks: bool = True, suffixes: bool = False, **options: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Run a sandbox platform; give its root address and the portal's settings for it."""
    port = free_port()
    books = tmp_path / f"books-{uuid.uuid4().hex}.sqlite3"
    arguments = [f"--{name}={value}" for name, value in {"pace": "0.05", "latency": "0.01", **options}.items()]
    switches = [] if suffixes else ["--no-suffixes"]
    if not callbacks:
        switches.append("--no-callbacks")
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.sandbox", f"--port={port}", f"--books={books}", *switches, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    root = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{root}/sandbox/summary.json"), "the sandbox starts")
        yield (
            root,
            {
                "WIKEYUN_BASE_URL": f"{root}/rest/",
                "WIKEYUN_APP_KEY": "sandbox",
                "WIKEYUN_APP_SECRET": "sandbox-secret",
                "WIKEYUN_STORE_ID": "1",
                "WIKEYUN_TIMEOUT": "3",
            },
        )
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@contextmanager
def spoken_to(environment: dict[str, str]) -> Iterator[None]:
    """Let the services of this very process speak to the platform that these settings name."""
    timeout = float(environment["WIKEYUN_TIMEOUT"])
    with override_settings(**{**environment, "WIKEYUN_TIMEOUT": timeout}):
        platform.client.cache_clear()
        yield
    platform.client.cache_clear()


def set_fault(root: str, **fault: Any) -> None:
    requests.post(f"{root}/sandbox/faults", json=fault, timeout=5).raise_for_status()


def clear_faults(root: str) -> None:
    requests.delete(f"{root}/sandbox/faults", timeout=5).raise_for_status()


def books(root: str) -> dict[str, dict[str, Any]]:
    """Return the sandbox's orders by our number."""
    return {order["order_no"]: order for order in report(root)["orders"]}


def report(root: str) -> dict[str, Any]:
    """Return all of the sandbox's books: orders, cards, and how often each call was made."""
    answer: dict[str, Any] = requests.get(f"{root}/sandbox/books.json", timeout=120).json()
    return answer


def wait_until_quiet(root: str) -> None:
    """Wait until the sandbox's orders have come to the end of their lives and all callbacks are sent."""

    def quiet() -> bool:
        summary = requests.get(f"{root}/sandbox/summary.json", timeout=5).json()
        return not summary["lives_under_way"] and not summary["callbacks_waiting"]

    wait_for(quiet, "the sandbox's orders end")


def answer_everything(work: Callable[[], None]) -> None:
    """Let so much time pass, and everything due be done, that every question has been asked and answered."""
    for _ in range(6):
        time_passes(61)
        with mock.patch.object(queue, "start_drains"):
            sweeping.sweep()
        checking.check_due_orders()
        work()
    connections.close_all()
