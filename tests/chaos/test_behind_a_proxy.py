"""`manage.py serve` with the settings of production, behind a web server that speaks https."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.databases import copy_migrated
from tests.processes import Processes, free_port

pytestmark = pytest.mark.servers


@pytest.fixture
def portal(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[str]:
    port = free_port()
    processes = Processes(
        {
            "DEBUG": "False",
            "SECRET_KEY": "q" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz",
            "PUBLIC_URL": "https://portal.example.com",
            "FIELD_ENCRYPTION_KEYS": "3q2-7wPN1wq3b8xY0oZ1m2n3b4v5c6x7z8a9s0d1f2g=",
            "WIKEYUN_BASE_URL": f"http://127.0.0.1:{free_port()}/rest/",
            "WIKEYUN_APP_KEY": "key",
            "WIKEYUN_APP_SECRET": "secret",
            "WIKEYUN_STORE_ID": "1",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'portal.sqlite3'}",
            "CELERY_BROKER_URL": "memory://",
        }
    )
    try:
        copy_migrated(pytestconfig, tmp_path / "portal.sqlite3")
        processes.serve(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.end()


@pytest.mark.parametrize(("headers", "status"), [({"X-Forwarded-Proto": "https"}, 401), ({}, 301)])
def test_only_what_came_by_https_is_answered(portal: str, headers: dict[str, str], status: int) -> None:
    answer = requests.get(f"{portal}/metrics", headers=headers, allow_redirects=False, timeout=10)
    assert answer.status_code == status


def test_callback_reaches_its_door(portal: str) -> None:
    answer = requests.post(f"{portal}/callback/no.token/", headers={"X-Forwarded-Proto": "https"}, timeout=10)
    assert answer.status_code in (404, 500)  # the page for 404 needs assets that only a build makes
    assert not answer.history
