"""Where settings come from: the environment, a file for each secret, and `.env`, which no test reads."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = (PROJECT / ".env.example").read_text(encoding="utf-8")
NAMES = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
SECRETS: dict[str, str | list[str]] = {
    "SECRET_KEY": "a secret of its own",
    "SECRET_KEY_FALLBACKS": ["former", "older"],
    "FIELD_ENCRYPTION_KEYS": ["new", "old"],
    "WIKEYUN_APP_SECRET": "the platform's",
    "METRICS_TOKEN": "token",
    "OIDC_CLIENT_SECRET": "of the server",
    "DINGTALK_APP_SECRET": "of DingTalk",
    "FEISHU_APP_SECRET": "of Feishu",
    "CELERY_BROKER_URL": "redis://:password@broker:6379/0",
}
SHOW = (
    "import json; from portal import settings; print(json.dumps({name: getattr(settings, name) for name in"
    " ['SECRET_KEY', 'SECRET_KEY_FALLBACKS', 'FIELD_ENCRYPTION_KEYS', 'WIKEYUN_APP_SECRET', 'METRICS_TOKEN',"
    " 'OIDC_CLIENT_SECRET', 'DINGTALK_APP_SECRET', 'FEISHU_APP_SECRET',"
    " 'CELERY_BROKER_URL', 'DATABASES', 'DAILY_LIMIT']}, default=str))"
)


def read_settings(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process that knows of no others."""
    sources = {"PATH": os.environ["PATH"], "DOTENV_PATH": str(tmp_path / "none"), **environment}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=PROJECT, env=sources, capture_output=True, text=True, timeout=60
    )


def files(tmp_path: Path, **contents: str) -> dict[str, str]:
    """Write a file for each setting; return the variables that name them."""
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return {f"{name}_FILE": str(tmp_path / name) for name in contents}


def test_each_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    written = {name: value if isinstance(value, str) else ",".join(value) for name, value in SECRETS.items()}
    database = "postgres://portal:password@database:5432/portal"
    found = json.loads(read_settings(tmp_path, **files(tmp_path, DATABASE_URL=database, **written)).stdout)
    assert {name: found[name] for name in SECRETS} == SECRETS
    assert (found["DATABASES"]["default"]["PASSWORD"], found["DATABASES"]["default"]["HOST"]) == (
        "password",
        "database",
    )


def test_the_line_break_at_the_end_of_a_file_is_no_part_of_the_secret(tmp_path: Path) -> None:
    ends = {"WIKEYUN_APP_SECRET": "the platform's\n", "FIELD_ENCRYPTION_KEYS": "new,old\r\n"}
    found = json.loads(read_settings(tmp_path, **files(tmp_path, **ends)).stdout)
    assert found["WIKEYUN_APP_SECRET"] == "the platform's"
    assert found["FIELD_ENCRYPTION_KEYS"] == ["new", "old"]


def test_a_file_goes_before_a_variable(tmp_path: Path) -> None:
    named = files(tmp_path, WIKEYUN_APP_SECRET="from the file")
    found = json.loads(read_settings(tmp_path, WIKEYUN_APP_SECRET="from the environment", **named).stdout)
    assert found["WIKEYUN_APP_SECRET"] == "from the file"


def test_a_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    result = read_settings(tmp_path, WIKEYUN_APP_SECRET_FILE=str(tmp_path / "mistyped"))
    assert result.returncode != 0
    assert "mistyped" in result.stderr


def test_the_environment_goes_before_the_file_of_settings(tmp_path: Path) -> None:
    dotenv = tmp_path / "dotenv"
    dotenv.write_text("DAILY_LIMIT=100\nMETRICS_TOKEN=from the file of settings\n", encoding="utf-8")
    found = json.loads(read_settings(tmp_path, DOTENV_PATH=str(dotenv), DAILY_LIMIT="200").stdout)
    assert (found["DAILY_LIMIT"], found["METRICS_TOKEN"]) == (200, "from the file of settings")


def test_tests_read_no_file_of_settings() -> None:
    """Nor do the processes that they start: a test must never meet the credentials of somebody's shop."""
    assert settings.SETTINGS_MODULE == "tests.settings"
    assert settings.TESTING
    assert os.environ["DOTENV_PATH"] == os.devnull


def settings_of(**environment: str) -> dict[str, Any]:
    """Read the settings here, with nothing set but what is given."""
    sources = {"PATH": os.environ["PATH"], "DOTENV_PATH": os.devnull, **environment}
    with mock.patch.dict(os.environ, sources, clear=True):
        found = runpy.run_path(str(PROJECT / "portal" / "settings.py"))
        found["MULTIPROC"] = "PROMETHEUS_MULTIPROC_DIR" in os.environ
    return {name: value for name, value in found.items() if name.isupper() and name != "LOGGING"}


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    return settings_of()


@pytest.mark.parametrize("nothing", ["", " "])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "DEBUG"])
def test_a_setting_with_nothing_behind_it_has_its_default(name: str, nothing: str, defaults: dict[str, Any]) -> None:
    found = settings_of(**{name: nothing})
    assert [setting for setting, value in defaults.items() if found[setting] != value] == []


def test_debug_with_nothing_behind_it_is_off(defaults: dict[str, Any]) -> None:
    assert (settings_of(DEBUG="")["DEBUG"], defaults["DEBUG"]) == (False, True)


def test_a_file_with_nothing_in_it_is_no_setting(tmp_path: Path) -> None:
    assert json.loads(read_settings(tmp_path, **files(tmp_path, DAILY_LIMIT="\n")).stdout)["DAILY_LIMIT"] == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DAILY_LIMIT", "1.5", "DAILY_LIMIT must be a whole number."),
        ("ALERT_BACKUP_HOURS", "two", "ALERT_BACKUP_HOURS must be a number."),
        ("ALERT_BALANCE_YUAN", "10,000", "ALERT_BALANCE_YUAN must be a number."),
        ("ALERT_PLATFORM_DOWN_SECONDS", "5m", "ALERT_PLATFORM_DOWN_SECONDS must be a number."),
        ("WIKEYUN_TIMEOUT", "inf", "WIKEYUN_TIMEOUT must be a number."),
        ("FACE_VALUES", "50,x", "FACE_VALUES must be a whole number, or several separated by commas."),
    ],
)
def test_what_should_be_a_number_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(**{name: value})
    assert str(refused.value) == words


def test_a_number_is_read_as_it_is_written() -> None:
    named = {"ALERT_BALANCE_YUAN": "1e4", "ALERT_REFUND_DAYS": " 2.5 ", "WIKEYUN_MAX_RPS": "0"}
    found = settings_of(**named)
    assert {name: found[name] for name in named} == {
        "ALERT_BALANCE_YUAN": 10_000,
        "ALERT_REFUND_DAYS": 2.5,
        "WIKEYUN_MAX_RPS": 0,
    }


def test_the_command_line_names_a_wrong_setting_in_one_line() -> None:
    sources = {"PATH": os.environ["PATH"], "DOTENV_PATH": os.devnull, "ALERT_CASES": "many"}
    outcome = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=PROJECT, env=sources, capture_output=True, text=True, timeout=60
    )
    assert (outcome.returncode, outcome.stderr) == (1, "ALERT_CASES must be a number.\n")


def test_the_portal_starts_with_nothing_behind_any_setting() -> None:
    sources = {"PATH": os.environ["PATH"], "DOTENV_PATH": os.devnull, **dict.fromkeys(NAMES, ""), "DEBUG": "True"}
    outcome = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=PROJECT, env=sources, capture_output=True, text=True, timeout=60
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
