"""Finance hands over a claim of what the platform owes; what comes back is crossed off."""

import re

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import sign_in
from tests.processes import books, wait_for

pytestmark = pytest.mark.e2e
ROWS = 20
CLAIM_PAGE = re.compile(r"/refunds/claims/\d+/$")
LIST = "\n".join(f"1391{number:04}003,50,快" for number in range(ROWS))
"""A number that ends in 003 gets a part of its money."""


@pytest.fixture
def context(browser: Browser) -> BrowserContext:
    """A window of 1280 pixels alone: the claim is of all that is owed, which a second window would claim again."""
    return browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")


def owed(page: Page, portal: str, query: str = "") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = page.request.get(f"{portal}/refunds/?format=json{query}").json()["rows"]
    return rows


def place(page: Page, portal: str) -> None:
    """Make a batch of what the platform will owe a part of, and let all of it go out."""
    page.goto(f"{portal}/batches/new/")
    content = f"手机号,面值,快慢\n{LIST}".encode()
    page.set_input_files("input[name=file]", {"name": "list.csv", "mimeType": "text/csv", "buffer": content})
    page.locator("form[enctype] button[type=submit]").click()
    page.wait_for_url(re.compile(r"/batches/new/[0-9a-f-]{36}/$"))
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/batches/\d+/$"))


def refund(page: Page, portal: str, sandbox: str, order_no: str) -> None:
    """Let the platform give the money back, and say so."""
    requests.post(f"{sandbox}/sandbox/orders/{order_no}/status", json={"status": 4}, timeout=5).raise_for_status()
    wait_for(
        lambda: order_no not in {row["order_no"] for row in owed(page, portal)}, "the refund is confirmed", patience=90
    )


def test_finance_claims_twenty_rows_and_a_refund_crosses_one_off(
    page: Page, portal: str, sandbox: tuple[str, dict[str, str]]
) -> None:
    place(page, portal)
    page.context.clear_cookies()
    sign_in(page, portal, "auditor", "auditor-demo")

    def ours() -> list[dict[str, str]]:
        booked = books(sandbox[0])
        targets = {number: booked[number]["target"] for number in (row["order_no"] for row in rows) if number in booked}
        return [row for row in rows if targets.get(row["order_no"], "").endswith("003")]

    def all_owed() -> bool:
        rows[:] = owed(page, portal)
        return len(ours()) >= ROWS

    rows: list[dict[str, str]] = []
    wait_for(all_owed, "the platform owes all of it", patience=120, every=1)

    page.goto(f"{portal}/refunds/?claimed=no")
    wanted = [row for row in owed(page, portal) if row in ours()][-ROWS:]
    for row in wanted:
        page.check(f'input[name=order_no][value="{row["order_no"]}"]')
    page.get_by_role("button", name="向平台方追款").click()
    expect(page.locator(f'[data-count="{ROWS}"]')).to_be_visible()
    total = sum(float(row["owed"]) for row in wanted)
    assert float(page.locator("[data-money]").get_attribute("data-money") or 0) == pytest.approx(total)
    page.get_by_role("button", name="生成追款单").click()
    page.wait_for_url(CLAIM_PAGE)
    claim = page.url
    text = page.locator("#for-vendor").input_value()
    assert f"{ROWS} 笔" in text
    assert all(row["order_no"] in text for row in wanted)

    # The clipboard, and the way without it.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="复制").click()
    expect(page.locator("[data-copied]")).to_have_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()").replace("\r", "") == text
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
    )
    page.get_by_role("button", name="复制").click()
    expect(page.locator("[data-copied]")).to_contain_text("Ctrl+C")
    assert page.evaluate("getSelection().toString() || document.activeElement.value.slice(0, 3)")

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert wanted[0]["order_no"] in download.value.path().read_text(encoding="utf-8-sig")

    refund(page, portal, sandbox[0], wanted[0]["order_no"])
    page.goto(claim)
    expect(page.locator("main")).to_contain_text("退款已核实")
    assert wanted[0]["order_no"] not in page.locator("#for-vendor").input_value()
    assert f"{ROWS - 1} 笔" in page.locator("#for-vendor").input_value()

    # Claimed once more only where that is said.
    page.goto(f"{portal}/refunds/?claimed=yes")
    page.check(f'input[name=order_no][value="{wanted[1]["order_no"]}"]')
    page.get_by_role("button", name="向平台方追款").click()
    expect(page.locator(f'[data-claimed="{wanted[1]["order_no"]}"]')).to_be_visible()
    expect(page.get_by_role("button", name="生成追款单")).to_have_count(0)
    page.goto(f"{portal}/orders/{wanted[1]['order_no']}/")
    expect(page.locator("main")).to_contain_text("已向平台方追款")
