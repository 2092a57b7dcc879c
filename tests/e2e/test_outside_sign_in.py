"""The way to a provider and back in a real browser, and what axe has against its pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser import sign_in
from tests.databases import copy_migrated
from tests.e2e.test_accessibility import EVERYTHING, NARROW, OF_DJANGO, WIDE, Inspector, Rules
from tests.identity_providers import CLIENT, SECRET, IdentityProvider
from tests.processes import Processes, free_port
from tests.receivers import serving

pytestmark = pytest.mark.e2e
SHOTS = os.environ.get("SHOTS", "")
"""A folder for pictures of the pages."""


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    with serving(made.server):
        yield made
        made.let_go.set()


@pytest.fixture(scope="module")
def own_portal(
    provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[tuple[str, Processes]]:
    """A portal at which all three providers are switched on: its address, and what its commands run in."""
    port, database = free_port(), tmp_path_factory.mktemp("outside") / "portal.sqlite3"
    url = f"http://127.0.0.1:{port}"
    processes = Processes(
        {
            "DEBUG": "True",
            "DATABASE_URL": f"sqlite:///{database}",
            "CELERY_BROKER_URL": "memory://",
            "PUBLIC_URL": url,
            "MFA_REQUIRED": "none",
            **{"WIKEYUN_APP_KEY": "sandbox", "WIKEYUN_APP_SECRET": "sandbox", "WIKEYUN_STORE_ID": "1"},
            "WIKEYUN_BASE_URL": "http://127.0.0.1:9/",
            **{"DINGTALK_APP_KEY": CLIENT, "DINGTALK_APP_SECRET": SECRET},
            **{"FEISHU_APP_ID": CLIENT, "FEISHU_APP_SECRET": SECRET},
            **{"OIDC_ISSUER": provider.address, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET},
        }
    )
    try:
        copy_migrated(pytestconfig, database)
        assert processes.run("manage.py", "demo") == 0
        processes.serve(port)
        yield url, processes
    finally:
        processes.end()


@pytest.mark.parametrize(
    ("language", "size"), [("zh-hans", WIDE), ("en", NARROW)], ids=["wide-chinese", "narrow-english"]
)
def test_a_stranger_is_matched_by_two_and_then_signed_in(
    browser: Browser, own_portal: tuple[str, Processes], provider: IdentityProvider, language: str, size: ViewportSize
) -> None:
    address, processes = own_portal
    provider.claims = {"sub": language, "name": "王小明"}
    context = browser.new_context(viewport=size, color_scheme="light")
    context.add_cookies([{"name": "django_language", "value": language, "url": address}])
    page = context.new_page()
    inspector = Inspector(page, address)

    def shoot(name: str, rules: Rules = EVERYTHING) -> None:
        inspector.look(name, rules)
        if SHOTS:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{scheme}.png", full_page=True)
            page.emulate_media(color_scheme="light")

    page.goto(f"{address}/accounts/login/?next=/orders/new/")
    shoot("sign-in")
    page.locator("[data-outside=oidc]").click()
    page.locator("[data-identity-code]").wait_for()
    shoot("unmatched")
    code = page.locator("[data-identity-code]").inner_text()
    provider.refuses = True
    page.goto(f"{address}/accounts/login/")
    page.locator("[data-outside=oidc]").click()
    page.wait_for_url("**/back/*")
    shoot("cancelled")
    provider.refuses = False
    page.goto(f"{address}/accounts/outside/oidc/back/?state=x")
    shoot("stale")

    sign_in(page, address, "admin", "admin-demo")
    page.goto(f"{address}/admin/accounts/unmatchedidentity/")
    shoot("admin-list", rules=OF_DJANGO)
    page.locator("#result_list tbody a").first.click()
    page.select_option("[name=user]", index=1 if language == "en" else 2)
    page.fill("[name=code]", "000000")
    page.fill("[name=reason]", "x")
    page.locator("[name=_save]").click()
    page.locator(".errorlist").first.wait_for()
    shoot("admin-matching", rules=OF_DJANGO)
    page.fill("[name=code]", code)
    page.locator("[name=_save]").click()
    page.locator(".messagelist a").click()
    page.locator("[data-change]").wait_for()
    shoot("change")
    expect(page.locator("[data-change]")).to_contain_text("王小明")
    number = page.locator("[data-change]").get_attribute("data-change")
    assert processes.run("manage.py", "confirm_account_change", str(number), "--yes") == 0
    page.context.clear_cookies(name="sessionid")
    page.goto(f"{address}/accounts/login/?next=/sessions/")
    page.locator("[data-outside=oidc]").click()
    page.wait_for_url(f"{address}/sessions/")
    context.close()
    assert not inspector.found, "\n\n".join(f"{sorted(at)[:3]}\n{what}" for what, at in inspector.found.items())
