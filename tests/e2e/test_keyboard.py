"""A shift without a mouse: everything is reached by Tab, shows the focus, and is pressed by Enter or Space."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import show_factor

pytestmark = pytest.mark.e2e

ORDER_PAGE = re.compile(r"/orders/\d{20}/$")
BATCH_PAGE = re.compile(r"/batches/\d+/$")
PREVIEW = re.compile(r"/batches/new/[0-9a-f-]{36}/$")
MAX_TABS = 150
numbers = count(13_300_000_000, 1000)
"""Each ends in three noughts, which the sandbox gives no meaning."""

# Whether what has the focus, or the label that stands for it, looks otherwise than without it.
SHOWN = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync("* { transition: none !important; }");
  document.adoptedStyleSheets = [still];
  const focused = document.activeElement;
  const seen = [focused, focused.nextElementSibling].filter(Boolean);
  const look = () => seen.map((element) => {
    const { outline, boxShadow, borderColor } = getComputedStyle(element);
    return outline + boxShadow + borderColor;
  }).join();
  const with_it = look();
  focused.blur();
  const without_it = look();
  focused.focus();
  return with_it !== without_it;
}"""


class Keys:
    """A person at the keyboard."""

    def __init__(self, page: Page, portal: str) -> None:
        self.page = page
        self.portal = portal

    def reach(self, selector: str) -> None:
        """Press Tab until something that fits has the focus, which must be visible then."""
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate(SHOWN), f"{selector} doesn't show that it has the focus"
                return
        raise AssertionError(f"{selector} is not reached on {self.page.url}")

    def press(self, selector: str, key: str = "Enter") -> None:
        self.reach(selector)
        self.page.keyboard.press(key)

    def fill(self, selector: str, text: str) -> None:
        self.reach(selector)
        self.page.keyboard.type(text)

    def follow(self, path: str) -> None:
        """Take a link of the page that is open."""
        self.press(f'a[href="{path}"]')
        self.page.wait_for_url(f"{self.portal}{path}")

    def sign_in(self, username: str) -> None:
        """Where the page is just loaded the username has the focus by itself."""
        self.page.goto(f"{self.portal}/accounts/login/")
        self.page.keyboard.type(username)
        self.fill("[name=password]", f"{username}-demo")
        self.page.keyboard.press("Enter")
        show_factor(self.page, self.portal, username)

    def top_up(self, mobile: str) -> str:
        """Place an order of 50 yuan from the first page; return its number."""
        self.follow("/orders/new/")
        self.page.keyboard.type(mobile)
        self.press("[name=face_value]", "Space")
        self.press("form.card button[type=submit]")
        self.page.wait_for_url(ORDER_PAGE)
        return self.page.url.rstrip("/").rsplit("/", 1)[1]


@pytest.fixture
def keys(browser: Browser, portal: str) -> Iterator[Keys]:
    context = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-US")
    yield Keys(context.new_page(), portal)
    context.close()


def test_clerk_tops_up_finds_and_cancels(keys: Keys) -> None:
    keys.sign_in("operator")
    order_no = keys.top_up(f"{next(numbers) + 5}")  # recharging for ever, so that it can be cancelled
    expect(keys.page.locator(".state").first).to_contain_text("充值中", timeout=20_000)

    keys.page.keyboard.press("/")
    keys.page.keyboard.type(order_no)
    keys.page.keyboard.press("Enter")
    keys.page.wait_for_url(f"{keys.portal}/search/")
    keys.follow(f"/orders/{order_no}/")

    keys.follow(f"/orders/{order_no}/cancel/")
    keys.press("main form button[type=submit]")
    keys.page.wait_for_url(ORDER_PAGE)
    expect(keys.page.locator(".state").first).to_contain_text(re.compile("取消中|已取消|退款成功"), timeout=20_000)


def test_clerk_uploads_and_a_second_person_approves(keys: Keys) -> None:
    first = next(numbers)
    lines = "\n".join(["手机号,面值", *(f"{first + 100 + number},50" for number in range(25))])
    keys.sign_in("operator")
    keys.follow("/batches/")
    keys.follow("/batches/new/")
    with keys.page.expect_file_chooser() as chooser:
        keys.press("[name=file]", "Space")
    chooser.value.set_files({"name": "list.csv", "mimeType": "text/csv", "buffer": lines.encode()})
    keys.press("form[enctype] button[type=submit]")
    keys.page.wait_for_url(PREVIEW)
    keys.press("main form button[type=submit]")
    keys.page.wait_for_url(BATCH_PAGE)
    batch = keys.page.url.removeprefix(keys.portal)
    keys.press("form[action='/accounts/logout/'] button")
    keys.page.wait_for_url("**/accounts/login/**")

    keys.sign_in("approver")
    keys.follow("/approvals/")
    keys.follow(f"/approvals{batch}")
    keys.press("[name=decision]", "Space")
    keys.press("main form button[type=submit]")
    keys.page.wait_for_url(lambda url: "/approvals/batches/" not in url)
    keys.page.goto(keys.portal + batch)
    expect(keys.page.locator("main")).to_contain_text("已全部提交", timeout=20_000)


def test_clerk_clears_a_case(keys: Keys) -> None:
    keys.sign_in("operator")
    keys.follow("/attention/?kind=OVERDUE")
    keys.press("#live a[href^='/orders/']")
    keys.page.wait_for_url(ORDER_PAGE)
    order = keys.page.url.removeprefix(keys.portal)
    keys.follow(f"{order}acknowledge/")
    if keys.page.locator("main [type=checkbox]").count():
        keys.press("main [type=checkbox]", "Space")
    keys.fill("main [name=note]", "asked the vendor")
    keys.press("main form button[type=submit]")
    keys.page.wait_for_url(ORDER_PAGE)
    expect(keys.page.locator("main")).to_contain_text("asked the vendor")
