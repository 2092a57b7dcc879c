"""The clerk's main road in a real browser: top up, watch, understand."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.processes import books, wait_for

pytestmark = pytest.mark.e2e
ORDER_PAGE = re.compile(r"/orders/\d{20}/$")
FATES = {
    "13900139001": "退款成功",
    "13900139003": "部分到账",
    "13900139006": "不知是否送达|充值成功",
    "13900139008": "平台拒单",
}


def top_up(page: Page, portal: str, number: str, *, clicks: int = 1, reason: str = "") -> None:
    page.goto(f"{portal}/orders/new/")
    page.fill("[name=mobile]", number)
    page.get_by_text("¥ 50", exact=True).click()
    button = page.locator("form.card button[type=submit]")
    if clicks == 2:
        button.dblclick()
    else:
        with page.expect_navigation():
            button.click()
    if page.locator("[name=duplicate_reason]").count():  # the other window's test topped the same number up
        page.fill("[name=duplicate_reason]", reason or "再充一次")
        button.click()
    page.wait_for_url(ORDER_PAGE)


def number_of(page: Page) -> str:
    return page.url.rstrip("/").rsplit("/", 1)[1]


def test_clerk_tops_up_and_sees_it_succeed_within_seconds(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/new/")
    page.locator("[name=mobile]").press_sequentially("138 0013 8000")
    expect(page.locator("#mobile-hint")).to_contain_text("中国移动")
    top_up(page, portal, "138 0013 8000")
    expect(page.locator("body")).to_contain_text("138 0013 8000")
    expect(page.locator(".state").first).to_contain_text("充值成功", timeout=15_000)
    expect(page.locator("body")).to_contain_text("核实", timeout=15_000)


@pytest.mark.parametrize("number", FATES)
def test_clerk_sees_every_other_fate_in_plain_words(
    page: Page, portal: str, sandbox: tuple[str, dict[str, str]], number: str
) -> None:
    top_up(page, portal, number)
    expect(page.locator(".state").first).to_contain_text(re.compile(FATES[number]), timeout=20_000)
    booked = books(sandbox[0]).get(number_of(page))
    assert booked is None or booked["pushes"] == 1


def test_double_click_makes_one_order(page: Page, portal: str, sandbox: tuple[str, dict[str, str]]) -> None:
    number = "13700137000" if page.viewport_size and page.viewport_size["width"] > 400 else "13700137100"
    top_up(page, portal, number, clicks=2)

    def booked() -> list[str]:
        return [order_no for order_no, order in books(sandbox[0]).items() if order["target"] == number]

    assert wait_for(booked, "the order arrives") == [number_of(page)]


def test_form_that_is_sent_again_shows_the_same_order(page: Page, portal: str) -> None:
    """A number of its own a window, since there is no going back to a page that answered a form."""
    number = f"1360013{page.viewport_size['width']:04}"  # type: ignore[index]
    top_up(page, portal, number)
    first = number_of(page)
    page.go_back()
    page.fill("[name=mobile]", number)
    page.get_by_text("¥ 50", exact=True).click()
    with page.expect_navigation():
        page.locator("form.card button[type=submit]").click()
    assert first in page.url or page.locator("[name=duplicate_reason]").count() == 1


def test_nothing_typed_is_lost_on_an_error(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/new/")
    page.fill("[name=mobile]", "170 1234 5678")
    page.get_by_text("¥ 100", exact=True).click()
    page.locator("form.card button[type=submit]").click()
    expect(page.locator("form.card")).to_contain_text("虚拟运营商")
    assert page.input_value("[name=mobile]") == "170 1234 5678"
    assert page.is_checked("[name=face_value][value='100']")


def test_no_page_scrolls_sideways(page: Page, portal: str) -> None:
    for path in ("/", "/orders/", "/orders/new/", "/attention/", "/orders/?q=0"):
        page.goto(portal + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], path  # type: ignore[index]
        tables = "[...document.querySelectorAll('.table-responsive')]"
        cut = page.evaluate(f"{tables}.some(table => table.scrollWidth > table.clientWidth)")
        assert not cut, f"the last columns of a table on {path} are out of sight"


def test_what_is_chosen_outlives_an_update_that_was_under_way(page: Page, portal: str) -> None:
    top_up(page, portal, f"1390014{page.viewport_size['width']:04}")  # type: ignore[index]
    held: list[Route] = []
    page.route(re.compile(r"/orders/\?"), lambda route: held.append(route) if is_update(route) else route.continue_())
    page.goto(f"{portal}/orders/?page=1")
    while not held:
        page.wait_for_timeout(100)
    page.locator("[data-choose-all]").check()
    chosen = page.locator("[name=order_no]:checked").count()
    with page.expect_event("requestfinished"):
        held[0].fulfill(body='<div id="live">something newer</div>')
    page.wait_for_timeout(100)
    assert page.locator("[name=order_no]:checked").count() == chosen > 0


def is_update(route: Route) -> bool:
    return "hx-request" in route.request.headers


def test_default_language_is_chinese_and_can_be_switched(page: Page, portal: str) -> None:
    page.goto(f"{portal}/orders/")
    expect(page.locator("h1")).to_have_text("订单")
    page.evaluate(
        "(form => form.requestSubmit(form.querySelector('button')))(document.querySelector('form[action*=setlang]'))"
    )
    page.wait_for_load_state()
    expect(page.locator("h1")).to_have_text("Orders")
