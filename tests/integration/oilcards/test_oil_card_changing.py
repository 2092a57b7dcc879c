"""Changing a card: the book has what we want, the state says whether the platform has it too."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User

from oilcards.choices import CardAction, CardType, CardVerdict, EventKind, State
from oilcards.details import CardDetails
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, changing, comparing, sync
from oilcards.services.errors import DuplicateCard, HasOrders, InvalidCard, TooLate
from recharge.orders.services import interventions, placing
from tests.fake_card_platform import NUMBER, FakeCardPlatform, details
from tests.fake_platform import WorkerKilled
from tests.integration.oilcards.test_oil_card_adding import time_passes
from tests.known import known

NEW_PHONE = "13900139000"


def edit(card: OilCard, values: CardDetails | None = None, **changes: Any) -> OilCard:
    with suppress(WorkerKilled):
        changing.edit_card(
            card_id=card.pk, details=values or details(**changes), version=card.version, actor=card.added_by
        )
    card.refresh_from_db()
    return card


def with_open_orders(card: OilCard, count: int = 1) -> Any:
    """Give cards an open order, as the relation will have it when orders know of cards."""
    orders = SimpleNamespace(filter=lambda **wanted: SimpleNamespace(exists=lambda: bool(count)))
    return mock.patch.object(OilCard, "orders", orders, create=True)


def test_changed_card_is_active_on_both_sides(card: OilCard, card_platform: FakeCardPlatform) -> None:
    edit(card, holder_phone=NEW_PHONE)
    assert (card.state, card.holder_phone, card.version, card.problem) == (State.ACTIVE, NEW_PHONE, 2, "")
    assert card_platform.cards["P1"]["holder_phone"] == NEW_PHONE
    begun = card.events.get(kind=EventKind.CHANGING)
    assert begun.changed_fields == "holder_phone"
    assert NEW_PHONE not in begun.note + begun.raw


def test_unchanged_values_are_not_sent(card: OilCard, card_platform: FakeCardPlatform) -> None:
    edit(card)
    assert (card.state, card.version) == (State.ACTIVE, 1)
    assert not card_platform.calls
    assert card.events.count() == 2


@pytest.mark.parametrize("behaviour", ["reject", "not_sent"])
def test_definite_no_is_a_failed_change_that_can_be_sent_again(
    card: OilCard, card_platform: FakeCardPlatform, behaviour: str
) -> None:
    card_platform.behaviour = behaviour
    edit(card, holder_phone=NEW_PHONE)
    assert (card.state, card.holder_phone, card.action) == (State.CHANGE_FAILED, NEW_PHONE, "")
    assert card.problem
    assert card_platform.cards["P1"]["holder_phone"] != NEW_PHONE
    edit(card, holder_phone=NEW_PHONE)
    assert (card.state, card.problem) == (State.ACTIVE, "")
    assert card_platform.cards["P1"]["holder_phone"] == NEW_PHONE


@pytest.mark.parametrize(("behaviour", "resolved"), [("hang", State.ACTIVE), ("lost", State.CHANGE_FAILED)])
def test_unanswered_change_is_unknown_until_the_platform_tells(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, behaviour: str, resolved: State
) -> None:
    card_platform.behaviour = behaviour
    edit(card, holder_phone=NEW_PHONE)
    assert (card.state, card.action, card.platform_card_id) == (State.UNKNOWN, CardAction.CHANGE, "P1")
    assert comparing.compare(card_id=card.pk, actor=clerk_user).card.state == resolved


@pytest.mark.parametrize("behaviour", ["killed_before", "killed_after"])
def test_process_that_dies_is_noticed_at_the_next_deed(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, behaviour: str
) -> None:
    card_platform.behaviour = behaviour
    edit(card, holder_phone=NEW_PHONE)
    assert card.state == State.CHANGING
    with pytest.raises(TooLate):
        changing.adopt_ours(card_id=card.pk, version=card.version, actor=clerk_user)
    time_passes()
    card = changing.adopt_ours(card_id=card.pk, version=card.version, actor=clerk_user)
    assert card.state == State.ACTIVE
    assert card_platform.cards["P1"]["holder_phone"] == NEW_PHONE
    assert card.events.filter(kind=EventKind.LEASE_EXPIRED).count() == 1


def test_answer_to_an_older_change_is_only_kept(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    def during() -> None:
        time_passes()
        sync.expire_leases()
        current = OilCard.objects.get()
        card_platform.behaviour = "reject"
        changing.edit_card(
            card_id=current.pk, details=details(holder_name="李四"), version=current.version, actor=clerk_user
        )

    card_platform.during = during
    edit(card, holder_phone=NEW_PHONE)
    assert (card.state, card.holder_name) == (State.CHANGE_FAILED, "李四")
    assert known(card.events.last()).verdict == CardVerdict.LATE


def test_two_people_at_once_one_is_refused(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    refused = []

    def during() -> None:
        for version in (card.version, card.version + 1):
            with pytest.raises(TooLate) as caught:
                changing.edit_card(
                    card_id=card.pk, details=details(holder_name="李四"), version=version, actor=clerk_user
                )
            refused.append(caught.value)

    card_platform.during = during
    edit(card, holder_phone=NEW_PHONE)
    assert len(refused) == 2
    assert card_platform.calls == ["edit"]
    with pytest.raises(TooLate):
        changing.edit_card(card_id=card.pk, details=details(holder_name="李四"), version=1, actor=clerk_user)
    assert card_platform.calls == ["edit"]


def test_without_the_swap_both_would_be_sent(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    """The twin of the test above: what the state and the version protect from is real."""

    def during() -> None:
        changing.edit_card(card_id=card.pk, details=details(holder_name="李四"), version=2, actor=clerk_user)

    card_platform.during = during
    with mock.patch.object(changing, "can_edit", lambda card: True):
        edit(card, holder_phone=NEW_PHONE)
    assert card_platform.calls == ["edit", "edit"]


@pytest.mark.parametrize("changes", [{"card_number": NUMBER[:-1] + "9"}, {"card_type": CardType.PETROCHINA}])
@pytest.mark.parametrize("withdrawn", [False, True])
def test_number_and_type_stay_from_the_first_order_on(
    card: OilCard,
    card_platform: FakeCardPlatform,
    clerk_user: User,
    sent: list[tuple[str, int]],
    changes: dict[str, Any],
    withdrawn: bool,
) -> None:
    order = placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    if withdrawn:
        interventions.withdraw(order_id=order.pk, actor=clerk_user)
    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with pytest.raises(HasOrders):
        changing.edit_card(
            card_id=card.pk, details=details(**changes), version=1, actor=clerk_user, accept_warnings=True
        )
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events
    assert not card_platform.calls
    assert edit(card, holder_phone=NEW_PHONE).state == State.ACTIVE


def test_number_may_be_corrected_before_the_first_order(card: OilCard) -> None:
    assert edit(card, card_number=NUMBER[:-1] + "9").state == State.ACTIVE
    assert OilCard.objects.with_number(NUMBER[:-1] + "9").get() == card


def test_number_of_another_card_is_refused(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    other = adding.add_card(details=details(card_number=NUMBER[:-1] + "9"), actor=clerk_user)
    before = OilCard.objects.values().get(pk=card.pk)
    with pytest.raises(DuplicateCard) as caught:
        changing.edit_card(card_id=card.pk, details=details(card_number=other.card_number), version=1, actor=clerk_user)
    assert caught.value.card == other
    assert OilCard.objects.values().get(pk=card.pk) == before
    assert card_platform.calls == ["add"]


def test_invalid_values_are_refused(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    before = OilCard.objects.values().get()
    with pytest.raises(InvalidCard):
        changing.edit_card(card_id=card.pk, details=details(holder_phone="1"), version=1, actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert not card_platform.calls


@pytest.mark.parametrize("state", ["ADD_FAILED", "DELETED"])
@pytest.mark.books_broken("cards")
def test_card_that_is_not_there_can_not_be_changed(card: OilCard, clerk_user: User, state: str) -> None:
    OilCard.objects.update(state=state, platform_card_id=None)
    before = OilCard.objects.values().get()
    with pytest.raises(TooLate):
        changing.edit_card(card_id=card.pk, details=details(holder_name="李四"), version=1, actor=clerk_user)
    assert OilCard.objects.values().get() == before
