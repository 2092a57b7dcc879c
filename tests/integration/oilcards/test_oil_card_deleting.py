"""Deleting a card at the platform: its row stays, and what is unclear is looked into."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import User

from oilcards.choices import CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, availability, changing, comparing, deleting, resolving
from oilcards.services.errors import NotRechargeable, OpenOrders, ReasonMissing, TooLate
from recharge.orders.services import interventions, placing
from tests.fake_card_platform import FakeCardPlatform, details
from tests.fake_platform import WorkerKilled
from tests.integration.oilcards.test_oil_card_adding import time_passes
from tests.integration.oilcards.test_oil_card_changing import with_open_orders
from tests.known import known


def delete(card: OilCard) -> OilCard:
    with suppress(WorkerKilled):
        deleting.delete_card(card_id=card.pk, actor=card.added_by)
    card.refresh_from_db()
    return card


def test_deleted_card_keeps_its_row_and_its_history(card: OilCard, card_platform: FakeCardPlatform) -> None:
    delete(card)
    assert (card.state, card.action, card.platform_card_id) == (State.DELETED, "", "P1")
    assert not card_platform.cards
    assert card.details == details()
    assert card.events.count() == 4
    assert not OilCard.objects.in_the_book().exists()


def test_card_that_the_platform_does_not_have_counts_as_deleted(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards.clear()
    assert delete(card).state == State.DELETED


@pytest.mark.parametrize("behaviour", ["reject", "not_sent"])
def test_definite_no_leaves_it_as_it_was(card: OilCard, card_platform: FakeCardPlatform, behaviour: str) -> None:
    card_platform.behaviour = behaviour
    delete(card)
    assert (card.state, card.action) == (State.ACTIVE, "")
    assert card.problem
    assert card_platform.cards


@pytest.mark.parametrize(("behaviour", "resolved"), [("hang", State.DELETED), ("lost", State.ACTIVE)])
def test_unanswered_deletion_is_unknown_until_the_platform_tells(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, behaviour: str, resolved: State
) -> None:
    card_platform.behaviour = behaviour
    delete(card)
    assert (card.state, card.action) == (State.UNKNOWN, CardAction.DELETE)
    assert comparing.compare(card_id=card.pk, actor=clerk_user).card.state == resolved


@pytest.mark.parametrize("behaviour", ["hang", "lost", "killed_before", "killed_after"])
def test_unanswered_deletion_may_be_repeated(card: OilCard, card_platform: FakeCardPlatform, behaviour: str) -> None:
    card_platform.behaviour = behaviour
    delete(card)
    time_passes()
    assert delete(card).state == State.DELETED
    assert not card_platform.cards


def test_refusal_after_an_unanswered_deletion_proves_nothing(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.behaviour = "hang"
    delete(card)
    card_platform.behaviour = "reject"
    assert delete(card).state == State.UNKNOWN
    assert card.action == CardAction.DELETE
    with pytest.raises(ReasonMissing):
        deleting.declare_deleted(card_id=card.pk, reason=" ", actor=clerk_user)
    assert OilCard.objects.get().state == State.UNKNOWN
    declared = deleting.declare_deleted(card_id=card.pk, reason="gone from the console", actor=clerk_user)
    assert declared.state == State.DELETED
    event = known(card.events.last())
    assert (event.kind, event.note, event.actor) == (
        EventKind.DECLARED_DELETED,
        "gone from the console",
        clerk_user,
    )


def test_unclear_change_stays_unclear_when_its_deletion_is_refused(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.behaviour = "lost"
    changing.edit_card(card_id=card.pk, details=details(holder_name="李四"), version=1, actor=clerk_user)
    card_platform.behaviour = "reject"
    delete(card)
    assert (card.state, card.action) == (State.UNKNOWN, CardAction.CHANGE)


def test_card_with_open_orders_is_not_deleted(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with with_open_orders(card), pytest.raises(OpenOrders):
        deleting.delete_card(card_id=card.pk, actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events
    assert not card_platform.calls


def test_real_order_keeps_its_card_until_it_is_settled(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, sent: list[tuple[str, int]]
) -> None:
    order = placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    with pytest.raises(OpenOrders):
        deleting.delete_card(card_id=card.pk, actor=clerk_user)
    assert OilCard.objects.get().state == State.ACTIVE
    assert not card_platform.calls
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    assert delete(card).state == State.DELETED
    order.refresh_from_db()
    assert order.oil_card == card


@pytest.mark.books_broken("cards")
def test_card_with_open_orders_is_not_declared_deleted(card: OilCard, clerk_user: User) -> None:
    OilCard.objects.update(state=State.CHANGE_FAILED)
    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with with_open_orders(card), pytest.raises(OpenOrders):
        deleting.declare_deleted(card_id=card.pk, reason="gone", actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events


def test_card_that_was_never_added_just_leaves_the_book(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    card_platform.behaviour = "reject"
    card = adding.add_card(details=details(), actor=clerk_user)
    assert delete(card).state == State.DELETED
    assert known(card.events.last()).kind == EventKind.DISCARDED
    assert card_platform.calls == ["add"]


def test_active_card_can_not_be_declared_deleted(card: OilCard, clerk_user: User) -> None:
    with pytest.raises(TooLate):
        deleting.declare_deleted(card_id=card.pk, reason="gone", actor=clerk_user)
    assert OilCard.objects.get().state == State.ACTIVE


def test_unknown_addition_can_not_be_declared_deleted(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    card_platform.behaviour = "hang"
    card = adding.add_card(details=details(), actor=clerk_user)
    with pytest.raises(TooLate):
        deleting.declare_deleted(card_id=card.pk, reason="gone", actor=clerk_user)
    assert OilCard.objects.get().state == State.UNKNOWN


def test_second_deletion_is_too_late(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    delete(card)
    before = OilCard.objects.values().get()
    with pytest.raises(TooLate):
        deleting.delete_card(card_id=card.pk, actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert card_platform.calls == ["delete"]


def test_deletion_during_a_deletion_is_refused(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    def during() -> None:
        with pytest.raises(TooLate):
            deleting.delete_card(card_id=card.pk, actor=clerk_user)
        with pytest.raises(NotRechargeable):
            availability.lock_for_recharge(card_id=card.pk)

    card_platform.during = during
    assert delete(card).state == State.DELETED
    assert card_platform.calls == ["delete"]


def test_receipt_for_a_discarded_card_is_kept_in_its_history(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    def during() -> None:
        time_passes()
        lost = OilCard.objects.get()
        resolving.declare_never_arrived(card_id=lost.pk, reason="not there", actor=clerk_user)
        deleting.delete_card(card_id=lost.pk, actor=clerk_user)

    card_platform.during = during
    card = adding.add_card(details=details(), actor=clerk_user)
    assert card.state == State.DELETED
    assert (known(card.events.last()).verdict, known(card.events.last()).platform_card_id) == (CardVerdict.LATE, "P1")


@pytest.mark.parametrize("state", [State.CHANGE_FAILED, State.DELETED])
@pytest.mark.books_broken("cards")
def test_only_active_cards_can_be_recharged(card: OilCard, state: State) -> None:
    assert availability.lock_for_recharge(card_id=card.pk) == card
    OilCard.objects.update(state=state)
    with pytest.raises(NotRechargeable) as caught:
        availability.lock_for_recharge(card_id=card.pk)
    assert caught.value.card == card
    assert not OilCard.objects.rechargeable().exists()
