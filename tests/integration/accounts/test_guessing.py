"""Whoever guesses passwords or codes is slowed down, and learns nothing about who exists."""

import datetime as dt
import re
from unittest import mock

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts import tries
from portal.accounts.models import FailedTry
from portal.kit.database import now
from tests.people import person

PASSWORD = "correct horse battery"
WRONG = "用户名或密码"
SLOWED = "尝试次数过多"


@pytest.fixture
def user(db: None) -> User:
    user = person("clerk")
    user.set_password(PASSWORD)
    user.save()
    return user


def try_it(client: Client, name: str = "clerk", password: str = "wrong", **extra: str) -> str:
    """Return what the sign-in answers, without its secrets that change; "" where it lets in."""
    response = client.post("/accounts/login/", {"username": name, "password": password}, **extra)  # type: ignore[arg-type]
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return "" if response.status_code == 302 else text.replace(name, "NAME")


def time_passes(*, seconds: int) -> None:
    FailedTry.objects.update(at=F("at") - dt.timedelta(seconds=seconds))


@pytest.mark.parametrize("name", ["clerk", "nobody at all"])
def test_after_five_wrong_ones_even_the_right_one_waits(client: Client, user: User, name: str) -> None:
    for _ in range(tries.FREE_BY_NAME):
        assert SLOWED not in try_it(client, name)
    assert SLOWED in try_it(Client(), name, PASSWORD), "wherever it comes from"
    assert FailedTry.objects.count() == tries.FREE_BY_NAME, "what was not looked at is not counted"


def test_each_further_wrong_one_doubles_the_wait_up_to_five_minutes(client: Client, user: User) -> None:
    for _ in range(tries.FREE_BY_NAME):
        try_it(client)
    for wait in (30, 60, 120):
        time_passes(seconds=wait - 20)
        assert SLOWED in try_it(client), wait
        time_passes(seconds=21)
        assert WRONG in try_it(client), wait
    for times, wait in ((8, 240), (9, 300), (30, 300)):
        tried = [FailedTry(kind="PASSWORD", who="x", address="", at=now()) for _ in range(times)]
        FailedTry.objects.all().delete()
        FailedTry.objects.bulk_create(tried)
        assert wait - 5 < tries._wait(FailedTry.objects.all(), tries.FREE_BY_NAME) <= wait


def test_the_right_one_after_the_wait_forgives(client: Client, user: User) -> None:
    for _ in range(tries.FREE_BY_NAME):
        try_it(client)
    time_passes(seconds=31)
    assert try_it(client, password=PASSWORD) == ""
    assert not FailedTry.objects.exists()


def test_old_tries_are_forgotten(client: Client, user: User) -> None:
    for _ in range(tries.FREE_BY_NAME):
        try_it(client)
    time_passes(seconds=15 * 60 + 1)
    assert WRONG in try_it(client)
    time_passes(seconds=24 * 3600 + 1)
    assert WRONG in try_it(client)
    assert FailedTry.objects.count() == 1


def test_many_names_from_one_address_are_slowed_and_other_addresses_are_not(client: Client, user: User) -> None:
    for number in range(tries.FREE_BY_ADDRESS):
        assert SLOWED not in try_it(client, f"name{number}")
    assert SLOWED in try_it(client, password=PASSWORD)
    assert try_it(client, password=PASSWORD, REMOTE_ADDR="192.0.2.7") == ""


def test_of_ipv6_the_network_counts(client: Client, user: User) -> None:
    for number in range(tries.FREE_BY_ADDRESS):
        try_it(client, f"name{number}", REMOTE_ADDR=f"2001:db8::{number:x}")
    assert SLOWED in try_it(client, password=PASSWORD, REMOTE_ADDR="2001:db8::ffff:1")
    assert try_it(client, password=PASSWORD, REMOTE_ADDR="2001:db8:0:1::1") == ""


def test_a_header_that_nobody_vouches_for_hides_no_address(client: Client, user: User) -> None:
    for number in range(tries.FREE_BY_ADDRESS):
        claimed = f"198.51.100.{number}"
        try_it(client, f"name{number}", REMOTE_ADDR="8.8.4.4", HTTP_X_FORWARDED_FOR=claimed, HTTP_X_REAL_IP=claimed)
    assert {row.address for row in FailedTry.objects.all()} == {"8.8.4.4"}
    assert SLOWED in try_it(client, password=PASSWORD, REMOTE_ADDR="8.8.4.4", HTTP_X_FORWARDED_FOR="203.0.113.1")


def test_a_web_server_that_no_setting_names_is_not_taken_for_everybody(client: Client, user: User) -> None:
    for number in range(tries.FREE_BY_ADDRESS):
        try_it(client, f"name{number}", REMOTE_ADDR="172.18.0.1", HTTP_X_FORWARDED_FOR="203.0.113.1")
    assert {row.address for row in FailedTry.objects.all()} == {""}
    assert try_it(client, password=PASSWORD, REMOTE_ADDR="172.18.0.1", HTTP_X_FORWARDED_FOR="203.0.113.2") == ""


def test_behind_ones_own_web_server_only_what_it_wrote_counts(
    client: Client, user: User, settings: LazySettings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(tries.FREE_BY_ADDRESS):
        try_it(client, f"name{number}", HTTP_X_FORWARDED_FOR=f"10.9.8.{number}, 203.0.113.1")
    assert {row.address for row in FailedTry.objects.all()} == {"203.0.113.1"}
    assert SLOWED in try_it(client, password=PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.1")
    assert try_it(client, password=PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.1, 203.0.113.2") == ""


def test_without_any_address_names_are_slowed_all_the_same(client: Client, user: User) -> None:
    for number in range(tries.FREE_BY_ADDRESS + 1):
        try_it(client, f"name{number}", REMOTE_ADDR="")
    assert WRONG in try_it(client, REMOTE_ADDR="")
    for _ in range(tries.FREE_BY_NAME):
        try_it(client, REMOTE_ADDR="")
    assert SLOWED in try_it(client, password=PASSWORD, REMOTE_ADDR="")


def test_a_name_that_nobody_has_gets_the_same_answers_and_the_same_work(client: Client, user: User) -> None:
    hashes = mock.patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode)
    seen = {}
    for name in ("clerk", "nobody at all"):
        told = []
        for _ in range(tries.FREE_BY_NAME - 1):
            with hashes as encode, CaptureQueriesContext(connection) as statements:
                text = try_it(client, name)
            told.append((text, encode.call_count, [query["sql"].split()[0] for query in statements.captured_queries]))
        seen[name] = told
    assert seen["clerk"] == seen["nobody at all"]
    assert seen["clerk"][0][1] == 1


def test_somebody_who_has_left_gets_the_same_answer_as_nobody(client: Client, user: User) -> None:
    user.is_active = False
    user.save()
    assert try_it(client, password=PASSWORD) == try_it(client, "nobody at all")
