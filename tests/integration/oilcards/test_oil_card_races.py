"""Two people do the same to a card at the same moment, on PostgreSQL: the platform hears of it once."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection

from oilcards.choices import State
from oilcards.models import OilCard
from oilcards.services import adding, changing, comparing, deleting, sync
from oilcards.services.errors import ServiceError
from recharge.core import queue
from recharge.core.errors import ServiceError as OrderRefused
from recharge.models import Order
from recharge.orders.services import placing
from tests.fake_card_platform import NUMBER, FakeCardPlatform, details

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PEOPLE = 4


@pytest.fixture(autouse=True)
def _on_postgresql(db: None) -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"


def race(action: Callable[[], object], people: int = PEOPLE) -> list[Exception]:
    """Let several people do the same at once; give what they were refused with."""
    start = threading.Barrier(people)
    refused: list[Exception] = []

    def act() -> None:
        start.wait()
        try:
            action()
        except (ServiceError, OrderRefused) as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@contextmanager
def nothing_protects() -> Iterator[None]:
    """Read without a lock, and begin whatever the card has become since: what an action must not do."""
    both_have_read = threading.Barrier(2)

    def read(card_id: int) -> OilCard:
        card = OilCard.objects.get(pk=card_id)
        both_have_read.wait(timeout=5)
        return card

    begin = sync.begin

    def begin_blindly(card: OilCard, *args: Any, **options: Any) -> OilCard:
        return begin(OilCard.objects.select_for_update().get(pk=card.pk), *args, **options)

    with mock.patch.object(sync, "lock", read), mock.patch.object(sync, "begin", begin_blindly):
        yield


def test_number_is_added_once(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    refused = race(lambda: adding.add_card(details=details(), actor=clerk_user))
    assert (len(refused), card_platform.calls) == (PEOPLE - 1, ["add"])
    assert OilCard.objects.get().state == State.ACTIVE


def test_card_is_added_again_once(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    card_platform.behaviour = "reject"
    card = adding.add_card(details=details(), actor=clerk_user)
    refused = race(lambda: adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk_user))
    assert (len(refused), card_platform.calls) == (PEOPLE - 1, ["add", "add"])


def test_without_lock_and_swap_it_is_added_twice(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    card_platform.behaviour = "reject"
    card = adding.add_card(details=details(), actor=clerk_user)
    reached = threading.Barrier(2)
    card_platform.next_id = "P1"
    with nothing_protects(), mock.patch.object(sync, "finish", lambda card, end, **options: reached.wait(5)):
        race(lambda: adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk_user), 2)
    assert card_platform.calls == ["add", "add", "add"]


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_card_is_changed_and_deleted_once(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, action: str
) -> None:
    deeds: dict[str, Callable[[], object]] = {
        "edit": lambda: changing.edit_card(
            card_id=card.pk, details=details(holder_name="李四"), version=card.version, actor=clerk_user
        ),
        "delete": lambda: deleting.delete_card(card_id=card.pk, actor=clerk_user),
    }
    refused = race(deeds[action])
    assert (len(refused), card_platform.calls) == (PEOPLE - 1, [action])


def place_while_deleting(card: OilCard) -> list[Exception]:
    """Let one person delete the card while another places an order for it."""
    deeds: Iterator[Callable[[], object]] = iter(
        [
            lambda: deleting.delete_card(card_id=card.pk, actor=card.added_by),
            lambda: placing.place_oil_order(placed_by=card.added_by, oil_card=card, face_value=500),
        ]
    )
    with mock.patch.object(queue, "send", lambda task, order_id: None):
        return race(lambda: next(deeds)(), 2)


@pytest.mark.parametrize("attempt", range(5))
def test_card_is_either_deleted_or_gets_its_order(card: OilCard, attempt: int) -> None:
    assert len(place_while_deleting(card)) == 1
    card.refresh_from_db()
    assert (card.state == State.DELETED) != Order.objects.exists()


def test_without_the_lock_a_deleted_card_has_an_open_order(card: OilCard) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    both_have_looked = threading.Barrier(2)

    def look(looked_at: OilCard) -> bool:
        found = looked_at.orders.filter(settled_at=None).exists()
        both_have_looked.wait(timeout=5)
        return bool(found)

    def look_without_lock(*, card_id: int) -> OilCard:
        both_have_looked.wait(timeout=5)
        return OilCard.objects.get(pk=card_id)

    with (
        mock.patch.object(deleting, "has_open_orders", look),
        mock.patch.object(placing, "lock_for_recharge", look_without_lock),
    ):
        assert not place_while_deleting(card)
    card.refresh_from_db()
    assert card.state == State.DELETED
    assert card.orders.filter(settled_at=None).exists()


def place_while_taking_over(card: OilCard, card_platform: FakeCardPlatform) -> list[Exception]:
    """Let one person take over the platform's number, of two differences, while another places an order."""
    card_platform.cards["P1"] |= {"card_number": NUMBER[:-4] + "0000", "holder_phone": "13900139000"}
    fingerprint = comparing.compare(card_id=card.pk, actor=card.added_by).fingerprint
    OilCard.objects.update(state=State.ACTIVE)  # as if somebody had sent ours, and the vendor changed it back
    deeds: Iterator[Callable[[], object]] = iter(
        [
            lambda: comparing.adopt_theirs(
                card_id=card.pk, fields=["card_number"], fingerprint=fingerprint, actor=card.added_by
            ),
            lambda: placing.place_oil_order(placed_by=card.added_by, oil_card=card, face_value=500),
        ]
    )
    with mock.patch.object(queue, "send", lambda task, order_id: None):
        return race(lambda: next(deeds)(), 2)


@pytest.mark.books_broken("cards")  # the state is put back by hand, without an entry in the history
@pytest.mark.parametrize("attempt", range(5))
def test_card_either_gets_another_number_or_its_order(
    card: OilCard, card_platform: FakeCardPlatform, attempt: int
) -> None:
    assert len(place_while_taking_over(card, card_platform)) == 1
    card.refresh_from_db()
    assert (card.card_number != NUMBER) != Order.objects.exists()


def test_without_the_lock_a_card_with_an_order_gets_another_number(
    card: OilCard, card_platform: FakeCardPlatform
) -> None:
    """The twin: it must go wrong, or the test above proves nothing."""
    both_have_looked = threading.Barrier(2)

    def look(looked_at: OilCard, changed_fields: Collection[str]) -> None:
        assert not looked_at.orders.exists()
        both_have_looked.wait(timeout=5)

    def look_without_lock(*, card_id: int) -> OilCard:
        both_have_looked.wait(timeout=5)
        return OilCard.objects.get(pk=card_id)

    with (
        mock.patch.object(comparing, "refuse_another_identity", look),
        mock.patch.object(placing, "lock_for_recharge", look_without_lock),
    ):
        assert not place_while_taking_over(card, card_platform)
    card.refresh_from_db()
    assert card.card_number != NUMBER
    assert card.orders.exists()
