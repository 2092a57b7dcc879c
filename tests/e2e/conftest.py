"""A real browser against the real portal, its worker and the sandbox platform; each in a process of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser import launched, sign_in
from tests.databases import copy_migrated
from tests.processes import MOMENTS, Processes, free_port, sandbox_settings

expect.set_options(timeout=20_000)  # milliseconds: a slow machine is no fault of the page


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    with sandbox_settings(tmp_path_factory.mktemp("sandbox"), suffixes=True, pace="0.3") as started:
        yield started


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the portal's database."""
    return Path(tmp_path_factory.mktemp("portal"), "portal.sqlite3")


@pytest.fixture(scope="session")
def portal(database: Path, sandbox: tuple[str, dict[str, str]], pytestconfig: pytest.Config) -> Iterator[str]:
    """The portal with demo data; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    processes = Processes(
        {
            **sandbox[1],
            "DEBUG": "True",
            "DATABASE_URL": f"sqlite:///{database}",
            "CELERY_BROKER_URL": "memory://",
            "PUBLIC_URL": url,
            "SWEEP_SECONDS": "1",
            "WIKEYUN_TIMEOUT": "2",
            "APPROVAL_ABOVE": "1000",
        }
    )
    try:
        copy_migrated(pytestconfig, database)
        assert processes.run("manage.py", "demo") == 0
        processes.serve(port)
        yield url
    finally:
        processes.end()


def time_passes(database: Path, order_no: str, *, minutes: int) -> None:
    """Move all moments of one order into the past."""
    moments = ", ".join(f"{name} = strftime('%Y-%m-%d %H:%M:%f000', {name}, '-{minutes} minutes')" for name in MOMENTS)
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute(f"UPDATE recharge_order SET {moments} WHERE order_no = ?", (order_no,))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(params=[{"width": 1360, "height": 900}, {"width": 390, "height": 844}], ids=["wide", "narrow"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=request.param, locale="en-US")
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained about: scripts, styles, the content security policy."""
    return []


@pytest.fixture
def page(context: BrowserContext, portal: str, complaints: list[str]) -> Iterator[Page]:
    """A page on which the operator is signed in."""

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "favicon" not in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, portal, "operator", "operator-demo")
    yield page
    assert complaints == []
