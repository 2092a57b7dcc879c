"""Views of lists, with the keyboard alone; and what somebody hears who doesn't see the page."""

import re

import pytest
from playwright.sync_api import Page, expect

from .steps import ORDER_PAGE

pytestmark = pytest.mark.e2e


def press(page: Page, name: str) -> None:
    """Go to a link or button and press Enter, as somebody without a mouse does."""
    target = page.get_by_role("link", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
    target.first.focus()
    page.keyboard.press("Enter")


def test_a_view_is_saved_opened_and_deleted_without_a_mouse(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/")
    press(page, "近 7 天")
    expect(page).to_have_url(re.compile("period=last_7_days"))
    page.locator("details.columns summary").focus()
    page.keyboard.press("Enter")
    page.locator("[name=columns][value=note]").focus()
    page.keyboard.press("Space")
    press(page, "显示")
    expect(page).to_have_url(re.compile("period=last_7_days.*columns=note"))
    press(page, "保存为视图")
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type("一周内带备注")
    page.keyboard.press("Enter")
    view = page.get_by_role("link", name="一周内带备注")
    expect(view).to_have_attribute("aria-current", "page")
    press(page, "全部")
    expect(page).to_have_url(f"{portal}/orders/")
    view.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"view=\d+&period=last_7_days.*columns=note"))
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    press(page, "删除")
    press(page, "删除")
    expect(page.get_by_text("视图“一周内带备注”已删除")).to_be_visible()
    expect(view).to_have_count(0)


def test_columns_open_within_the_page(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/")
    page.locator("details.columns summary").click()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_new_order_has_the_focus_and_its_changes_are_announced(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/new/")
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.fill("[name=mobile]", f"1380013{width:04}")  # one number for each width: a repetition would be asked about
    page.get_by_text("¥ 50", exact=True).click()
    page.locator("form.card button[type=submit]").click()
    page.wait_for_url(ORDER_PAGE)
    expect(page.locator("h1")).to_be_focused()
    announcement = page.locator("[role=status][data-announcement]")
    expect(announcement).to_have_text("充值成功", timeout=30_000)
    expect(page.locator("h1")).to_be_focused()
