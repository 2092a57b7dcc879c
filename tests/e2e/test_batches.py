"""A batch from its upload to its results, and the emergency stop, on a telephone at night."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser import sign_in

pytestmark = pytest.mark.e2e
TELEPHONE: ViewportSize = {"width": 390, "height": 844}
BATCH_PAGE = re.compile(r"/batches/\d+/$")
PREVIEW = re.compile(r"/batches/new/[0-9a-f-]{36}/$")
FILE_NAME = f"二〇二六年十一月员工通讯补贴名单（最终版）{'final_' * 20}list.csv"
REASON = "nospacetobreakat" * 12
numbers = count(13_100_000_000)
"""Each list is about phones of its own, so that nothing in it was placed before."""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=TELEPHONE, color_scheme="dark", locale="en-US")
    yield context
    context.close()


def fits(page: Page) -> None:
    """The page is dark and doesn't scroll sideways."""
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], page.url


def upload(page: Page, portal: str, lines: list[str]) -> None:
    page.goto(f"{portal}/batches/new/")
    fits(page)
    content = "\n".join(["手机号,面值,快慢,备注", *lines]).encode()
    page.set_input_files("input[name=file]", {"name": FILE_NAME, "mimeType": "text/csv", "buffer": content})
    page.locator("form[enctype] button[type=submit]").click()
    page.wait_for_url(PREVIEW)


def good(orders: int) -> list[str]:
    return [f"{next(numbers)},50,快,{'很长的备注' * 30}" for _ in range(orders)]


def make(page: Page) -> str:
    """Make the batch that is looked at; return its page's address."""
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(BATCH_PAGE)
    return page.url


def test_what_is_chosen_above_a_column_can_be_read(page: Page, portal: str) -> None:
    page.goto(f"{portal}/batches/new/")
    content = f"这是什么,那是什么,快慢,备注\n{next(numbers)},50,快,甲".encode()
    page.set_input_files("input[name=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    page.locator("form[enctype] button[type=submit]").click()
    choices = page.locator("main select")
    expect(choices).to_have_count(4)
    fits(page)
    widths = choices.evaluate_all("all => all.map((one) => one.getBoundingClientRect().width)")
    assert min(widths) >= 100


def sign_in_as(page: Page, portal: str, name: str) -> None:
    page.context.clear_cookies()
    sign_in(page, portal, name, f"{name}-demo")


def go_on(page: Page, portal: str) -> None:
    """Let orders go out again."""
    sign_in_as(page, portal, "approver")
    page.goto(f"{portal}/stop/go-on/")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(f"{portal}/stop/")


def test_preview_shows_bad_and_suspicious_lines(page: Page, portal: str) -> None:
    lines = good(3)
    bad = ["17012345678,50,,", f"{'9' * 400},50,,", "13800138000,555555555555555555555555,,", "=1+1,50,,"]
    upload(page, portal, [*lines, lines[0], *bad])
    expect(page.locator("#bad tbody tr")).to_have_count(4)
    expect(page.locator("#suspicious tbody tr")).to_have_count(1)
    fits(page)
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".invalid-feedback").first).to_be_visible()
    fits(page)


def test_batch_goes_out_and_its_pages_fit(page: Page, portal: str) -> None:
    upload(page, portal, good(5))
    fits(page)
    batch = make(page)
    fits(page)
    expect(page.locator("body")).to_contain_text("已全部提交", timeout=20_000)
    fits(page)
    for path in ("?part=succeeded", "again/"):
        page.goto(batch + path)
        fits(page)
    page.goto(f"{portal}/batches/")
    expect(page.locator("body")).to_contain_text("员工通讯补贴名单")
    fits(page)


def test_approver_looks_at_a_batch_and_decides(page: Page, portal: str) -> None:
    lines = good(25)
    upload(page, portal, [*lines, lines[0]])
    page.fill("[name=reason]", REASON)
    batch = make(page)
    fits(page)
    sign_in_as(page, portal, "approver")
    page.goto(f"{portal}/approvals/")
    fits(page)
    page.goto(batch.replace("/batches/", "/approvals/batches/"))
    expect(page.locator("main")).to_contain_text(REASON)
    expect(page.locator("main")).to_contain_text("¥ 1,300")
    fits(page)
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".invalid-feedback").first).to_be_visible()
    fits(page)
    for action in ("withdraw", "pause", "resume", "skip"):
        page.goto(f"{batch}{action}/")
        fits(page)


def test_emergency_stop_is_seen_and_ended(page: Page, portal: str) -> None:
    page.goto(f"{portal}/stop/")
    fits(page)
    page.fill("[name=reason]", REASON)
    page.locator("main form button[type=submit]").click()
    try:
        expect(page.locator(".banner-stop")).to_contain_text(REASON)
        for path in ("/stop/", "/batches/", "/batches/new/"):
            page.goto(portal + path)
            expect(page.locator(".banner-stop")).to_be_visible()
            fits(page)
        sign_in_as(page, portal, "approver")
        page.goto(f"{portal}/stop/go-on/")
        fits(page)
    finally:  # whatever failed, the other tests need a platform
        go_on(page, portal)
    expect(page.locator(".banner-stop")).to_have_count(0)
    expect(page.locator("main")).to_contain_text(REASON)
    fits(page)
