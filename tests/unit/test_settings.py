"""The settings: every one is explained, and dangerous ones keep the portal from starting."""

import os
import re
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


def test_every_setting_is_explained() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "portal/settings.py").read_text()))
    explained = set(re.findall(r"^#? ?([A-Z_]{4,})=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == explained


def test_production_settings_pass() -> None:
    result = run("manage.py", "check")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        ("E001", {"SECRET_KEY": ""}),
        ("E001", {"SECRET_KEY": "short"}),
        ("E001", {"SECRET_KEY": "for-trying-out-only-checks-refuse-it-when-DEBUG-is-off"}),
        ("E002", {"FIELD_ENCRYPTION_KEYS": ""}),
        ("E003", {"WIKEYUN_APP_KEY": ""}),
        ("E003", {"WIKEYUN_APP_SECRET": ""}),
        ("E003", {"WIKEYUN_STORE_ID": ""}),
        ("E004", {"PUBLIC_URL": "http://portal.example.com"}),
        ("E005", {"WIKEYUN_APP_KEY": "sandbox"}),
        ("E006", {"WIKEYUN_BASE_URL": "http://router.example.com/rest/"}),
        ("E007", {"WIKEYUN_TIMEOUT": "0"}),
        ("E007", {"WIKEYUN_TIMEOUT": "500"}),
        ("E008", {"FACE_VALUES": "50,-100"}),
        ("E008", {"OIL_FACE_VALUES": "0"}),
    ],
)
def test_unsafe_settings_are_refused(number: str, changes: dict[str, str]) -> None:
    result = run("manage.py", "check", **changes)
    assert result.returncode != 0
    assert f"portal.{number}" in result.stderr or "SECRET_KEY" in result.stderr


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


@pytest.mark.parametrize("command", ["demo", "try_out"])
def test_demo_is_refused_in_production(command: str) -> None:
    result = run("manage.py", command)
    assert result.returncode != 0
    assert "DEBUG" in result.stderr
