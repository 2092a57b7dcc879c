"""`kill -9` at every point of an action with a card, with real processes; afterwards both card books are compared."""

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from oilcards.choices import BUSY, CardAction, State
from oilcards.models import OilCard
from oilcards.services import adding, changing, comparing, deleting, resolving
from oilcards.services.errors import DuplicateCard, TooLate
from portal.gateway import CardType as WireCardType
from recharge.operations.services import sweeping
from tests.fake_card_platform import NUMBER, PHONE, details
from tests.people import sign_in_with_factor
from tests.processes import (
    Processes,
    database_url,
    free_port,
    report,
    sandbox_settings,
    set_fault,
    spoken_to,
    time_passes,
    wait_for,
)

from .dying_action import POINTS

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
NOTHING_BEGAN = ("before_begin", "in_begin")
REACHED_THE_PLATFORM = ("after_send", "in_record", "after_record")
NEW_PHONE = PHONE[:-1] + "0"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, Processes]]:
    with sandbox_settings(tmp_path) as (root, environment), spoken_to(environment):
        processes = Processes(
            {
                **environment,
                "DATABASE_URL": database_url(),
                "CELERY_BROKER_URL": "memory://",
            }
        )
        yield root, processes
        processes.end()


@pytest.fixture
def clerk(db: None) -> User:
    return User.objects.create_user("clerk")


def die(processes: Processes, point: str, action: str, card_id: int, actor: User) -> None:
    connection.close()
    arguments = ("-m", "tests.chaos.dying_action", point, action, str(card_id), str(actor.pk))
    assert processes.run(*arguments) == -signal.SIGKILL


def theirs(root: str) -> list[dict[str, Any]]:
    return [card for card in report(root)["cards"] if not card["deleted"]]


def calls(root: str, call: str) -> int:
    return int(report(root)["calls"].get(f"Oil/{call}", 0))


def after_the_lease(card_id: int, *, action: CardAction) -> OilCard:
    """Whoever looks sees a card that is busy; once the lease has run out, one of which nobody knows."""
    assert OilCard.objects.get(pk=card_id).state == BUSY[action]
    sweeping.sweep()
    assert OilCard.objects.get(pk=card_id).state == BUSY[action], "given up before its time"
    time_passes(11)
    sweeping.sweep()
    card = OilCard.objects.get(pk=card_id)
    assert (card.state, card.action) == (State.UNKNOWN, action)
    return card


def assert_books_agree(root: str) -> None:
    ours = {card.platform_card_id: card.details for card in OilCard.objects.in_the_book()}
    assert {str(card["id"]) for card in theirs(root)} == set(ours)
    for card in theirs(root):
        values = ours[str(card["id"])]
        assert card["card_num"] == values.card_number
        assert (card["name"], card["phone"]) == (values.holder_name, values.holder_phone)
        assert (card["user_num"], card["card_type"]) == (values.national_id, WireCardType(values.card_type))


@pytest.mark.parametrize("point", POINTS)
def test_addition_is_never_repeated_blindly(point: str, shop: tuple[str, Processes], clerk: User) -> None:
    root, processes = shop
    die(processes, point, "add", 0, clerk)

    reached = len(theirs(root))
    assert reached == calls(root, "addCard") == (point in REACHED_THE_PLATFORM)
    if point in NOTHING_BEGAN:
        assert not OilCard.objects.exists()
        assert adding.add_card(details=details(), actor=clerk).state == State.ACTIVE
        return assert_books_agree(root)
    card = OilCard.objects.get()
    if point != "after_record":
        card = after_the_lease(card.pk, action=CardAction.ADD)
        with pytest.raises(DuplicateCard):
            adding.add_card(details=details(), actor=clerk)
        with pytest.raises(TooLate):
            adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk)
        assert calls(root, "addCard") == reached
        if reached:
            number = str(theirs(root)[0]["id"])
            card = resolving.enter_platform_id(card_id=card.pk, platform_card_id=number, actor=clerk)
        else:
            card = resolving.declare_never_arrived(card_id=card.pk, reason="The console shows none.", actor=clerk)
            card = adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk)
    assert card.state == State.ACTIVE
    assert [other["card_num"] for other in report(root)["cards"]] == [NUMBER]
    assert_books_agree(root)


@pytest.mark.parametrize("point", POINTS)
def test_change_is_settled_by_comparing(point: str, shop: tuple[str, Processes], clerk: User) -> None:
    root, processes = shop
    card = adding.add_card(details=details(), actor=clerk)
    die(processes, point, "edit", card.pk, clerk)

    card.refresh_from_db()
    if point in NOTHING_BEGAN:
        assert (card.state, card.holder_phone, theirs(root)[0]["phone"]) == (State.ACTIVE, PHONE, PHONE)
        return assert_books_agree(root)
    assert card.holder_phone == NEW_PHONE
    if point != "after_record":
        after_the_lease(card.pk, action=CardAction.CHANGE)
        card = comparing.compare(card_id=card.pk, actor=clerk).card
        if point == "before_send":
            assert card.state == State.CHANGE_FAILED
            card = changing.adopt_ours(card_id=card.pk, version=card.version, actor=clerk)
    assert card.state == State.ACTIVE
    assert theirs(root)[0]["phone"] == NEW_PHONE
    assert_books_agree(root)


@pytest.mark.parametrize("point", POINTS)
def test_deletion_is_settled_by_comparing(point: str, shop: tuple[str, Processes], clerk: User) -> None:
    root, processes = shop
    card = adding.add_card(details=details(), actor=clerk)
    die(processes, point, "delete", card.pk, clerk)

    card.refresh_from_db()
    if point in NOTHING_BEGAN:
        assert card.state == State.ACTIVE
        return assert_books_agree(root)
    if point != "after_record":
        after_the_lease(card.pk, action=CardAction.DELETE)
        card = comparing.compare(card_id=card.pk, actor=clerk).card
        if point == "before_send":
            assert card.state == State.ACTIVE
            card = deleting.delete_card(card_id=card.pk, actor=clerk)
    assert card.state == State.DELETED
    assert not theirs(root)
    assert_books_agree(root)


def test_portal_killed_while_a_clerk_waits_shows_what_can_be_done(shop: tuple[str, Processes]) -> None:
    root, processes = shop
    set_fault(root, fault="accept_hang", endpoint="addCard")
    portal = f"http://127.0.0.1:{free_port()}"
    client, browser = Client(), requests.Session()
    sign_in_with_factor(client, User.objects.create_superuser("whoever"))
    browser.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
    connection.close()

    def send() -> None:
        browser.get(f"{portal}/oil-cards/new/", timeout=10)
        typed = {**details().values(), "card_type": "0", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        with suppress(requests.ConnectionError):
            browser.post(f"{portal}/oil-cards/new/", data=typed, timeout=10)

    serving = processes.serve(int(portal.rpartition(":")[2]))
    clerk = threading.Thread(target=send)
    clerk.start()
    wait_for(lambda: theirs(root), "the platform has the card")
    serving.kill()
    serving.wait()
    clerk.join()
    card = OilCard.objects.get()
    processes.serve(int(portal.rpartition(":")[2]))
    assert "添加中" in browser.get(f"{portal}/oil-cards/{card.pk}/", timeout=10).text
    time_passes(11)
    page = browser.get(f"{portal}/oil-cards/{card.pk}/", timeout=10).text

    assert "不知是否送达" in page
    for action, offered in {"enter-id": True, "never-arrived": True, "edit": False, "delete": False}.items():
        assert (f"/oil-cards/{card.pk}/{action}/" in page) is offered
    assert calls(root, "addCard") == len(theirs(root)) == 1
