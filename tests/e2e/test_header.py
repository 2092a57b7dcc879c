"""The header of every page fits into one line of the window, in both languages."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import sign_in

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_it_is_no_wider_than_the_window(browser: Browser, portal: str, language: str) -> None:
    """An administrator's, who has the most in it; while he searches, too."""
    context = browser.new_context(locale="en-US")
    context.add_cookies([{"name": "django_language", "value": language, "url": portal}])
    page = context.new_page()
    sign_in(page, portal, "admin", "admin-demo")
    for width in (360, 390, 420, 1000, 1199, 1200, 1280, 1399, 1400, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert width_of(page) == width
        assert page.locator("header").bounding_box()["height"] < 70  # type: ignore[index]
        if width >= 1200:
            page.locator("header [data-search]").focus()
            expect(page.locator("header [data-search]")).to_be_focused()
            assert width_of(page) == width, "while somebody searches"
            page.locator("header [data-search]").blur()
            assert page.locator("header form[action$=logout], header form button").last.is_visible()
    context.close()


def width_of(page: Page) -> int:
    """Return how wide a page is once its search has grown or shrunk."""
    moving = "document.getAnimations().filter(one => one instanceof CSSTransition)"
    page.evaluate(f"Promise.allSettled({moving}.map(one => one.finished))")
    return int(page.evaluate("document.documentElement.scrollWidth"))
