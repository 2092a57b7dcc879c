"""Every address with every role, and whatever people and programs put into addresses and forms."""

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from oilcards.demo import cards
from portal import __version__
from recharge.choices import EventKind, Submission, Verdict
from recharge.demo import batch_of_this_morning, stories
from recharge.fulfilment.services import submission
from recharge.limits.services import accounts, emergency_stop, slow_hold
from recharge.models import (
    AccountChange,
    Alert,
    AlertChannel,
    Batch,
    Declaration,
    EmergencyStop,
    Order,
    OrderEvent,
    PlatformCheck,
    Reading,
    RefundClaim,
    SavedView,
)
from recharge.orders.services import placing
from tests.addresses import named_patterns
from tests.batches import batch_of
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
OPEN_TO_ALL = {
    *("healthz", "readyz", "login", "set_language", "callback", "callback_probe", "logout"),
    *("outside_begin", "outside_back"),
}
SIGNED_IN_ONLY = {"password_change", "password_change_done", "factor_check", "factors", "session_list"}
WHO_SHOWED_IT_LATELY = {
    *("factor_app", "factor_passkey", "factor_remove", "factor_codes", "factor_codes_new"),
    *("session_end", "sessions_end"),
}
"""Pages about one's own second factors and sign-ins; see accounts/test_second_factors.py and test_sessions.py."""
NEEDS = {
    "overview": "view",
    "order_list": "view",
    "order_detail": "view",
    "attention": "view",
    "search": "view",
    "refunds": "view",
    "claim_list": "view",
    "claim_detail": "view",
    "claim_sheet": "view",
    "claim_new": "claim",
    "claim_refused": "claim",
    "claim_take_out": "claim",
    "order_evidence": "view",
    "orders_evidence": "view",
    "order_receipt": "view",
    "order_export": "export",
    "metrics": "view",
    "order_new": "add",
    "order_new_oil": "add",
    "mobile_hint": "add",
    "mobile_answer": "add",
    "order_bulk": "change",
    "order_ask": "change",
    "order_cancel": "change",
    "order_withdraw": "change",
    "order_enter_number": "change",
    "order_declare": "change",
    "order_acknowledge": "change",
    "order_take": "change",
    "order_hand_over": "change",
    "order_add_note": "change",
    "order_put_off": "change",
    "order_change_note": "change",
    "mine": "view",
    "approval_list": "approve",
    "order_approve": "approve",
    "orders_decide": "approve",
    "view_new": "view",
    "view_change": "view",
    "view_delete": "view",
    "batch_approve": "approve",
    "declaration_decide": "approve",
    "emergency_stop": "view",
    "go_on": "approve",
    "slow_hold": "view",
    "slow_release": "approve",
    "order_suspended": "change",
    "platform": "view account",
    "check_list": "view checks",
    "audit": "view audit",
    "audit_export": "view audit",
    "account_changes": "manage users",
    "account_change": "manage users",
    "reading_list": "view readings",
    "reading_teach": "teach",
    "reading_teach_checked": "teach",
    "reading_detail": "view readings",
    "account_confirm": "change account",
    "account_same": "change account",
    "platform_check": "change account",
    "other_ways_ask": "change account",
    "other_ways_decide": "approve",
    "alert_list": "view alerts",
    "alert_detail": "view alerts",
    "alert_acknowledge": "change alerts",
    "alert_rules": "rule alerts",
    "alert_rule": "rule alerts",
    "alert_quiet_hours": "rule alerts",
    "alert_channels": "rule alerts",
    "alert_channel_new": "rule alerts",
    "alert_channel": "rule alerts",
    "alert_channel_test": "rule alerts",
    "alert_channel_remove": "rule alerts",
}
NO_PAGES = {"metrics", "mobile_hint", "mobile_answer", "order_export", "claim_sheet", "audit_export"}
MAY = {
    "clerk": {"view", "add", "change", "claim", "view alerts", "change alerts"},
    "approver": {"view", "change", "approve", "view account", "view alerts", "change alerts"},
    "auditor": {
        *("view", "export", "claim", "view account", "view checks", "view alerts", "view readings", "view audit"),
    },
    "administrator": {
        *("view", "add", "change", "approve", "export", "claim", "view account", "change account", "view checks"),
        *("view alerts", "change alerts", "rule alerts", "view readings", "teach", "view audit", "manage users"),
    },
    "outsider": set(),
}


PATTERNS = [(name, path) for name, path in named_patterns() if not path.startswith(("oil-cards/", "batches/"))]


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


@pytest.fixture
def batch(order: Order) -> Batch:
    return batch_of("13900139000,50", made_by=order.placed_by)


@pytest.fixture
def stopped(order: Order) -> EmergencyStop:
    return emergency_stop.stop_everything(actor=order.placed_by, reason="价格不对")


def visit(client: Client, name: str, path: str, order: Order) -> Page:
    batch = Batch.objects.first()
    path = re.sub(r"<(?:int|batch_key):batch_id>", str(batch.pk if batch else 1), path)
    if name == "declaration_decide":
        said = {"declared_by": order.placed_by, "words": "not here"}
        declaration, _ = Declaration.objects.get_or_create(order=order, defaults=said)
        path = re.sub(r"<[^>]+>", str(declaration.pk), path)
    if "claim_id" in path:
        said = {"made_by": order.placed_by, "size": 1, "total": 50}
        claim, _ = RefundClaim.objects.get_or_create(nonce=uuid.UUID(int=0), defaults=said)
        path = re.sub(r"<[^>]+:claim_id>", str(claim.pk), path)
    if "view_id" in path:
        owner = User.objects.get(pk=client.session["_auth_user_id"]) if client.session.keys() else order.placed_by
        view, _ = SavedView.objects.get_or_create(owner=owner, page="orders", name="x", query={"status": ["2"]})
        path = re.sub(r"<[^>]+>", str(view.pk), path)
    path = path.replace("<order_no:page>", "orders")
    if name.startswith("alert_"):
        path = path.replace("<int:alert_id>", str(Alert.objects.get_or_create(kind="STOP", key="1")[0].pk))
        channel, _ = AlertChannel.objects.get_or_create(kind="WECOM", address_index="1", defaults={"address": "x"})
        path = path.replace("<int:channel_id>", str(channel.pk))
        path = path.replace("rules/<str:kind>", "rules/STOP").replace("<str:kind>", "WECOM")
    if name == "slow_release":
        slow_hold.start(actor=order.placed_by, reason="停机")
    if name == "reading_detail":
        told = {"means_status": 3, "proposed_by": order.placed_by, "reason": "the vendor says so"}
        path = re.sub(r"<[^>]+>", str(Reading.objects.get_or_create(code=99, defaults=told)[0].pk), path)
    if name == "account_change":
        said = {"user": order.placed_by, "asked_by": order.placed_by, "reason": "x", "wanted": {"groups": [1]}}
        change, _ = AccountChange.objects.get_or_create(kind="RIGHTS", outcome="", defaults=said)
        path = re.sub(r"<[^>]+>", str(change.pk), path)
    if name == "reading_teach_checked":
        strange = {"step": "no_such_order", "result": "warning", "cause": "WORDS_STRANGE", "raw": ""}
        found = [{**strange, "facts": {"words": "no", "words_code": "7", "words_key": "no"}}]
        PlatformCheck.objects.update_or_create(account=accounts.current(), defaults={"findings": found})
    if name == "reading_teach":
        event, _ = order.events.get_or_create(kind=EventKind.CALLBACK, verdict=Verdict.UNKNOWN_CODE, reported_status=98)
        path = re.sub(r"<[^>]+>", str(event.pk), path)
    address = "/" + re.sub(r"<[^>]+>", order.order_no, path.replace("<sheet:kind>", "csv"))
    if name in ("mobile_hint", "mobile_answer", "order_bulk", "orders_evidence", "claim_new", "orders_decide"):
        return client.post(address, {"action": "ask", "order_no": order.order_no})
    return client.get(address)


def test_every_address_is_accounted_for() -> None:
    assert {name for name, _ in PATTERNS} == OPEN_TO_ALL | SIGNED_IN_ONLY | WHO_SHOWED_IT_LATELY | set(NEEDS)


@pytest.mark.parametrize("role", MAY)
def test_every_address_with_every_role(
    client: Client, order: Order, batch: Batch, stopped: EmergencyStop, role: str
) -> None:
    client.force_login(person(role))
    for name, path in PATTERNS:
        if name in OPEN_TO_ALL | WHO_SHOWED_IT_LATELY:
            continue
        allowed = name in SIGNED_IN_ONLY or NEEDS[name] in MAY[role]
        response = visit(client, name, path, order)
        assert response.status_code == 200 if allowed else response.status_code in (403, 404), (name, response)
        if allowed and name not in NO_PAGES:
            assert "价格不对" in response.content.decode(), f"{name} doesn't say that everything is stopped"
            assert f"充值系统 {__version__}" in response.content.decode(), f"{name} doesn't say its version"


def test_stranger_gets_nowhere_but_to_the_sign_in(client: Client, order: Order) -> None:
    for name, path in PATTERNS:
        if name in OPEN_TO_ALL:
            continue
        response = visit(client, name, path, order)
        if name == "metrics":
            assert response.status_code == 401
        else:
            assert response.status_code == 302, name
            assert response["Location"].startswith("/accounts/login/"), name


@pytest.mark.parametrize("role", ["clerk", "auditor", "outsider"])
def test_who_may_not_approve_decides_nothing(
    client: Client, order: Order, batch: Batch, stopped: EmergencyStop, role: str
) -> None:
    client.force_login(person(role))
    before = list(Order.objects.values()), OrderEvent.objects.count(), list(EmergencyStop.objects.values())
    for address in (f"/approvals/orders/{order.order_no}/", f"/approvals/batches/{batch.pk}/", "/stop/go-on/"):
        assert client.post(address, {"decision": "approve"}).status_code == 403
    assert (list(Order.objects.values()), OrderEvent.objects.count(), list(EmergencyStop.objects.values())) == before


@pytest.mark.parametrize("role", ["auditor", "outsider"])
def test_who_may_only_look_stops_nothing(client: Client, order: Order, role: str) -> None:
    client.force_login(person(role))
    assert client.post("/stop/", {"reason": "x"}).status_code == 403
    assert not EmergencyStop.objects.exists()


@pytest.mark.parametrize("role", ["auditor", "outsider"])
def test_who_may_only_look_changes_nothing(client: Client, order: Order, role: str) -> None:
    client.force_login(person(role))
    before = list(Order.objects.values()), OrderEvent.objects.count()
    for action in ("ask", "cancel", "withdraw", "acknowledge"):
        assert client.post(f"/orders/{order.order_no}/{action}/", {"note": "x"}).status_code == 403
    assert client.post("/orders/new/", {"mobile": "13900139000", "face_value": 50}).status_code == 403
    assert (list(Order.objects.values()), OrderEvent.objects.count()) == before


def test_clerk_places_an_order_and_lands_on_its_page(clerk: Client, platform: FakePlatform) -> None:
    response = clerk.post(
        "/orders/new/",
        {"mobile": "+86 138-0013-8000", "face_value": "100", "speed": "0", "switch_channel": "1", "channel": "6"},
    )
    order = Order.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/orders/{order.order_no}/")
    assert (order.mobile, order.face_value, order.speed) == ("13800138000", 100, 0)
    assert (order.switch_channel, order.channel) == (True, 6)
    assert order.placed_by.username == "clerk"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"mobile": "13800138000"},
        {"face_value": "50"},
        {"mobile": "1" * 10_000, "face_value": "50"},
        {"mobile": "138\x0000138000", "face_value": "50"},
        {"mobile": "13800138000", "face_value": "50.5"},
        {"mobile": "13800138000", "face_value": "9" * 400},
        {"mobile": "13800138000", "face_value": "-50"},
        {"mobile": "13800138000", "face_value": "50", "speed": "7"},
        {"mobile": "13800138000", "face_value": "50", "channel": "abc"},
        {"mobile": "13800138000", "face_value": "50", "channel": "99999999999999999999"},
        {"mobile": "13800138000", "face_value": "50", "switch_channel": "perhaps"},
        {"mobile": "13800138000", "face_value": "50", "nonce": "not-a-uuid"},
        {"mobile": "13800138000", "face_value": "50", "replaces": "\x00"},
        {"mobile": "13800138000", "face_value": "50", "replaces": "12345"},
        {"mobile": "17012345678", "face_value": "50"},
    ],
)
def test_bad_form_gets_a_chinese_answer_and_makes_nothing(
    clerk: Client, platform: FakePlatform, fields: dict[str, str]
) -> None:
    response = clerk.post("/orders/new/", fields)
    assert response.status_code in (200, 400)
    assert re.search("[\u4e00-\u9fff]", response.content.decode())
    assert not Order.objects.exists()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(query=st.text(max_size=60))
def test_no_search_crashes(clerk: Client, query: str) -> None:
    assert clerk.get("/orders/", {"q": query}).status_code in (200, 400)


@pytest.mark.parametrize(
    "query",
    [
        "before=99999999999999999999",
        "before=-1",
        "before=abc",
        "after=1&before=2",
        "before=%00",
        "q=%00",
        "q=" + "1" * 5000,
        "status=99",
        "status=abc",
        "submission=NO",
        "placed_by=0",
        "placed_by=99999999999999999999",
        "placed_by=abc",
        "placed_from=0000-00-00",
        "placed_from=9999-12-31&placed_to=0001-01-01",
        "attention=NO",
        "status=%FF%FE",
    ],
)
def test_bad_address_never_breaks_the_list(clerk: Client, order: Order, query: str) -> None:
    assert clerk.get(f"/orders/?{query}").status_code in (200, 400)


@pytest.mark.parametrize("order_no", ["0", "1" * 20, "1" * 21, "1" * 5000, "abc", "%00", "..", "<script>"])
@pytest.mark.parametrize("action", ["", "ask/", "cancel/", "withdraw/", "acknowledge/"])
def test_unknown_order_is_our_own_404(clerk: Client, order_no: str, action: str) -> None:
    for response in (clerk.get(f"/orders/{order_no}/{action}"), clerk.post(f"/orders/{order_no}/{action}")):
        assert response.status_code in (404, 405)


def test_error_pages_are_ours_and_chinese(clerk: Client, client: Client) -> None:
    for response in (clerk.get("/nothing/here/"), clerk.get("/orders/?before=abc")):
        assert response.status_code in (400, 404)
        assert re.search("[\u4e00-\u9fff]", response.content.decode())
    outsider = Client()
    outsider.force_login(person("outsider"))
    response = outsider.get("/orders/")
    assert response.status_code == 403
    assert "权限" in response.content.decode()


def test_form_without_its_token_is_refused_in_chinese(order: Order) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("clerk"))
    before = Order.objects.values().get()
    response = strict.post(f"/orders/{order.order_no}/withdraw/")
    assert response.status_code == 403
    assert "表单" in response.content.decode()
    assert Order.objects.values().get() == before


def test_huge_form_is_refused(clerk: Client) -> None:
    response = clerk.post("/orders/new/", {"mobile": "1" * 2_000_000})
    assert response.status_code in (400, 413)
    assert not Order.objects.exists()


def test_our_own_500_page_shows_nothing_of_the_fault(
    clerk: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("recharge.orders.views.page_of", fail)
    clerk.raise_request_exception = False
    response = clerk.get("/orders/")
    assert response.status_code == 500
    assert "secret detail" not in response.content.decode()
    assert "出错" in response.content.decode()
    assert f"充值系统 {__version__}" in response.content.decode(), "whoever reports the fault can't say in what"


def test_numbers_are_masked_in_lists_for_who_may_not_see_them(client: Client, order: Order) -> None:
    client.force_login(person("clerk"))
    text = client.get("/orders/").content.decode()
    assert "138****8000" in text
    assert "138 0013 8000" not in text
    client.force_login(person("auditor"))
    assert "138 0013 8000" in client.get("/orders/").content.decode()


@pytest.mark.parametrize("typed", ["13800138000", "138 0013 8000", "+86 138-0013-8000", "１３８００１３８０００"])
def test_order_is_found_by_any_of_its_numbers(clerk: Client, order: Order, platform: FakePlatform, typed: str) -> None:
    submission.submit_order(order_id=order.pk)
    grouped = " ".join(re.findall("....", order.order_no))
    for query in (typed, order.order_no, grouped, "W1"):
        assert order.order_no in clerk.get("/orders/", {"q": query}).content.decode(), query
    assert order.order_no not in clerk.get("/orders/", {"q": "1380013800"}).content.decode()


def fill(clerk: User, times: int) -> None:
    for _ in range(times):
        told = list(stories(clerk, cards(clerk)[0], batch_of_this_morning(clerk)))
        for story in told:
            story.order.order_no = placing.new_order_no()
            story.order.gateway_order_no = story.order.gateway_order_no and placing.new_order_no()
        Order.objects.bulk_create([story.order for story in told])


@pytest.mark.parametrize("path", ["/orders/", "/attention/", "/orders/?status=2", "/", "/approvals/"])
def test_number_of_statements_does_not_grow_with_the_orders(
    clerk: Client, django_assert_max_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    clerk.force_login(person("administrator"))
    fill(person("clerk"), 1)
    cache.clear()  # the overview keeps what it counted of the days before
    clerk.get("/orders/")  # the account of the settings is kept at the first look
    with django_assert_max_num_queries(41) as few:
        assert clerk.get(path).status_code == 200
    fill(person("clerk"), 2)
    cache.clear()
    with django_assert_max_num_queries(41) as many:
        assert clerk.get(path).status_code == 200
    assert len(many) <= len(few)
    statements = " ".join(query["sql"].upper() for query in many.captured_queries)
    assert "OFFSET" not in statements


def test_pages_by_key_show_every_order_once(clerk: Client) -> None:
    fill(person("clerk"), 2)
    seen: list[str] = []
    path = "/orders/"
    while path:
        text = clerk.get(path).content.decode()
        seen += re.findall(r'<a href="/orders/(\d{20})/">', text)
        older = re.search(r'href="(\?[^"]*before=\d+[^"]*)"', text)
        path = f"/orders/{older[1]}" if older else ""
    assert len(seen) == len(set(seen)) == Order.objects.count()


@pytest.mark.parametrize("state", Submission.values)
def test_order_page_says_every_state_in_words(clerk: Client, state: str) -> None:
    fill(person("clerk"), 1)
    orders = Order.objects.filter(submission=state)
    assert orders.exists()
    for order in orders:
        response = clerk.get(f"/orders/{order.order_no}/")
        assert response.status_code == 200
        assert Submission(state).value not in re.sub(r"<[^>]+>", "", response.content.decode())


def test_security_headers_are_on_every_page(clerk: Client) -> None:
    with override_settings(SECURE_HSTS_SECONDS=60):
        response = clerk.get("/orders/", secure=True)
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Strict-Transport-Security"]
    text = response.content.decode()
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text)
    assert " style=" not in text
    assert not re.search(r"\son\w+=", text)
