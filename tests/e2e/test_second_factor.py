"""Second factors in a real browser, and where one is signed in."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.authenticator import App
from tests.browser import APPS, show_factor

pytestmark = pytest.mark.e2e
PASSWORD = "approver-demo"
PHONE: dict[str, object] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
numbers = count(13_200_000_500)
"""None ends in what the sandbox takes for a sign."""
names = count(1)


@pytest.fixture
def approver(database: Path, portal: str) -> str:
    """A new approver, who has signed in nowhere yet; his username."""
    name = f"huang{next(names)}"
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        columns = "password, is_superuser, first_name, last_name, email, is_staff, is_active, date_joined"
        connection.execute(
            f"INSERT INTO auth_user (username, {columns}) SELECT ?, {columns} FROM auth_user WHERE username='approver'",
            (name,),
        )
        connection.execute(
            "INSERT INTO auth_user_groups (user_id, group_id) SELECT new.id, theirs.group_id FROM auth_user new, "
            "auth_user old JOIN auth_user_groups theirs ON theirs.user_id = old.id "
            "WHERE new.username = ? AND old.username = 'approver'",
            (name,),
        )
    return name


@pytest.fixture
def here(portal: str) -> str:
    """The portal by its name: browsers make no passkeys for a bare address."""
    return portal.replace("127.0.0.1", "localhost")


@pytest.fixture
def new_page(browser: Browser, context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


def type_password(page: Page, root: str, name: str) -> None:
    page.goto(f"{root}/accounts/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def sign_out(page: Page) -> None:
    if page.locator(".navbar-toggler").is_visible():
        page.locator(".navbar-toggler").click()
        page.locator("#menu.show").wait_for()
    page.locator("form[action='/accounts/logout/'] button").click()
    page.wait_for_url("**/accounts/login/")


def with_passkey(page: Page) -> None:
    """Give the browser a telephone with a fingerprint that is always the right one."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})


def time_passes(database: Path, page: Page, *, minutes: int) -> None:
    """Let the second factor that this browser has shown be so many minutes old."""
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT session_data FROM django_session WHERE session_key = ?", (key,)).fetchone()
        session = SessionStore().decode(text)
        session["factor_shown_at"] -= minutes * 60
        session["password_typed_at"] -= minutes * 60
        changed = SessionStore().encode(session)
        connection.execute("UPDATE django_session SET session_data = ? WHERE session_key = ?", (changed, key))


def test_an_approver_sets_up_an_app_before_anything_else(new_page: Page, portal: str, approver: str) -> None:
    page = new_page
    type_password(page, portal, approver)
    page.wait_for_url("**/accounts/factors/*")
    for path in ("/no/such/page/", "/approvals/", "/admin/", "/sessions/", "/"):
        page.goto(portal + path)
        expect(page).to_have_url(re.compile(r"/accounts/factors/\?next="))
        expect(page.locator("header")).to_have_count(0)
    page.get_by_role("link", name="设置验证器").click()
    app = App(page.locator("[data-secret]").inner_text())
    page.fill("[name=code]", "000000")
    page.press("[name=code]", "Enter")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    assert page.locator("[data-secret]").inner_text() == app.secret, "the picture that was read is still good"
    page.fill("[name=code]", app.code())
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/accounts/factors/codes/")
    codes = page.locator("textarea").input_value().splitlines()
    assert len(set(codes)) == 10
    page.locator(".card-footer a").click()
    page.goto(f"{portal}/accounts/factors/codes/")
    expect(page).to_have_url(f"{portal}/accounts/factors/")
    page.goto(f"{portal}/approvals/")
    expect(page).to_have_url(f"{portal}/approvals/")

    sign_out(page)
    type_password(page, portal, approver)
    page.wait_for_url("**/accounts/factor/*")
    page.fill("[name=code]", codes[3])
    page.press("[name=code]", "Enter")
    page.wait_for_url(f"{portal}/")
    sign_out(page)
    type_password(page, portal, approver)
    page.fill("[name=code]", codes[3])
    page.press("[name=code]", "Enter")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    page.goto(f"{portal}/approvals/")
    expect(page).to_have_url(re.compile("/accounts/factor/"))
    APPS[portal, approver] = app
    page.goto(f"{portal}/accounts/factor/")
    show_factor(page, portal, approver)


def test_a_passkey_approves_a_batch(
    new_page: Page, portal: str, here: str, approver: str, database: Path, browser: Browser
) -> None:
    page = new_page
    with_passkey(page)
    type_password(page, here, approver)
    page.wait_for_url("**/accounts/factors/*")
    page.get_by_role("link", name="添加通行密钥").click()
    page.fill("[name=name]", "办公室的电脑")
    page.locator("#passkey_button").click()
    page.wait_for_url("**/accounts/factors/codes/")
    sign_out_at(page, here)
    type_password(page, here, approver)
    page.wait_for_url("**/accounts/factor/*")
    page.locator("#passkey_button").click()
    page.wait_for_url(f"{here}/")

    number = batch_that_awaits(browser, portal)
    time_passes(database, page, minutes=16)
    page.goto(f"{here}/approvals/batches/{number}/")
    page.get_by_text("批准", exact=True).first.click()
    page.fill("[name=reason]", "已核对名单")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/accounts/factor/*")
    page.locator("#passkey_button").click()
    page.wait_for_url(f"{here}/approvals/batches/{number}/")
    expect(page.locator("[name=decision][value=approve]")).to_be_checked()
    expect(page.locator("[name=reason]")).to_have_value("已核对名单")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(f"{here}/approvals/")
    page.goto(f"{here}/batches/{number}/")
    expect(page.locator("main")).to_contain_text("已全部提交", timeout=20_000)


def test_a_sign_in_elsewhere_is_seen_and_ended(new_page: Page, browser: Browser, portal: str) -> None:
    page = new_page
    other = browser.new_context(locale="en-US", user_agent="Mozilla/5.0 (iPhone) Safari/605").new_page()
    for one in (page, other):
        one.goto(f"{portal}/accounts/login/")
        one.fill("[name=username]", "operator")
        one.fill("[name=password]", "operator-demo")
        one.press("[name=password]", "Enter")
        one.wait_for_url(f"{portal}/")
    page.goto(f"{portal}/sessions/")
    row = page.locator("li.list-group-item", has_text="iPhone")
    expect(row.first).to_contain_text("127.0.0.1")
    row.first.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("已结束")
    expect(page.locator("li.list-group-item", has_text="本浏览器")).to_have_count(1)
    other.goto(f"{portal}/orders/")
    expect(other).to_have_url(re.compile("/accounts/login/"))
    page.goto(f"{portal}/orders/")
    expect(page).to_have_url(f"{portal}/orders/")
    other.context.close()


def sign_out_at(page: Page, root: str) -> None:
    page.goto(f"{root}/sessions/")
    sign_out(page)


def batch_that_awaits(browser: Browser, portal: str) -> str:
    """Let the operator make a batch that a second person has to approve; return its number."""
    page = browser.new_context().new_page()
    page.goto(f"{portal}/accounts/login/")
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "operator-demo")
    page.press("[name=password]", "Enter")
    page.goto(f"{portal}/batches/new/")
    lines = "\n".join(["手机号,面值", *(f"{next(numbers)},200" for _ in range(6))])
    page.set_input_files("[name=file]", {"name": "list.csv", "mimeType": "text/csv", "buffer": lines.encode()})
    page.locator("form[enctype] button[type=submit]").click()
    page.wait_for_url(re.compile(r"/batches/new/[0-9a-f-]{36}/"))
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/batches/\d+/$"))
    number = page.url.rstrip("/").rpartition("/")[2]
    page.context.close()
    return number
