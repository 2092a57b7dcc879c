"""What every benchmark stands on: databases and processes of its own, production's settings, honest figures."""

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
import redis
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRESQL = "postgres://postgres@127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379"
REDIS_DATABASES = range(11, 16)
PATIENCE = 120.0
QUIET = 0.15
"""The share of the processors that may be busy when a round begins."""

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
    "DEBUG": "False",
    "SECRET_KEY": "a-key-of-the-benchmarks-that-protects-nothing-but-is-long-enough",
    "FIELD_ENCRYPTION_KEYS": "Zm9yIGJlbmNobWFya3Mgb25seSwgMzIgYnl0ZXMgISE=",
    "PUBLIC_URL": "https://portal.example",
    "WIKEYUN_BASE_URL": "http://127.0.0.1:9/rest/",
    "WIKEYUN_APP_KEY": "bench",
    "WIKEYUN_APP_SECRET": "bench-secret",
    "WIKEYUN_STORE_ID": "1",
    "PYTHONPATH": str(ROOT),
}


def begin(what: str) -> None:
    """Say what is measured on which machine; from now on a SIGTERM ends everything that was begun."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("stopped"))
    load = os.getloadavg()[0]
    print(f"{what}: {os.cpu_count()} cores, load {load:.1f} at the start, Python {sys.version.split()[0]}", flush=True)


@contextmanager
def postgresql(name: str) -> Iterator[str]:
    """Give the address of a new, migrated database; drop it afterwards."""
    name = f"portal_bench_{name}_{os.getpid()}"
    database = sql.Identifier(name)
    with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(database))
        try:
            url = f"{POSTGRESQL}/{name}"
            migrate(url)
            yield url
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))


@contextmanager
def redis_database() -> Iterator[str]:
    """Give the address of a Redis database that nobody else uses; empty it afterwards."""
    for number in REDIS_DATABASES:
        client = redis.Redis.from_url(f"{REDIS}/{number}")
        if not client.dbsize():
            break
        client.close()
    else:
        raise SystemExit(f"none of {REDIS}'s databases {REDIS_DATABASES} is empty")
    try:
        yield f"{REDIS}/{number}"
    finally:
        client.flushdb()
        client.close()


def migrate(database_url: str) -> None:
    environment = {**os.environ, **PRODUCTION, "DATABASE_URL": database_url}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True)


def enter(environment: dict[str, str]) -> None:
    """Make this process a part of the portal with production's settings; once a process."""
    import django

    os.environ.update(PRODUCTION | environment)
    django.setup()
    logging.disable(logging.ERROR)  # of this process, which is not what is measured


@contextmanager
def process(*arguments: str, environment: dict[str, str], ready: Callable[[], bool]) -> Iterator[int]:
    """Run a process, give its id once it is ready, and end it; what it said last is shown if anything fails."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **PRODUCTION, **environment},
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(lambda: child.poll() is not None or ready(), " ".join(arguments))
            assert child.poll() is None, "it ended"
            yield child.pid
        except Exception:
            output.seek(0)
            print(output.read().decode(errors="replace")[-4000:], file=sys.stderr)
            raise
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def run_to_its_end(command: Sequence[str]) -> None:
    """Run a part of a benchmark; if this process is told to stop, that one is, and may clean up."""
    child = subprocess.Popen(command, cwd=ROOT)
    signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    if code := child.wait():
        sys.exit(code)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def speaks_http(port: int) -> bool:
    """Say whether a server gives any answer at all."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_for(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.1)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of its children so far."""
    total = _own_cpu_seconds(pid)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return total + sum(cpu_seconds(int(child)) for child in children)


def _own_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(patience: float = 60.0) -> None:
    """Wait, but not for ever, until the machine has next to nothing else to do."""
    deadline = time.monotonic() + patience
    while _busy_share(1.0) > QUIET and time.monotonic() < deadline:
        pass


def _busy_share(seconds: float) -> float:
    busy, total = _processor_ticks()
    time.sleep(seconds)
    busy_later, total_later = _processor_ticks()
    return (busy_later - busy) / max(1, total_later - total)


def _processor_ticks() -> tuple[int, int]:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Show some measurements as `median (min-max)`."""
    return f"{median(values):{form}} ({min(values):{form}}-{max(values):{form}})"
