"""Two administrators are needed to make a third; the first two of a shop are made with whoever owns the server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import show_factor, sign_in

pytestmark = pytest.mark.e2e
PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "a-long-enough-password"


def signed_in(browser: Browser, portal: str, name: str, password: str = PASSWORD) -> Page:
    page = browser.new_context(viewport={"width": 1360, "height": 900}, locale="zh-CN").new_page()
    sign_in(page, portal, name, password)
    return page


def ask_for_administrator(page: Page, portal: str, name: str) -> None:
    page.goto(f"{portal}/admin/auth/user/add/")
    page.fill("[name=username]", name)
    page.fill("[name=first_name]", f"管理员{name}")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.get_by_label("管理员", exact=True).check()
    page.fill("[name=reason]", "主管")
    page.click("[name=_save]")
    expect(page.get_by_text("尚未生效")).to_be_visible()
    page.get_by_role("link", name="查看待确认的内容").click()
    expect(page.get_by_text("这是您自己的申请")).to_be_visible()
    expect(page.get_by_text("确认", exact=True)).to_have_count(0)


def confirm_at_the_command_line(database: Path, number: str) -> None:
    environment = {**os.environ, "DOTENV_PATH": os.devnull, "DEBUG": "True", "CELERY_BROKER_URL": "memory://"}
    command = [sys.executable, "manage.py", "confirm_account_change", number, "--yes"]
    settings = {**environment, "DATABASE_URL": f"sqlite:///{database}"}
    subprocess.run(command, cwd=PROJECT, env=settings, check=True, capture_output=True, timeout=120)


def test_two_administrators_are_needed_to_make_a_third(browser: Browser, portal: str, database: Path) -> None:
    first = signed_in(browser, portal, "admin", "admin-demo")
    ask_for_administrator(first, portal, "second")
    expect(first.get_by_text("manage.py confirm_account_change")).to_be_visible()
    confirm_at_the_command_line(database, first.url.rstrip("/").rpartition("/")[2])
    first.reload()
    expect(first.locator("[data-outcome=CONFIRMED]")).to_be_visible()

    ask_for_administrator(first, portal, "third")
    third = signed_in(browser, portal, "third")
    third.goto(f"{portal}/accounts/changes/")
    expect(third.locator("[data-change]")).to_have_count(0)

    second = signed_in(browser, portal, "second")
    second.locator('a[title="权限变更"]').click()
    second.locator("[data-waiting] [data-change]").filter(has_text="third").locator("a.btn").click()
    expect(second.get_by_text("管理员third")).to_be_visible()
    second.get_by_text("确认", exact=True).first.click()
    second.locator("form.card button[type=submit], .card form button[type=submit]").last.click()
    expect(second.get_by_text("已确认，现已生效")).to_be_visible()

    third.goto(f"{portal}/")
    show_factor(third, portal, "third")  # which an administrator needs before anything else
    third.goto(f"{portal}/accounts/changes/")
    expect(third.locator("[data-change]").first).to_be_visible()
    first.goto(f"{portal}/audit/?kind=CHANGE_CONFIRMED")
    expect(first.locator("[data-event=CHANGE_CONFIRMED]")).to_have_count(2)
