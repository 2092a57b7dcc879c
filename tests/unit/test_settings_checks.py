"""Unsafe or senseless settings are refused, each with a number of its own, and .env.example explains every setting."""

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import override_settings

from portal import celery, checks
from portal.accounts.outside import providers
from recharge.batches.services.braking import WINDOW

PROJECT = Path(__file__).resolve().parents[2]
SAFE: dict[str, Any] = {
    "DEBUG": False,
    "TESTING": False,
    "SECRET_KEY": "k3" * 30,
    "FIELD_ENCRYPTION_KEYS": ["3q2-7wPN1wq3b8xY0oZ1m2n3b4v5c6x7z8a9s0d1f2g="],
    "PUBLIC_URL": "https://portal.example.com",
    "WIKEYUN_BASE_URL": "https://platform.example.com/rest/",
    "WIKEYUN_APP_KEY": "key",
    "WIKEYUN_APP_SECRET": "secret",
    "WIKEYUN_STORE_ID": "1",
    "MFA_REQUIRED": "approvers",
}

OIDC = {"OIDC_ISSUER": "https://id.example.com/realms/shop", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}


def numbers() -> list[str | None]:
    found = [
        *checks.production_settings(None),
        *checks.values_that_make_sense(None),
        *checks.providers_are_whole(None),
    ]
    return [message.id for message in found]


def test_safe_settings_pass() -> None:
    with override_settings(**SAFE):
        assert numbers() == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"SECRET_KEY": "for-trying-out-only-checks-refuse-it-when-DEBUG-is-off"}, "portal.E001"),
        ({"SECRET_KEY": "short"}, "portal.E001"),
        ({"FIELD_ENCRYPTION_KEYS": []}, "portal.E002"),
        ({"WIKEYUN_APP_KEY": ""}, "portal.E003"),
        ({"WIKEYUN_APP_SECRET": ""}, "portal.E003"),
        ({"WIKEYUN_STORE_ID": ""}, "portal.E003"),
        ({"PUBLIC_URL": "http://portal.example.com"}, "portal.E004"),
        ({"WIKEYUN_APP_KEY": "sandbox"}, "portal.E005"),
        ({"WIKEYUN_BASE_URL": "http://platform.example.com/rest/"}, "portal.E006"),
        ({"WIKEYUN_TIMEOUT": 0.5}, "portal.E007"),
        ({"WIKEYUN_TIMEOUT": 121}, "portal.E007"),
        ({"FACE_VALUES": []}, "portal.E008"),
        ({"FACE_VALUES": [50, 0]}, "portal.E008"),
        ({"OIL_FACE_VALUES": [-500]}, "portal.E008"),
        ({"FIELD_ENCRYPTION_KEYS": ["not a key"]}, "portal.E009"),
        ({"SESSION_IDLE_MINUTES": 0}, "portal.E014"),
        ({"SESSION_HOURS": 0}, "portal.E014"),
        ({"MFA_REQUIRED": "approver"}, "portal.E016"),
        ({"MFA_FRESH_MINUTES": 0}, "portal.E017"),
        ({"MFA_REQUIRED": "none"}, "portal.E018"),
        *[
            ({name: "x"}, "portal.E030")
            for names in providers.SETTINGS.values()
            for name in names
            if "ISSUER" not in name
        ],
        ({"OIDC_ISSUER": "https://id.example.com"}, "portal.E030"),
        ({**OIDC, "OIDC_ISSUER": "http://id.example.com"}, "portal.E031"),
        ({**OIDC, "OIDC_ISSUER": "http://127.0.0.1:8080"}, "portal.E031"),
        ({**OIDC, "OIDC_ISSUER": "https://id.example.com/?x=1"}, "portal.E031"),
        ({**OIDC, "OIDC_ISSUER": "https://id.example.com/" + "x" * 150}, "portal.E031"),
        *[({name: -1}, "portal.E010") for name in checks.AT_LEAST_ZERO],
        *[({name: dt.timedelta(hours=-1)}, "portal.E019") for name in checks.DURATIONS.values()],
        ({"DECLARE_AFTER_HOURS": -1}, "portal.E019"),
        ({"ALERT_CALLBACKS_SILENT": 11, "ALERT_CALLBACKS_OF": 10}, "portal.E020"),
        *[({name: WINDOW + 1}, "portal.E012") for name in checks.WITHIN_WINDOW],
        *[({name: 0}, "portal.E011") for name in checks.AT_LEAST_ONE],
    ],
)
def test_an_unsafe_setting_is_refused(change: dict[str, Any], number: str) -> None:
    with override_settings(**{**SAFE, **change}):
        assert numbers() == [number]


def test_whole_providers_pass() -> None:
    of_the_others = {name: "x" for names in providers.SETTINGS.values() for name in names}
    with override_settings(**{**SAFE, **of_the_others, **OIDC}):
        assert numbers() == []
    with override_settings(**{**SAFE, **OIDC, "DEBUG": True, "OIDC_ISSUER": "http://127.0.0.1:8080"}):
        assert numbers() == []


@pytest.mark.parametrize("name", checks.AT_LEAST_ZERO)
def test_zero_switches_a_limit_off(name: str) -> None:
    with override_settings(**{**SAFE, name: 0}):
        assert numbers() == []


def test_trying_out_needs_no_settings() -> None:
    with override_settings(
        **{**SAFE, "DEBUG": True, "SECRET_KEY": "", "WIKEYUN_APP_KEY": "", "PUBLIC_URL": "http://x"}
    ):
        assert numbers() == []


def test_what_makes_no_sense_is_refused_while_trying_out_too() -> None:
    with override_settings(DEBUG=True, WIKEYUN_TIMEOUT=0):
        assert numbers() == ["portal.E007"]


def test_the_embedded_broker_is_refused_outside_its_process(settings: LazySettings) -> None:
    settings.EMBEDDED = True
    with pytest.raises(RuntimeError, match="memory://"):
        celery.refuse_memory_broker()


def test_the_command_line_refuses_unsafe_settings() -> None:
    outcome = manage("check", DEBUG="False")
    assert outcome.returncode == 1
    for number in ("E001", "E002", "E003", "E004"):
        assert f"portal.{number}" in outcome.stderr


def test_gunicorn_refuses_the_embedded_broker() -> None:
    outcome = run("-c", "import portal.wsgi", CELERY_BROKER_URL="memory://")
    assert outcome.returncode == 1
    assert "memory://" in outcome.stderr


def test_every_setting_is_explained_in_the_example() -> None:
    source = (PROJECT / "portal" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"""env\.\w+\(\s*"([A-Z_]+)\"""", source)) | {"PROMETHEUS_MULTIPROC_DIR"}
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == read


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_setting_is_in_the_readme(name: str) -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert [
        setting for setting in re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE) if f"`{setting}`" not in text
    ] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_no_setting_has_two_rows_in_the_readme(name: str) -> None:
    rows = re.findall(r"^\| (\**`[A-Z_]+`.*?) \|", (PROJECT / name).read_text(encoding="utf-8"), re.MULTILINE)
    settings = re.findall(r"`([A-Z_]+)`", " ".join(rows))
    assert len(settings) > 50
    assert sorted(settings) == sorted(set(settings))


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("manage.py", *arguments, **environment)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with nothing set but what is given; no file .env has a say, since all is named."""
    named = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "WIKEYUN_APP_KEY", "WIKEYUN_APP_SECRET", "WIKEYUN_STORE_ID")
    unset = {
        **dict.fromkeys(named, ""),
        "SECRET_KEY": "short",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "CELERY_BROKER_URL": "memory://",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **unset, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
