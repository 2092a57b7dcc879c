"""Every page, as axe sees it: wide and narrow, light and dark, in both languages."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.addresses import named_patterns
from tests.authenticator import App
from tests.browser import sign_in
from tests.processes import Processes

pytestmark = pytest.mark.e2e

AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}

NO_PAGES = {
    "healthz",
    "readyz",
    "metrics",
    "logout",
    "set_language",
    "mobile_hint",
    "mobile_answer",
    "order_bulk",
    "callback",
}
"""Addresses that answer programs or forms, or show only a part of a page."""
UPLOADED = re.compile(r"/batches/new/[0-9a-f-]{36}/")
FORMS_ONLY = {
    "card_take_theirs",
    "batch_judge_again",
    "batch_numbers",
    "batch_quantities",
    "callback_probe",
    "claim_new",
    "factor_codes_new",
    "outside_begin",
    "orders_decide",
    "session_end",
    "sessions_end",
    "orders_evidence",
}
SAMPLES = {"alert_rule": "STOP", "alert_channel_new": "WECOM", "view_new": "orders"}
ONE_OF_EACH = {
    "claim_id": "recharge_refundclaim",
    "alert_id": "recharge_alert",
    "change_id": "recharge_accountchange",
    "channel_id": "recharge_alertchannel",
    "view_id": "recharge_savedview",
    "reading_id": "recharge_reading",
}
REACHED_OTHERWISE = {
    "login",
    "batch_preview",
    "batch_columns",
    "declaration_decide",
    "factor_app",
    "factor_codes",
    "factor_passkey",
    "factor_remove",
    "outside_back",
    "card_enter_id",
    "card_never_arrived",
}
"""Pages that are there before a sign-in, or after something was done."""
ADMIN = ("", "auth/user/", "auth/user/add/", "auth/user/1/change/", "recharge/order/", "recharge/numberrule/add/")

Rules = Mapping[str, object]

OF_COLOUR: Rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LAW = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING: Rules = {"type": "tag", "values": [*LAW, "best-practice"]}
OF_DJANGO: Rules = {"type": "tag", "values": LAW}
"""What axe recommends beyond WCAG is Django's own affair in the pages of its administration."""

# Colours change at once instead of fading, and the coloured edge of a card goes: it is masked to a line of three
# pixels, which axe takes for a coat of paint over the whole card.
READY = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync("*,*::before,*::after{transition:none!important} [class*=card-status-]{display:none}");
  document.adoptedStyleSheets = [still];
}"""
RUN = """async (only) => {
  const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}\\n${node.failureSummary}`));
}"""


class Inspector:
    """Opens pages and collects what axe has against them, light and dark."""

    def __init__(self, page: Page, portal: str) -> None:
        self.page = page
        self.found: dict[str, set[str]] = {}
        self._portal = portal
        self._axe = AXE.read_text(encoding="utf-8")

    @property
    def is_narrow(self) -> bool:
        return self.page.viewport_size == NARROW

    def open(self, path: str, *, status: int = 200, rules: Rules = EVERYTHING) -> None:
        """Open a page, which must answer with this status, and look at it."""
        answer = self.page.goto(self._portal + path)
        assert answer
        assert answer.status == status, path
        self.look(path, rules)

    def look(self, name: str, rules: Rules = EVERYTHING) -> None:
        """Look at the page as it stands: by all rules while it is light, by those of colour once it is dark."""
        self.page.evaluate(f"() => {{ {self._axe} }}")
        self.page.evaluate(READY)
        self._run(f"{name} light", rules)
        self._turn("dark")
        self._run(f"{name} dark", OF_COLOUR)
        self._turn("light")

    def _turn(self, scheme: Literal["dark", "light"]) -> None:
        """Turn the page dark or light, and wait until its script has heard of it; Django's pages have none."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(
            "(wanted) => (document.documentElement.dataset.bsTheme ?? wanted) === wanted", arg=scheme
        )

    def _run(self, name: str, rules: Rules) -> None:
        for violation in self.page.evaluate(RUN, dict(rules)):
            self.found.setdefault(violation, set()).add(name)


def column(database: Path, statement: str) -> list[str]:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return [str(row[0]) for row in connection.execute(statement)]


def pages(database: Path, *, states: int) -> list[str]:
    """Return the address of every page; those about one order, batch or card for at most so many of their states."""
    orders = column(database, "SELECT max(order_no) FROM recharge_order GROUP BY submission, status, open_marks")
    batches = column(database, "SELECT max(id) FROM recharge_batch GROUP BY state")
    cards = column(database, "SELECT max(id) FROM oilcards_oilcard GROUP BY state")
    waiting = column(database, "SELECT max(order_no) FROM recharge_order WHERE submission = 'AWAITING_APPROVAL'")
    several = {name: [value] for name, value in SAMPLES.items()}
    several |= {"order_detail": orders, "batch_detail": batches, "card_detail": cards, "order_approve": waiting}
    one = {"order_no": orders[:1], "batch_id": batches[:1], "card_id": cards[:1]}
    one |= {key: column(database, f"SELECT max(id) FROM {table}") for key, table in ONE_OF_EACH.items()}
    one["event_id"] = column(database, "SELECT max(id) FROM recharge_orderevent WHERE verdict = 'unknown_code'")
    found = []
    for name, pattern in named_patterns():
        if name in NO_PAGES | FORMS_ONLY | REACHED_OTHERWISE or "<sheet:kind>" in pattern:
            continue
        key = re.search(r"<\w+:(\w+)>", pattern)
        assert not key or name in several or key[1] in one, f"{name}: say above which {key[1]} there is"
        for value in (several.get(name) or one[key[1]])[:states] if key else [""]:
            found.append("/" + re.sub(r"<[^>]+>", value, pattern))
    return found


@pytest.fixture(params=[("zh-hans", WIDE), ("en", NARROW)], ids=["wide-chinese", "narrow-english"])
def inspector(browser: Browser, portal: str, request: pytest.FixtureRequest) -> Iterator[Inspector]:
    """An administrator's browser, since he sees all that there is to see; complains at the end of what axe found."""
    language, size = request.param
    context = browser.new_context(viewport=size, locale="en-US", color_scheme="light")
    context.add_cookies([{"name": "django_language", "value": language, "url": portal}])
    page = context.new_page()
    inspector = Inspector(page, portal)
    inspector.open("/accounts/login/")
    sign_in(page, portal, "admin", "admin-demo")
    yield inspector
    context.close()
    assert not inspector.found, "\n\n".join(f"{sorted(at)[:3]}\n{what}" for what, at in inspector.found.items())


@pytest.fixture(scope="session")
def one_of_each(portal: str, database: Path, sandbox: tuple[str, dict[str, str]]) -> None:
    """What the demo has none of."""
    environment = {**sandbox[1], "DEBUG": "True", "DATABASE_URL": f"sqlite:///{database}", "PUBLIC_URL": portal}
    environment["CELERY_BROKER_URL"] = "memory://"
    assert Processes(environment).run("-m", "tests.e2e.one_of_each") == 0


@pytest.mark.usefixtures("one_of_each")
def test_every_page(inspector: Inspector, database: Path) -> None:
    """On a telephone two states of each will do: the others differ in words and colours alone."""
    for path in pages(database, states=2 if inspector.is_narrow else 100):
        inspector.open(path)
    for chosen in ("/orders/?q=0", "/attention/?kind=UNKNOWN", "/refunds/?age=7", "/batches/1/?part=succeeded"):
        inspector.open(chosen)
    inspector.open("/no/such/page/", status=404)


def test_pages_that_a_form_leads_to(inspector: Inspector, portal: str) -> None:
    page = inspector.page
    for path in ("/orders/new/", "/oil-cards/new/", "/stop/", "/batches/new/"):
        page.goto(portal + path)
        page.locator("main form[method=post] button[type=submit]").first.click()
        page.locator(".invalid-feedback").first.wait_for()
        inspector.look(f"{path} in vain")
    for columns in ("手机号,面值,快慢,备注", "这是什么,那是什么,快慢,备注"):
        page.goto(f"{portal}/batches/new/")
        lines = "\n".join([columns, "13712340001,50,快,", "13712340001,50,快,", "12345,50,,"])
        page.set_input_files("input[name=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": lines.encode()})
        page.locator("form[enctype] button[type=submit]").click()
        page.wait_for_url(UPLOADED)
        inspector.look(f"list of {columns}")


def test_pages_that_a_choice_leads_to(inspector: Inspector, portal: str) -> None:
    page = inspector.page
    page.goto(f"{portal}/orders/")
    if page.locator(".navbar-toggler").is_visible():
        page.locator(".navbar-toggler").click()
        page.locator("#menu.show").wait_for()
        inspector.look("menu")
    page.locator("#live input[name=order_no]").first.check()
    page.locator("#bulk button[value=acknowledge]").click()
    page.wait_for_url("**/orders/bulk/")
    inspector.look("many orders at once")
    page.goto(f"{portal}/search/")
    page.fill("main [name=q]", "13800001000\n99990000")
    page.locator("main form[method=post] button[type=submit]").click()
    page.locator("[data-not-found]").first.wait_for()
    inspector.look("found and not found")


def test_pages_while_everything_is_stopped(inspector: Inspector, portal: str) -> None:
    page = inspector.page
    page.goto(f"{portal}/stop/")
    page.fill("main [name=reason]", "the price is wrong")
    page.locator("main form button[type=submit]").click()
    try:
        page.locator(".banner-stop").wait_for()
        inspector.look("stopped")
        inspector.open("/stop/go-on/")
        inspector.open("/admin/", rules=OF_DJANGO)
    finally:  # whatever failed, the other tests need a platform
        page.goto(f"{portal}/stop/go-on/")
        page.locator("main form button[type=submit]").click()
        page.wait_for_url(f"{portal}/stop/")


def test_pages_about_second_factors(inspector: Inspector, portal: str) -> None:
    """By the portal's name, at which browsers make passkeys; an auditor may have one and take it away again."""
    page, here = inspector.page, portal.replace("127.0.0.1", "localhost")
    sign_in(page, here, "auditor", "auditor-demo")
    for path in ("", "passkey/", "app/"):
        page.goto(f"{here}/accounts/factors/{path}")
        inspector.look(f"factors {path}")
    app = App(page.locator("[data-secret]").inner_text())
    page.fill("[name=code]", "1")
    page.press("[name=code]", "Enter")
    page.locator(".invalid-feedback").wait_for()
    inspector.look("wrong code of the app")
    page.fill("[name=code]", app.code())
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/accounts/factors/codes/")
    inspector.look("recovery codes")
    page.context.clear_cookies(name="sessionid")
    page.goto(f"{here}/accounts/login/")
    page.fill("[name=username]", "auditor")
    page.fill("[name=password]", "auditor-demo")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/accounts/factor/*")
    inspector.look("factor that is due")
    page.fill("[name=code]", app.code())
    page.press("[name=code]", "Enter")
    page.goto(f"{here}/accounts/factors/")
    inspector.look("factors that there are")
    page.locator("[data-factor=app] a").click()
    page.wait_for_url("**/remove/")
    inspector.look("taking a factor away")
    page.locator("main form.card button[type=submit]").click()
    page.wait_for_url("**/accounts/factors/")


def test_pages_of_the_administration(inspector: Inspector) -> None:
    for path in ADMIN:
        inspector.open(f"/admin/{path}", rules=OF_DJANGO)
