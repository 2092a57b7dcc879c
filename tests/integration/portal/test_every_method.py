"""Every address with every role and every method, and what belongs to somebody with everybody else.

Who may is in `NEEDS` of the three walks by GET; here stand the methods.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from recharge.limits.services import accounts, emergency_stop
from recharge.models import Batch, BatchDraft, Declaration, Order, SavedView
from recharge.orders.services import placing
from recharge.platform.services import other_ways
from tests.addresses import named_patterns
from tests.batches import batch_of, mobiles, upload
from tests.everything import address_of, one_of_everything
from tests.fake_platform import FakePlatform
from tests.integration.batches.test_batch_pages import NEEDS as OF_BATCHES
from tests.integration.portal.test_pages import MAY, NEEDS, OPEN_TO_ALL, SIGNED_IN_ONLY, WHO_SHOWED_IT_LATELY
from tests.oil_cards import active_card
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
ROLES = (*MAY, "stranger")
OTHERS = ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "OPTIONS")
SHOWS_ONLY = {
    *("healthz", "readyz", "metrics", "overview", "order_list", "order_detail", "attention", "refunds"),
    *("claim_list", "claim_detail", "claim_sheet", "order_evidence", "order_receipt", "order_export", "mine"),
    *("approval_list", "platform", "check_list", "reading_list", "alert_list", "alert_detail", "alert_rules"),
    *("alert_channels", "batch_list", "batch_detail", "batch_results", "batch_template", "batch_lines", "card_list"),
    *("card_detail", "password_change_done", "factors", "factor_codes", "session_list"),
    *("audit", "audit_export", "account_changes", "slow_hold", "outside_back"),
}
TAKES_ONLY = {
    *("logout", "set_language", "callback", "callback_probe", "mobile_hint", "order_bulk", "orders_evidence"),
    *("orders_decide", "batch_quantities", "batch_judge_again", "card_take_theirs", "claim_new"),
    *("mobile_answer", "session_end", "sessions_end", "factor_codes_new", "outside_begin"),
}
"""All other addresses show a form and take it."""
BY_CLASS = {"login", "password_change", "password_change_done", "logout"}
"""Django's own views, which answer OPTIONS by the names of their methods."""
SIGNED_IN = {name for name, _ in named_patterns()} - OPEN_TO_ALL
CARDS = {
    "card_list": "view",
    "card_detail": "view",
    "card_delete": "delete",
    "card_gone": "delete",
    "card_reveal": "reveal",
}
REFUSED = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


@pytest.fixture
def ids(platform: FakePlatform) -> dict[str, Any]:
    clerk = person("clerk")
    order = placing.place_mobile_order(placed_by=clerk, mobile="13800138000", face_value=50)
    made = one_of_everything(made_by=clerk, owner=person("administrator"), order=order, card=active_card(clerk))
    emergency_stop.stop_everything(actor=clerk, reason="价格不对")
    accounts.current()  # kept at the first look at it, whoever looks
    return made


def may(role: str, name: str) -> bool:
    """Say whether a role may use an address at all."""
    if role == "stranger":
        return name in OPEN_TO_ALL
    if name in OPEN_TO_ALL | SIGNED_IN_ONLY | WHO_SHOWED_IT_LATELY:
        return True
    user = person(role)
    if name in OF_BATCHES:
        return user.has_perm(OF_BATCHES[name])
    if name in NEEDS:
        return NEEDS[name] in MAY[role]
    return user.has_perm(f"oilcards.{CARDS.get(name, 'change')}_oilcard")


def everything() -> dict[str, Any]:
    """Return all rows of all our tables."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("recharge_", "oilcards_", "auth_")):
                cursor.execute(f"SELECT * FROM {table}")
                found[table] = cursor.fetchall()
    return found


def addresses(ids: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, path in named_patterns():
        yield name, address_of(name, path, ids)


def require_headers(response: Page, name: str) -> None:
    """What every answer carries, of whatever status."""
    assert response["X-Content-Type-Options"] == "nosniff", name
    assert response["Referrer-Policy"] == "same-origin", name
    if name not in ("callback", "callback_probe"):
        assert response["X-Frame-Options"] == "DENY", name
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy, (name, policy)  # noqa: PT018


def signed_in(role: str) -> Client:
    client = Client()
    if role != "stranger":
        client.force_login(person(role))
    return client


@pytest.mark.parametrize("role", ROLES)
def test_nobody_does_anything_by_another_method(ids: dict[str, Any], role: str) -> None:
    client = signed_in(role)
    before = everything()
    for name, address in addresses(ids):
        others = [*OTHERS, *(["POST"] if name in SHOWS_ONLY else []), *(["GET", "HEAD"] if name in TAKES_ONLY else [])]
        for method in others:
            if method == "OPTIONS" and name in BY_CLASS:
                continue
            response = client.generic(method, address)
            told = (name, method, response.status_code)
            if role == "stranger" and name in {*SIGNED_IN, "logout"}:
                assert response.status_code in (302, 401, 405), told
                assert response.status_code != 302 or response["Location"].startswith("/accounts/login/"), told
            elif may(role, name):
                assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED, told
            else:
                assert response.status_code in REFUSED, told
            require_headers(response, name)
    assert everything() == before


@pytest.mark.parametrize("role", ROLES)
def test_nobody_sends_a_form_that_he_may_not_see(ids: dict[str, Any], role: str) -> None:
    client = signed_in(role)
    before = everything()
    tried = 0
    said = {"action": "ask", "reason": "x", "decision": "approve", "mobile": "13900139000", "face_value": 50}
    for name, address in addresses(ids):
        if name in SHOWS_ONLY or may(role, name):
            continue
        response = client.post(address, said)
        told = (name, response.status_code)
        if role == "stranger":
            assert response.status_code == 302, told
            assert response["Location"].startswith("/accounts/login/"), told
        else:
            assert response.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND), told
        require_headers(response, name)
        tried += 1
    assert tried or role == "administrator"
    assert everything() == before


@pytest.mark.parametrize("role", MAY)
def test_every_page_has_the_headers_and_nothing_inline(ids: dict[str, Any], role: str) -> None:
    client = signed_in(role)
    pages = 0
    for name, address in addresses(ids):
        if name in TAKES_ONLY:
            continue
        response = client.get(address)
        require_headers(response, name)
        assert response.status_code != HTTPStatus.METHOD_NOT_ALLOWED, name
        if response.streaming or "html" not in response["Content-Type"]:
            continue
        text = response.content.decode()
        assert " style=" not in text, name
        assert "javascript:" not in text, name
        assert not re.search(r"\s(on\w+|hx-on[:\w-]*)=", text), name
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))|<style", text), name
        pages += 1
    assert pages > 20


# --- what belongs to somebody ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", [role for role in MAY if role not in ("administrator", "outsider")])
def test_what_another_saved_or_uploaded_does_not_exist(ids: dict[str, Any], role: str, method: str) -> None:
    """An upload and a saved view are the administrator's here."""
    client = signed_in(role)
    before = everything()
    found = set()
    for name, path in named_patterns():
        if "draft_id" in path or "view_id" in path:
            response = client.generic(method, address_of(name, path, ids))
            assert response.status_code in REFUSED, (name, response.status_code)
            found.add(response.status_code)
    assert everything() == before
    assert HTTPStatus.NOT_FOUND in found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_administrator_opens_what_another_saved_or_uploaded(ids: dict[str, Any], method: str) -> None:
    clerk = person("clerk")
    theirs = {
        "draft_id": upload(clerk, mobiles(2, first=70)).pk,
        "view_id": SavedView.objects.create(owner=clerk, page="orders", name="y", query={"status": ["3"]}).pk,
    }
    client = signed_in("administrator")
    before = everything()
    for name, path in named_patterns():
        if "draft_id" in path or "view_id" in path:
            response = client.generic(method, address_of(name, path, {**ids, **theirs}))
            assert response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED), name
    assert everything() == before


def test_nobody_decides_about_what_is_his_own(platform: FakePlatform, settings: Any) -> None:
    """Not even who may approve: of an order, a batch, a declaration, and the switch of other ways."""
    settings.APPROVAL_ABOVE = 10
    own = person("administrator")
    order = placing.place_mobile_order(placed_by=own, mobile="13800138000", face_value=50)
    batch = batch_of(*mobiles(2), made_by=own)
    declared = Declaration.objects.create(order=order, declared_by=own, words="不在")
    other_ways.ask(forbid=True, reason="x", actor=own)
    User.objects.filter(pk=own.pk).update(password="")
    client = signed_in("administrator")
    said = {"decision": "approve", "agrees": "1", "reason": "x", "password": "", "orders": order.order_no}
    for address in (
        f"/approvals/orders/{order.order_no}/",
        f"/approvals/batches/{batch.pk}/",
        f"/approvals/declarations/{declared.pk}/",
        "/approvals/orders/decide/",
        "/platform/other-ways/decide/",
    ):
        before = everything()
        client.post(address, said)
        assert everything() == before, address
    order.refresh_from_db()
    assert (order.submission, order.approved_by) == ("AWAITING_APPROVAL", None)
    assert not Order.objects.filter(submission="QUEUED").exists()
    assert Batch.objects.get().state == "AWAITING_APPROVAL"
    assert not BatchDraft.objects.filter(making=None).exclude(uploaded_by=own).exists()
