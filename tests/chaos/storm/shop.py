"""Every process that a portal in production has, and the stand-in for the platform, in a folder of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.benchmarks.rig import PRODUCTION, ROOT, free_port

from . import servers
from .faults import USUAL
from .plan import Plan
from .servers import Server

PASSWORD = "correct horse battery staple"  # protects nothing
CLERKS = ("clerk1", "clerk2", "clerk3", "clerk4")
STAFF = {**dict.fromkeys(CLERKS, "Operators"), "approver": "Approvers", "supervisor": "Operators"}
"""Username → group."""

WORKERS = ("worker one", "worker two")
OPENING_BALANCE = 1_000_000_000
"""Yuan: more than all orders cost."""

MAKE_STAFF = """
from django.contrib.auth.models import Group, User
for username, group in {staff!r}.items():
    User.objects.create_user(username, password={password!r}).groups.add(Group.objects.get(name=group))
"""


class Shop:
    """The processes, in the order in which they are started."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.web_root, self.platform_root = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._database_port, self._broker_port = free_port(), free_port()
        self._environment = self._settings()
        self.database = servers.database(folder, self._database_port)
        self.servers = [self.database, servers.broker(folder, self._broker_port), self._sandbox(plan), self._web()]
        self.servers += [self._worker(name) for name in WORKERS]
        self.servers.append(self._scheduler())
        self.database_url = ""

    def open(self) -> None:
        """Start everything; return once it works."""
        self.database.start()
        self.database.wait_until_ready()
        self.database_url = servers.create_database(self._database_port, "portal")
        self.run("migrate", "--verbosity=0")
        self.run("shell", "--verbosity=0", "-c", MAKE_STAFF.format(staff=STAFF, password=PASSWORD))
        for server in self.servers:
            server.start()
        for server in self.servers:
            server.wait_until_ready()

    def close(self) -> None:
        """End everything, the database last: the others may have something to write."""
        for server in self.servers[1:]:
            server.ask_to_stop()
        for server in reversed(self.servers):
            server.stop()

    def called(self, target: str) -> list[Server]:
        """Return the servers that a plan's target may mean."""
        meant = {"worker": WORKERS, "web worker": ("web",)}.get(target, (target,))
        return [server for server in self.servers if server.name in meant]

    def flush_broker(self) -> None:
        with redis.Redis(port=self._broker_port, socket_timeout=5) as broker:
            broker.flushall()

    def run(self, *arguments: str) -> str:
        """Run a management command that must succeed; return what it wrote."""
        done = self.try_to_run(*arguments)
        assert done.returncode == 0, f"manage.py {arguments[0]}: {done.stderr[-2000:]}"
        return done.stdout

    def try_to_run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def _settings(self) -> dict[str, str]:
        """Return the whole environment: nothing of somebody's `.env` may reach the run."""
        return {
            **os.environ,
            **PRODUCTION,
            "DOTENV_PATH": os.devnull,
            "DJANGO_SETTINGS_MODULE": "tests.chaos.storm.settings",
            "PUBLIC_URL": self.web_root,
            "ALLOWED_HOSTS": "127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": self.web_root,
            "DATABASE_URL": f"postgres://{servers.DATABASE_USER}@127.0.0.1:{self._database_port}/portal",
            "DATABASE_POOL_SIZE": "32",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self._broker_port}/0",
            "WIKEYUN_BASE_URL": f"{self.platform_root}/rest/",
            "WIKEYUN_APP_KEY": "sandbox",
            "WIKEYUN_APP_SECRET": "sandbox-secret",
            "WIKEYUN_STORE_ID": "1",
            "WIKEYUN_TIMEOUT": "2",
            "WIKEYUN_MAX_RPS": "0",
            "FACE_VALUES": "50,100,200",
            "OIL_FACE_VALUES": "500",
            "OIL_SPEEDS": "0",
            "APPROVAL_ABOVE": "150",
            "MFA_REQUIRED": "none",  # nobody there has a telephone
            "DAILY_LIMIT": "0",
            "DAILY_LIMIT_PER_PERSON": "0",
            "BALANCE_FLOOR": "0",
            "BATCH_CANARY": "3",
            "BRAKE_REJECTIONS": "5",
            "BRAKE_UNKNOWNS": "10",
            "BATCH_LANES": "16",
            "CHECK_LANES": "8",
            "SWEEP_SECONDS": "1",
        }

    def _sandbox(self, plan: Plan) -> Server:
        options = {
            "port": self.platform_root.rpartition(":")[2],
            "books": str(self.folder / "platform.sqlite3"),
            "balance": str(OPENING_BALANCE),
            "pace": str(USUAL["pace"]),
            "latency": "0.02",
            "life": "mix",
            "duplicates": "accept",  # so that whatever is pushed twice is spent twice, for all to see
            "seed": str(plan.seeds["platform"]),
        }
        return self._python(
            "platform",
            *("-m", "portal.sandbox", "--no-suffixes", *(f"--{name}={value}" for name, value in options.items())),
            url=f"{self.platform_root}/sandbox/summary.json",
        )

    def _web(self) -> Server:
        options = ("--worker-class=gthread", "--workers=2", "--threads=8", "--timeout=60", "--no-control-socket")
        bind = f"--bind={self.web_root.removeprefix('http://')}"
        return self._python("web", "-m", "gunicorn", "portal.wsgi", bind, *options, url=f"{self.web_root}/healthz")

    def _worker(self, name: str) -> Server:
        queues = ("-P", "threads", "-c", "24", "-Q", "orders,batches,checks,sweeps")
        quiet = ("-n", f"{name.replace(' ', '-')}@127.0.0.1", "--without-gossip", "--without-mingle")
        return self._python(name, "-m", "celery", "-A", "portal", "worker", *queues, *quiet)

    def _scheduler(self) -> Server:
        schedule = str(self.folder / "schedule")
        return self._python("scheduler", "-m", "celery", "-A", "portal", "beat", "-s", schedule, "--pidfile=")

    def _python(self, name: str, *arguments: str, url: str = "") -> Server:
        return servers.python(name, *arguments, environment=self._environment, folder=self.folder, url=url)


@contextmanager
def open_shop(plan: Plan, keep: str = "") -> Iterator[Shop]:
    """Give a shop that works; end all of its processes and delete its folder afterwards, whatever happens.

    Args:
        plan: of the run.
        keep: where logs and the platform's books are copied to, for looking at them; "" for nowhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    folder.chmod(0o711)  # the database's user passes through
    shop = None
    try:
        shop = Shop(folder, plan)
        shop.open()
        yield shop
    finally:
        if shop:
            shop.close()
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("database", "schedule*"))
        shutil.rmtree(folder)
