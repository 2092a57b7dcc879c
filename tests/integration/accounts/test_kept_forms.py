"""A list or a form that is sent after the sign-in has ended."""

import datetime as dt
import json
import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from portal.accounts import kept_forms
from recharge.models import Batch, Order
from tests.people import person

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
LINES = "\n".join(f"1380000{number:04} 50" for number in range(50))


def sign_in(client: Client, name: str) -> str:
    return str(client.post("/accounts/login/", {"username": name, "password": "correct horse battery"})["Location"])


@pytest.fixture(autouse=True)
def _people() -> None:
    for name in ("clerk", "administrator"):
        user: User = person(name)
        user.set_password("correct horse battery")
        user.save()


@pytest.fixture
def late(client: Client) -> Client:
    """A clerk who sends fifty lines an hour after the last sign of life."""
    with time_machine.travel(NOW, tick=False):
        sign_in(client, "clerk")
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        send(client)
    return client


def send(client: Client, text: str = LINES) -> None:
    page = {"Referer": "http://testserver/batches/new/?product=MOBILE"}
    response = client.post("/batches/new/", {"text": text, "password": "secret"}, headers=page)
    assert response["Location"] == "/accounts/login/?next=/batches/new/%3Fproduct%3DMOBILE"


def shown(client: Client, *, minutes: int = 61, address: str = "/batches/new/") -> Any:
    with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
        page = client.get(address).content.decode()
    found = re.search(r'<script id="kept" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else None


def back(client: Client, name: str = "clerk", *, minutes: int = 61) -> None:
    with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
        sign_in(client, name)


def test_it_comes_back_after_signing_in_and_nothing_was_sent(late: Client) -> None:
    back(late)
    assert shown(late) == {"action": "/batches/new/", "fields": [["text", LINES]]}
    assert not Order.objects.exists()
    assert not Batch.objects.exists()


def test_the_sign_in_says_that_it_is_kept(late: Client) -> None:
    assert "重新登录后会回到表单里" in late.get("/accounts/login/").content.decode()


def test_nobody_else_sees_it_at_the_same_browser(late: Client) -> None:
    back(late, "administrator")
    assert shown(late) is None
    with time_machine.travel(NOW + dt.timedelta(minutes=62), tick=False):
        late.post("/accounts/logout/")
    back(late, minutes=62)
    assert shown(late, minutes=63) is None


def test_it_stands_in_the_session_encrypted_only(late: Client) -> None:
    assert "13800000001" not in json.dumps(dict(late.session.items()))


def test_it_is_shown_on_its_own_page_only_and_until_it_is_sent(late: Client) -> None:
    back(late)
    assert shown(late, address="/orders/") is None
    assert shown(late) == shown(late)
    with time_machine.travel(NOW + dt.timedelta(minutes=62), tick=False):
        late.post("/batches/new/", {})
    assert shown(late, minutes=63) is None


def test_it_is_forgotten_after_an_hour(late: Client) -> None:
    back(late, minutes=100)
    assert shown(late, minutes=121) is None


def test_what_is_too_long_is_not_kept_and_the_sign_in_says_so(client: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client, "clerk")
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        send(client, "1" * kept_forms.MAX_CHARACTERS)
    assert "太长" in client.get("/accounts/login/").content.decode()
    back(client)
    assert shown(client) is None


def test_a_stranger_keeps_nothing(client: Client) -> None:
    client.post("/batches/new/", {"text": LINES})
    assert not client.session.keys()


def test_a_forged_form_is_not_kept() -> None:
    client = Client(enforce_csrf_checks=True)
    with time_machine.travel(NOW, tick=False):
        client.get("/accounts/login/")
        token = client.cookies["csrftoken"].value
        form = {"username": "clerk", "password": "correct horse battery", "csrfmiddlewaretoken": token}
        assert client.post("/accounts/login/", form).status_code == 302
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        assert client.post("/batches/new/", {"text": LINES}).status_code == 403
    assert "kept_form" not in client.session
