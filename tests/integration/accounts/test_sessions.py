"""How long a sign-in lasts, and what the browser keeps of it."""

import datetime as dt

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.people import person

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
POLL = {"HX-Request": "true", "X-Seen": "0"}


@pytest.fixture
def clerk(client: Client) -> Client:
    user = person("clerk")
    user.set_password("correct horse battery")
    user.save()
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
    return client


def sign_in(client: Client, address: str = "/accounts/login/") -> None:
    assert client.post(address, {"username": "clerk", "password": "correct horse battery"}).status_code == 302


def is_in(client: Client, *, minutes: float, **headers: str) -> bool:
    """Say whether a page is shown so many minutes after the sign-in."""
    with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
        return client.get("/orders/", headers=headers).status_code in (200, 204)


@pytest.mark.parametrize(("minutes", "expected"), [(29, True), (30, False)])
def test_whoever_is_away_too_long_is_signed_out(clerk: Client, minutes: int, expected: bool) -> None:
    assert is_in(clerk, minutes=minutes) is expected


def test_whoever_works_stays_signed_in(clerk: Client) -> None:
    assert all(is_in(clerk, minutes=minutes) for minutes in (20, 40, 60, 80))


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(clerk: Client) -> None:
    assert all(is_in(clerk, minutes=minutes, **POLL) for minutes in (10, 20, 29))
    assert not is_in(clerk, minutes=31)


def test_such_a_page_is_sent_to_the_sign_in_when_its_time_is_over(clerk: Client) -> None:
    with time_machine.travel(NOW + dt.timedelta(minutes=31), tick=False):
        assert clerk.get("/orders/", headers=POLL)["HX-Refresh"] == "true"


def test_nobody_stays_signed_in_for_more_than_twelve_hours(clerk: Client) -> None:
    assert all(is_in(clerk, minutes=minutes) for minutes in range(20, 12 * 60, 20))
    assert not is_in(clerk, minutes=12 * 60)


def test_the_sign_in_says_why(clerk: Client) -> None:
    assert not is_in(clerk, minutes=31)
    assert "已退出登录" in clerk.get("/accounts/login/").content.decode()


def test_the_sign_in_of_the_administration_is_the_same(client: Client, clerk: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        client.logout()
        sign_in(client, "/admin/login/")
    assert is_in(client, minutes=29)
    assert not is_in(client, minutes=60)


def test_a_new_password_ends_the_other_sessions_and_no_other(clerk: Client) -> None:
    other = Client()
    with time_machine.travel(NOW, tick=False):
        sign_in(other)
        new = {"new_password1": "staple of a donkey", "new_password2": "staple of a donkey"}
        other.post("/accounts/password_change/", {"old_password": "correct horse battery", **new})
    assert not is_in(clerk, minutes=1)
    assert is_in(other, minutes=1)


def test_whoever_is_made_inactive_is_out_at_once(clerk: Client) -> None:
    user = person("clerk")
    user.is_active = False
    user.save()
    assert not is_in(clerk, minutes=1)


def test_every_sign_in_is_listed_with_browser_and_address(clerk: Client) -> None:
    other = Client(
        headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537"}, REMOTE_ADDR="192.0.2.9"
    )
    with time_machine.travel(NOW, tick=False):
        sign_in(other)
        page = clerk.get("/sessions/").content.decode()
    assert "Chrome · Windows" in page
    assert "192.0.2.9" in page
    assert page.count("本浏览器") == 1
    for session in UserSession.objects.all():
        assert session.session_key not in page


def test_when_somebody_was_last_seen_is_kept(clerk: Client) -> None:
    assert all(is_in(clerk, minutes=minutes) for minutes in (10, 20))
    assert UserSession.objects.get().last_seen_at == NOW + dt.timedelta(minutes=20)


def test_one_sign_in_is_ended_or_all_others_are(clerk: Client) -> None:
    others = [Client() for _ in range(3)]
    with time_machine.travel(NOW, tick=False):
        for other in others:
            sign_in(other)
        key = others[0].session.session_key
        clerk.post(f"/sessions/{UserSession.objects.get(session_key=key).pk}/end/")
        assert [other.get("/orders/").status_code for other in others] == [302, 200, 200]
        clerk.post("/sessions/end-others/")
        assert [other.get("/orders/").status_code for other in others] == [302, 302, 302]
    assert is_in(clerk, minutes=1)


def test_nobody_ends_the_sign_in_of_another(clerk: Client, client: Client) -> None:
    auditor = Client()
    auditor.force_login(person("auditor"))
    session = UserSession.objects.get()
    assert auditor.post(f"/sessions/{session.pk}/end/").status_code == 404
    auditor.post("/sessions/end-others/")
    assert is_in(clerk, minutes=1)


def test_sign_ins_that_have_ended_leave_the_list(clerk: Client) -> None:
    other = Client()
    with time_machine.travel(NOW, tick=False):
        sign_in(other)
        other.post("/accounts/logout/")
        assert clerk.get("/sessions/").content.decode().count("list-group-item d-flex") == 1


def test_a_browser_that_nobody_used_for_too_long_is_listed_no_more(clerk: Client) -> None:
    other = Client()
    with time_machine.travel(NOW + dt.timedelta(minutes=29), tick=False):
        sign_in(other)
        assert other.get("/sessions/").content.decode().count("list-group-item d-flex") == 2
    with time_machine.travel(NOW + dt.timedelta(minutes=31), tick=False):
        assert other.get("/sessions/").content.decode().count("list-group-item d-flex") == 1


def test_after_a_new_password_this_browser_is_still_listed(clerk: Client) -> None:
    new = {"new_password1": "staple of a donkey", "new_password2": "staple of a donkey"}
    with time_machine.travel(NOW, tick=False):
        clerk.post("/accounts/password_change/", {"old_password": "correct horse battery", **new})
        page = clerk.get("/sessions/").content.decode()
    assert page.count("list-group-item d-flex") == page.count("本浏览器") == 1


def test_the_browser_keeps_no_page_of_who_is_signed_in(clerk: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        for address in ("/orders/", "/orders/new/", "/accounts/password_change/", "/nowhere/"):
            assert "no-store" in clerk.get(address)["Cache-Control"], address
