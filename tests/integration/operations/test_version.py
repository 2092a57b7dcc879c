"""Which version it is: on every page, for programs that watch over it, and as the change log has it."""

import re
from pathlib import Path

import pytest
from django.test import Client

from portal import __version__
from tests.people import person

PROJECT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/auth/user/", "/no/such/page/", "/orders/?before=abc"])
def test_every_page_says_its_version(client: Client, path: str) -> None:
    client.force_login(person("administrator"))
    assert f"充值系统 {__version__}" in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/"])
def test_a_page_for_strangers_says_its_version(client: Client, path: str) -> None:
    assert f"充值系统 {__version__}" in client.get(path, follow=True).content.decode()


def test_a_watching_program_reads_the_version_from_a_header(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.content, response["Portal-Version"]) == (b"ok", __version__)


def test_the_change_log_tells_about_the_version() -> None:
    told = re.findall(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert next(title for title in told if title != "Unreleased") == __version__
