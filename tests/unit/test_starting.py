"""Processes that would do harm don't start, and say why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "DEBUG": "False",
    "SECRET_KEY": "q" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "https://portal.example.com",
    "FIELD_ENCRYPTION_KEYS": "3q2-7wPN1wq3b8xY0oZ1m2n3b4v5c6x7z8a9s0d1f2g=",
    "WIKEYUN_APP_KEY": "key",
    "WIKEYUN_APP_SECRET": "secret",
    "WIKEYUN_STORE_ID": "1",
}


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **PRODUCTION, **changes}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import portal.wsgi"),
        ("-m", "celery", "-A", "portal", "worker", "-P", "threads", "-c", "1"),
    ],
)
def test_processes_that_could_hear_no_other_refuse_the_memory_broker(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, CELERY_BROKER_URL="memory://")
    assert result.returncode != 0
    assert "memory://" in result.stderr


def test_gunicorn_does_not_start_with_unsafe_settings() -> None:
    result = run("-c", "import portal.wsgi", CELERY_BROKER_URL="redis://127.0.0.1:6379/5", PUBLIC_URL="http://x")
    assert result.returncode != 0
    assert "portal.E004" in result.stderr


def test_serve_shows_debug_pages_to_nobody_else(tmp_path: Path) -> None:
    result = run("manage.py", "serve", "--host", "0.0.0.0", DEBUG="True", DATABASE_URL=f"sqlite:///{tmp_path}/db")
    assert result.returncode != 0
    assert "DEBUG" in result.stderr


def test_serve_says_that_the_database_is_not_up_to_date(tmp_path: Path) -> None:
    result = run("manage.py", "serve", "--port", "1", DATABASE_URL=f"sqlite:///{tmp_path}/db")
    assert result.returncode != 0
    assert "migrate" in result.stderr


def test_demo_is_refused_in_production() -> None:
    result = run("manage.py", "demo")
    assert result.returncode != 0
    assert "DEBUG" in result.stderr
