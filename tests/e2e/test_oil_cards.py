"""An oil card's whole life in a real browser: added, edited, compared, recharged, deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sign_in
from tests.e2e.steps import CARD_PAGE, ORDER_PAGE, add, send

pytestmark = pytest.mark.e2e


def is_narrow(page: Page) -> bool:
    return bool(page.viewport_size and page.viewport_size["width"] < 400)


def test_card_lives_its_life(page: Page, portal: str) -> None:
    last_four = "5577" if is_narrow(page) else "5566"
    add(page, portal, f"100011123456789{last_four}")
    page.wait_for_url(CARD_PAGE)
    card_page = page.url
    expect(page.locator(".state").first).to_contain_text("可用")
    expect(page.locator("body")).to_contain_text("138****8765")
    expect(page.locator("body")).not_to_contain_text("欧阳震华")

    page.get_by_role("link", name="编辑").click()
    page.fill("[name=holder_phone]", "13900139000")
    send(page)
    page.wait_for_url(CARD_PAGE)
    expect(page.locator("body")).to_contain_text("139****9000")

    page.get_by_role("link", name="与平台核对").click()
    send(page)
    expect(page.locator("body")).to_contain_text("本地与平台一致")

    page.goto(f"{portal}/orders/new/oil/")
    page.locator("[name=digits]").press_sequentially(last_four)
    expect(page.locator("#cards label")).to_have_count(1)
    page.locator("#cards label").click()
    page.get_by_text("¥ 500", exact=True).click()
    send(page)
    page.wait_for_url(ORDER_PAGE)
    expect(page.locator("body")).to_contain_text(f"中石化 ···· {last_four}")
    expect(page.locator(".state").first).to_contain_text("充值成功", timeout=20_000)
    expect(page.locator("body")).to_contain_text("圈存")
    expect(page.locator("body")).to_contain_text(re.compile("(?<!未)核实"), timeout=20_000)

    page.goto(card_page)
    expect(page.get_by_role("link", name="删除")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, portal, "admin", "admin-demo")
    page.goto(card_page)
    page.get_by_role("link", name="删除").click()
    page.get_by_role("button", name="删除油卡").click()
    page.wait_for_url(CARD_PAGE)
    expect(page.locator(".state").first).to_contain_text("已删除")
    expect(page.locator("body")).to_contain_text("¥ 500")


def test_invented_card_can_be_recharged_compared_and_changed(page: Page, portal: str) -> None:
    page.goto(f"{portal}/oil-cards/?last_four=4567")
    page.locator("td a").first.click()
    page.get_by_role("link", name="与平台核对").click()
    send(page)
    expect(page.locator("body")).to_contain_text("本地与平台一致")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="编辑").click()
    page.fill("[name=holder_phone]", "13900139000")
    send(page)
    expect(page.locator(".state").first).to_contain_text("可用")
    page.get_by_role("link", name="充值").last.click()
    send(page)
    page.fill("[name=duplicate_reason]", "再充一次")  # one of its invented orders is of today
    send(page)
    page.wait_for_url(ORDER_PAGE)
    expect(page.locator(".state").first).to_contain_text("充值成功", timeout=20_000)


def test_enter_in_the_search_box_finds_and_spends_nothing(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/new/oil/")
    page.get_by_text("¥ 500", exact=True).click()
    page.fill("[name=digits]", "1688")
    page.press("[name=digits]", "Enter")
    expect(page.locator("#cards label")).to_have_count(1)
    expect(page.locator("#cards")).to_contain_text("中石油 ···· 1688")
    assert page.url == f"{portal}/orders/new/oil/"
    assert page.is_checked("[name=face_value][value='500']")


def test_nothing_typed_is_lost_and_warnings_can_be_accepted(page: Page, portal: str) -> None:
    number = "20001112345678977" if is_narrow(page) else "20001112345678966"
    add(page, portal, number)
    expect(page.locator("[name=accepted]")).to_be_visible()
    assert page.input_value("[name=card_number]") == number
    assert page.input_value("[name=holder_name]") == "欧阳震华"
    page.check("[name=accepted]")
    send(page)
    page.wait_for_url(CARD_PAGE)
    expect(page.locator(".state").first).to_contain_text("可用")


def test_revealed_data_is_gone_after_leaving_the_page(page: Page, portal: str) -> None:
    page.context.clear_cookies()
    sign_in(page, portal, "admin", "admin-demo")
    page.goto(f"{portal}/oil-cards/?last_four=4567")
    page.locator("td a").first.click()
    page.get_by_role("link", name="查看完整信息").click()
    page.fill("[name=reason]", "核对发票")
    send(page)
    expect(page.locator("body")).to_contain_text("演示甲")
    revealed = page.url
    page.goto(revealed)
    expect(page.locator("[name=reason]")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("演示甲")
    page.fill("[name=reason]", "核对发票")
    send(page)
    page.get_by_role("link", name="重新隐藏").click()
    expect(page.locator("body")).not_to_contain_text("演示甲")
    expect(page.locator("body")).to_contain_text("查看了个人信息")


def test_no_page_scrolls_sideways(page: Page, portal: str) -> None:
    page.goto(f"{portal}/oil-cards/?state=all")
    cards = [link.get_attribute("href") or "" for link in page.locator("td a").all()]
    paths = ["/oil-cards/", "/oil-cards/new/", "/orders/new/oil/", "/oil-cards/?last_four=0000", *cards[:4]]
    for path in (*paths, f"{cards[0]}edit/", f"{cards[0]}compare/"):
        page.goto(portal + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], path  # type: ignore[index]  # it has one
