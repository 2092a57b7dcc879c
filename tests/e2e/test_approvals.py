"""An approver decides about several orders at once, by their sum."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.processes import ROOT

from .awaiting_approval import VALUES

pytestmark = pytest.mark.e2e


@pytest.fixture
def waiting(portal: str, database: Path) -> list[str]:
    """The numbers of three orders that await approval."""
    settings = {"DEBUG": "True", "DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "-m", "tests.e2e.awaiting_approval"]
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_several_orders_are_approved_by_their_sum(page: Page, portal: str, waiting: list[str]) -> None:
    page.context.clear_cookies()
    sign_in(page, portal, "approver", "approver-demo")
    page.goto(f"{portal}/approvals/")
    for number in waiting:
        page.check(f'input[name=order_no][value="{number}"]')
    page.locator("#bulk button[type=submit]").click()
    expect(page.locator("main .display-6")).to_have_text(f"¥ {sum(VALUES)}")
    expect(page.locator("main input[name=order_no]")).to_have_count(len(waiting))
    expect(page.locator("main input[name=decision]:checked")).to_have_count(0)
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.locator("main .invalid-feedback").first).to_be_visible()
    page.get_by_text("批准", exact=True).last.click()
    if page.locator("[name=password]").count():
        page.fill("[name=password]", "approver-demo")
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.locator("[data-done=yes]")).to_have_count(len(waiting))
    page.goto(f"{portal}/approvals/")
    for number in waiting:
        expect(page.locator(f'input[name=order_no][value="{number}"]')).to_have_count(0)
    page.goto(f"{portal}/orders/{waiting[0]}/")
    expect(page.locator("main")).to_contain_text("审批员")
