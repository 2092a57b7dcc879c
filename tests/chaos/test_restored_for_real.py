"""A real portal is backed up, goes on, is lost, and is restored: nothing is pushed again, and open orders continue."""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from recharge.books.services.invariants import CHECKS
from tests.processes import ROOT, Processes, books, free_port, report, sandbox_settings, wait_for

pytestmark = pytest.mark.servers
PRELUDE = """
import django; django.setup()
from django.contrib.auth.models import User
from recharge.models import Order
from recharge.limits.services import emergency_stop
from recharge.orders.services import placing
clerk, _ = User.objects.get_or_create(username="clerk")
approver, _ = User.objects.get_or_create(username="approver")
"""


@dataclass
class Shop:
    """A portal with a database of its own, which the test may lose."""

    url: str
    processes: Processes
    backups: Path
    port: int = field(default_factory=free_port)

    def do(self, code: str) -> str:
        """Run some lines beside the portal and return what they print."""
        return self._run("-c", PRELUDE + code)

    def manage(self, *arguments: str) -> str:
        return self._run("manage.py", *arguments)

    def state(self, mobile: str) -> str:
        return self.do(f"print(Order.objects.get(mobile='{mobile}').submission)").strip()

    def ready(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> None:
        self.processes.end()

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.processes.environment, "DJANGO_SETTINGS_MODULE": "portal.settings"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def sql(statement: str) -> None:
    with psycopg.connect("postgres://postgres@127.0.0.1:5432/postgres", autocommit=True) as server:
        server.execute(statement)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    name = f"portal_restored_{uuid.uuid4().hex[:8]}"
    if request.param == "postgresql":
        sql(f"CREATE DATABASE {name}")
        url = f"postgres://postgres@127.0.0.1:5432/{name}"
    else:
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    processes = Processes(
        {
            "SECRET_KEY": settings.SECRET_KEY,
            "DEBUG": "True",
            "DATABASE_URL": url,
            "CELERY_BROKER_URL": "memory://localhost",
            "GENERATION_FILE": str(tmp_path / "generation"),
            "DOTENV_PATH": "/dev/null",
        }
    )
    yield Shop(url, processes, tmp_path / "backups")
    processes.end()
    if request.param == "postgresql":
        sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def lose_and_restore(shop: Shop) -> None:
    (backup,) = shop.backups.iterdir()
    if shop.url.startswith("sqlite"):
        database = Path(shop.url.removeprefix("sqlite:///"))
        for path in database.parent.glob("db.sqlite3-*"):
            path.unlink()
        shutil.copy(backup, database)
        return
    name = shop.url.rpartition("/")[2]
    sql(f"DROP DATABASE {name} WITH (FORCE)")
    sql(f"CREATE DATABASE {name}")
    subprocess.run(["pg_restore", f"--dbname={shop.url}", str(backup)], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_restored_portal_pays_nothing_twice(shop: Shop, tmp_path: Path, remembered: bool) -> None:
    with sandbox_settings(tmp_path, callbacks=False) as (sandbox, environment):
        shop.processes.environment |= {**environment, "PUBLIC_URL": f"http://127.0.0.1:{shop.port}"}
        shop.manage("migrate", "--verbosity=0")
        shop.processes.serve(shop.port)
        shop.do("placing.place_mobile_order(placed_by=clerk, mobile='13800138000', face_value=50)")
        wait_for(lambda: shop.state("13800138000") == "ACCEPTED", "an order goes its way", every=4)
        shop.do("emergency_stop.stop_everything(actor=clerk, reason='backup')")
        shop.do("placing.place_mobile_order(placed_by=clerk, mobile='13900139000', face_value=100)")
        assert "read back" in shop.manage("backup", "--to", str(shop.backups))
        shop.do("emergency_stop.go_on(stop_id=emergency_stop.current_stop().pk, actor=approver)")
        wait_for(lambda: shop.state("13900139000") == "ACCEPTED", "what was queued in the backup is pushed", every=4)
        assert report(sandbox)["calls"]["Recharge/pushOrder"] == 2
        shop.stop()

        lose_and_restore(shop)
        assert shop.state("13900139000") == "QUEUED"
        shop.do("emergency_stop.go_on(stop_id=emergency_stop.current_stop().pk, actor=approver)")
        if remembered:
            shop.manage("after_restore")
        shop.processes.serve(shop.port)
        if remembered:
            wait_for(lambda: shop.state("13900139000") == "ACCEPTED", "the platform is asked and knows it", every=4)
            shop.do("placing.place_mobile_order(placed_by=clerk, mobile='13700137000', face_value=50)")
            wait_for(lambda: shop.state("13700137000") == "ACCEPTED", "new orders go out", every=4)
        else:
            wait_for(lambda: shop.ready()[0] == 503, "the guard closes", patience=90, every=4)
            assert "restore guard closed" in shop.ready()[1]
            assert shop.state("13900139000") == "QUEUED"
        assert report(sandbox)["calls"]["Recharge/pushOrder"] == 2 + remembered == len(books(sandbox)) + 0
        assert shop.manage("check_books", "--full").count("ok (") == len(CHECKS)
