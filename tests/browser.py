"""Debian's Chromium, driven by Playwright."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.authenticator import App

CHROMIUM = "/usr/bin/chromium"
SESSION_COOKIE = settings.SESSION_COOKIE_NAME
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched() -> Iterator[Browser]:
    """Run a browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


APPS: dict[tuple[str, str], App] = {}
"""The authenticator apps of those who set one up, by portal and username."""

SESSIONS: dict[tuple[str, str], str] = {}
"""The latest session of those who signed in, by portal and username: to hash a password takes half a second."""


def sign_in(page: Page, portal: str, username: str, password: str) -> None:
    """Go on with the session of an earlier page, where it is still good for the first page, or sign in."""
    if session := SESSIONS.get((portal, username)):
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": portal}])
        page.goto(f"{portal}/")
        if page.url == f"{portal}/":
            return
        page.context.clear_cookies(name=SESSION_COOKIE)
    type_password(page, portal, username, password)
    cookies = page.context.cookies(portal)
    SESSIONS[portal, username] = next(cookie["value"] for cookie in cookies if cookie["name"] == SESSION_COOKIE)


def type_password(page: Page, portal: str, username: str, password: str) -> None:
    """Sign in by a password and, where the portal wants one, a second factor."""
    page.goto(f"{portal}/accounts/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(re.compile(rf"^{portal}/(accounts/(factors?|password_change)/.*)?$"))
    if "/accounts/password_change/" in page.url:
        choose_password(page, password)
        page.goto(f"{portal}/")
    show_factor(page, portal, username)


def choose_password(page: Page, given: str) -> None:
    """Choose a password of one's own in place of the one that somebody else has set."""
    page.fill("[name=old_password]", given)
    for name in ("new_password1", "new_password2"):
        page.fill(f"[name={name}]", f"{given}, my own")
    page.press("[name=new_password2]", "Enter")
    page.wait_for_url(re.compile(r"/accounts/(password_change/done|factors)/"))


def show_factor(page: Page, portal: str, username: str) -> None:
    """Set up a second factor where the portal wants one, or show it; then wait for the first page."""
    page.wait_for_url(re.compile(rf"^{portal}/(accounts/factors?/.*)?$"))
    if "/accounts/factors/" in page.url:
        page.goto(f"{portal}/accounts/factors/app/")
        APPS[portal, username] = App(page.locator("[data-secret]").inner_text())
        page.fill("[name=code]", APPS[portal, username].code())
        page.press("[name=code]", "Enter")
        page.wait_for_url(f"{portal}/accounts/factors/codes/")
        page.locator(".card-footer a").click()
    elif "/accounts/factor/" in page.url:
        page.fill("[name=code]", APPS[portal, username].code())
        page.press("[name=code]", "Enter")
    page.wait_for_url(f"{portal}/")
