"""Processes that can be killed, frozen and started again; each ends with the run, by the id it was started under."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
import redis

from tests.benchmarks.rig import ROOT, answers, wait_for

GRACE = 15.0
"""Seconds that a process has for ending by itself."""

DATABASE_USER = "postgres"


class Server:
    """One of the run's processes, with whatever it forks."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: dict[str, str],
        log: Path,
        is_ready: Callable[[], bool] = lambda: True,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        """Keep what it takes to start it.

        Args:
            name: for people, and for the plan.
            command: what is run, as often as it is started.
            environment: all of it, nothing is inherited.
            log: what it says is appended to.
            is_ready: whether it does its work.
            stop_signal: the one that asks it to end.
        """
        self.name = name
        self.frozen = False
        self._command, self._environment, self._log = command, environment, log
        self._is_ready, self._stop_signal = is_ready, stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self.is_running and not self.frozen and self._is_ready()

    def start(self) -> None:
        """Start it; where it runs already, do nothing."""
        if self.is_running:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        """Wait until it does its work; as a supervisor does, start it again where it ended for want of another."""
        wait_for(self._is_up, f"{self.name} starts, see {self._log}")

    def _is_up(self) -> bool:
        self.start()
        return self.is_ready

    def kill(self) -> None:
        """Kill it with -9, and all that it forked."""
        self._signal(signal.SIGKILL)
        self._reap()

    def kill_a_child(self, pick: int) -> bool:
        """Kill one of the processes that it forked; return whether there was one."""
        children = self._tree()[1:]
        if children:
            _signal(children[pick % len(children)], signal.SIGKILL)
        return bool(children)

    def freeze(self) -> None:
        self.frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self.frozen = False

    def ask_to_stop(self) -> None:
        if self._process and self.is_running:
            self.thaw()
            self._process.send_signal(self._stop_signal)

    def stop(self) -> None:
        """Ask it to end, and kill it if it doesn't."""
        self.ask_to_stop()
        try:
            self._reap()
        except subprocess.TimeoutExpired:
            self.kill()

    def _tree(self) -> list[int]:
        return _with_descendants(self._process.pid) if self._process and self.is_running else []

    def _signal(self, number: int) -> None:
        for pid in self._tree():
            _signal(pid, number)

    def _reap(self) -> None:
        self.frozen = False
        if self._process:
            self._process.wait(GRACE)


def _with_descendants(pid: int) -> list[int]:
    found = [pid]
    for process in found:
        with suppress(OSError):
            found += map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return found


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def python(name: str, *arguments: str, environment: dict[str, str], folder: Path, url: str = "") -> Server:
    """Return a server that is a Python program; ready once the address answers, where there is one."""
    return Server(
        name,
        [sys.executable, *arguments],
        environment=environment,
        log=folder / f"{name}.log",
        is_ready=(lambda: answers(url)) if url else (lambda: True),
    )


def broker(folder: Path, port: int) -> Server:
    """Return a Redis that keeps nothing over a restart."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no"]

    def is_ready() -> bool:
        with redis.Redis(port=port, socket_timeout=1) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False

    return Server("broker", command, environment=dict(os.environ), log=folder / "broker.log", is_ready=is_ready)


def database(folder: Path, port: int) -> Server:
    """Make a PostgreSQL cluster, and return the server for it.

    It doesn't wait for the disk: what it has written survives the death of its processes, only not that of the machine,
    which nobody kills here.
    """
    data = folder / "database"
    data.mkdir()
    if os.geteuid() == 0:  # as whom PostgreSQL refuses to run
        shutil.chown(data, DATABASE_USER, DATABASE_USER)
    initdb = ["initdb", "-D", str(data), "-U", DATABASE_USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(_as_its_user(initdb), check=True, stdout=subprocess.DEVNULL, cwd=data)
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "250",
        "shared_buffers": "256MB",
        "fsync": "off",
    }
    command = ["postgres", "-D", str(data), "-p", str(port)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]

    def is_ready() -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(f"{_address(port)}/postgres", connect_timeout=2).close()
            return True
        return False

    return Server(
        "database",
        _as_its_user(command),
        environment=dict(os.environ),
        log=folder / "database.log",
        is_ready=is_ready,
        stop_signal=signal.SIGINT,
    )


def create_database(port: int, name: str) -> str:
    """Create an empty database in a cluster that runs; return its address."""
    with psycopg.connect(f"{_address(port)}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    return f"{_address(port)}/{name}"


def _address(port: int) -> str:
    return f"postgres://{DATABASE_USER}@127.0.0.1:{port}"


def _as_its_user(command: list[str]) -> list[str]:
    program, *arguments = command
    path = _program(program)
    if os.geteuid() != 0:
        return [path, *arguments]
    return ["setpriv", f"--reuid={DATABASE_USER}", f"--regid={DATABASE_USER}", "--init-groups", path, *arguments]


def _program(name: str) -> str:
    """Debian keeps PostgreSQL's programs where no PATH leads, the newest version last."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(debian[-1]) if debian else shutil.which(name)
    assert path, f"there is no {name}: install PostgreSQL"
    return path
