"""Comparing a card with the platform, the two directions, and entering an id that was found by hand."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from oilcards.choices import CardAction, CardVerdict, EventKind, State
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, changing, comparing, resolving
from oilcards.services.errors import (
    AnotherCard,
    DuplicateCard,
    HasOrders,
    InvalidCard,
    NoAnswer,
    PlatformIdTaken,
    ReasonMissing,
    TooLate,
)
from recharge.orders.services import interventions, placing
from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER, PHONE, SECRETS, FakeCardPlatform, details
from tests.integration.oilcards.test_oil_card_changing import NEW_PHONE
from tests.known import known

OTHER_NUMBER = NUMBER[:-4] + "0000"


@pytest.fixture
def lost_card(clerk_user: User, card_platform: FakeCardPlatform) -> OilCard:
    """A card whose addition arrived, and was never answered."""
    card_platform.behaviour = "hang"
    return adding.add_card(details=details(), actor=clerk_user)


def compare(card: OilCard) -> comparing.Comparison:
    return comparing.compare(card_id=card.pk, actor=card.added_by)


def test_card_that_agrees_stays_active(card: OilCard) -> None:
    comparison = compare(card)
    assert (comparison.verdict, comparison.differences) == (CardVerdict.AGREES, ())
    assert comparison.card.state == State.ACTIVE
    assert comparison.card.compared_at
    assert known(card.events.last()).kind == EventKind.COMPARED


def test_differences_are_shown_field_by_field_and_masked(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards["P1"] |= {"holder_name": "李四", "holder_phone": NEW_PHONE, "card_type": 1}
    comparison = compare(card)
    shown = {item.field: (item.ours, item.theirs, item.adoptable) for item in comparison.differences}
    assert shown.pop("card_type")[2]
    assert shown == {"holder_name": ("欧**", "李*", True), "holder_phone": ("138****8765", "139****9000", True)}
    assert (comparison.card.state, comparison.verdict) == (State.CHANGE_FAILED, CardVerdict.DIFFERS)
    event = known(card.events.last())
    assert event.changed_fields == "card_type,holder_name,holder_phone"
    for secret in (*SECRETS, "李四", NEW_PHONE):
        assert secret not in repr(comparison) + event.raw + event.note + comparison.card.problem


@pytest.mark.parametrize(
    "masked",
    [
        {"holder_phone": "138****8765"},
        {"national_id": "1****************X"},
        {"national_id": ""},
        {"holder_name": "欧***", "card_type": None},
    ],
)
def test_platform_that_hides_something_contradicts_nothing_and_proves_nothing(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, masked: dict[str, Any]
) -> None:
    card_platform.answer = masked
    assert (compare(card).verdict, compare(card).card.state) == (CardVerdict.UNCLEAR, State.ACTIVE)
    card_platform.behaviour = "hang"
    changing.edit_card(card_id=card.pk, details=details(), version=1, actor=clerk_user)
    changing.adopt_ours(card_id=card.pk, version=1, actor=clerk_user)
    OilCard.objects.update(state=State.UNKNOWN, action=CardAction.CHANGE)
    assert compare(card).card.state == State.UNKNOWN
    OilCard.objects.update(state=State.UNKNOWN, action=CardAction.DELETE)
    assert compare(card).card.state == State.CHANGE_FAILED


def test_masked_value_that_contradicts_is_a_difference_nobody_can_take_over(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.answer = {"holder_phone": "139****9000"}
    comparison = compare(card)
    assert [(item.field, item.adoptable) for item in comparison.differences] == [("holder_phone", False)]
    adopted = comparing.adopt_theirs(
        card_id=card.pk, fields=["holder_phone"], fingerprint=comparison.fingerprint, actor=clerk_user
    )
    assert (adopted.state, adopted.holder_phone) == (State.CHANGE_FAILED, PHONE)


def test_our_values_can_be_sent(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    card_platform.cards["P1"]["holder_phone"] = NEW_PHONE
    compared = compare(card).card
    sent = changing.adopt_ours(card_id=card.pk, version=compared.version, actor=clerk_user)
    assert (sent.state, sent.holder_phone) == (State.ACTIVE, PHONE)
    assert card_platform.cards["P1"]["holder_phone"] == PHONE


def test_their_values_can_be_taken_over_one_by_one(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.cards["P1"] |= {"holder_phone": NEW_PHONE, "card_number": OTHER_NUMBER}
    fingerprint = compare(card).fingerprint
    taken = comparing.adopt_theirs(card_id=card.pk, fields=["holder_phone"], fingerprint=fingerprint, actor=clerk_user)
    assert (taken.state, taken.holder_phone, taken.card_number) == (State.CHANGE_FAILED, NEW_PHONE, NUMBER)
    taken = comparing.adopt_theirs(
        card_id=card.pk, fields=["card_number", "nonsense"], fingerprint=fingerprint, actor=clerk_user
    )
    assert (taken.state, taken.card_number, taken.last_four) == (State.ACTIVE, OTHER_NUMBER, "0000")
    assert OilCard.objects.with_number(OTHER_NUMBER).get() == taken
    assert known(card.events.last()).kind == EventKind.ADOPTED
    assert "edit" not in card_platform.calls


def adopt(card: OilCard, fingerprint: str) -> OilCard:
    return comparing.adopt_theirs(
        card_id=card.pk, fields=["card_number", "national_id"], fingerprint=fingerprint, actor=card.added_by
    )


@pytest.mark.parametrize("theirs", [{"card_number": OTHER_NUMBER}, {"card_type": 1}])
def test_number_and_type_are_not_taken_over_from_the_first_order_on(
    card: OilCard,
    card_platform: FakeCardPlatform,
    clerk_user: User,
    sent: list[tuple[str, int]],
    theirs: dict[str, Any],
) -> None:
    order = placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    card_platform.cards["P1"] |= {**theirs, "holder_phone": NEW_PHONE}
    fingerprint = compare(card).fingerprint

    def take(*fields: str) -> OilCard:
        return comparing.adopt_theirs(card_id=card.pk, fields=fields, fingerprint=fingerprint, actor=clerk_user)

    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with pytest.raises(HasOrders):
        take(*theirs, "holder_phone")
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    with pytest.raises(HasOrders):
        take(*theirs)
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events
    taken = take("holder_phone")
    assert (taken.state, taken.holder_phone, taken.card_number) == (State.CHANGE_FAILED, NEW_PHONE, NUMBER)
    assert changing.adopt_ours(card_id=card.pk, version=taken.version, actor=clerk_user).state == State.ACTIVE
    assert card_platform.cards["P1"]["card_number"] == NUMBER


def test_only_what_the_person_saw_is_taken_over(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards["P1"]["card_number"] = OTHER_NUMBER
    fingerprint = compare(card).fingerprint
    card_platform.cards["P1"]["card_number"] = NUMBER[:-4] + "1111"
    before = OilCard.objects.values().get()
    with pytest.raises(TooLate):
        adopt(card, fingerprint)
    assert OilCard.objects.values().get() == before


def test_what_can_not_be_right_is_not_taken_over(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards["P1"]["national_id"] = NATIONAL_ID[:-1] + "1"
    fingerprint = compare(card).fingerprint
    before = OilCard.objects.values().get()
    with pytest.raises(InvalidCard):
        adopt(card, fingerprint)
    assert OilCard.objects.values().get() == before


def test_number_of_another_card_is_not_taken_over(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    other = adding.add_card(details=details(card_number=OTHER_NUMBER), actor=clerk_user)
    card_platform.cards["P1"]["card_number"] = OTHER_NUMBER
    fingerprint = compare(card).fingerprint
    before = OilCard.objects.values().get(pk=card.pk)
    with pytest.raises(DuplicateCard) as caught:
        adopt(card, fingerprint)
    assert caught.value.card == other
    assert OilCard.objects.values().get(pk=card.pk) == before


def test_nothing_is_taken_over_without_an_answer(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards["P1"]["card_number"] = OTHER_NUMBER
    fingerprint = compare(card).fingerprint
    before = OilCard.objects.values().get()
    card_platform.behaviour = "hang"
    with pytest.raises(NoAnswer):
        adopt(card, fingerprint)
    assert OilCard.objects.values().get() == before


@pytest.mark.parametrize("behaviour", ["reject", "not_sent", "lost", "hang"])
def test_question_without_an_answer_changes_nothing(
    card: OilCard, card_platform: FakeCardPlatform, behaviour: str
) -> None:
    before = OilCard.objects.values().get()
    card_platform.behaviour = behaviour
    comparison = compare(card)
    assert comparison.message
    assert comparison.verdict in (CardVerdict.REJECTED, CardVerdict.NOT_SENT, CardVerdict.OUTCOME_UNKNOWN)
    assert OilCard.objects.values().get() == before
    assert known(card.events.last()).verdict == comparison.verdict


def test_card_that_is_gone_from_the_platform_is_not_recharged(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.cards.clear()
    comparison = compare(card)
    assert (comparison.verdict, comparison.card.state) == (CardVerdict.MISSING, State.CHANGE_FAILED)
    assert comparison.card.problem


@pytest.mark.parametrize("message", ["店铺不存在", "油卡不存在或无权限", "订单不存在", "签名错误"])
def test_other_refusals_do_not_mean_that_it_is_gone(
    card: OilCard, card_platform: FakeCardPlatform, message: str
) -> None:
    card_platform.behaviour, card_platform.refusal = "reject", ("1", message)
    assert compare(card).card.state == State.ACTIVE


def test_answer_about_another_card_is_a_conflict(card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.answer = {"card_id": "P77"}
    comparison = compare(card)
    assert (comparison.verdict, comparison.card.state) == (CardVerdict.CONFLICT, State.ACTIVE)


def test_answer_to_a_card_that_changed_meanwhile_is_dropped(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    def during() -> None:
        changing.edit_card(card_id=card.pk, details=details(holder_name="李四"), version=1, actor=clerk_user)

    card_platform.during = during
    with pytest.raises(TooLate):
        compare(card)
    assert OilCard.objects.get().state == State.ACTIVE


def test_card_without_an_id_can_not_be_compared(lost_card: OilCard, card_platform: FakeCardPlatform) -> None:
    with pytest.raises(TooLate):
        compare(lost_card)
    assert card_platform.calls == ["add"]


def test_entered_id_makes_the_card_active(lost_card: OilCard, clerk_user: User) -> None:
    found = resolving.enter_platform_id(card_id=lost_card.pk, platform_card_id=" P1 ", actor=clerk_user)
    assert (found.state, found.platform_card_id, found.action) == (State.ACTIVE, "P1", "")
    assert known(found.events.last()).kind == EventKind.ID_ENTERED


def test_entered_id_of_a_card_with_other_values_needs_a_decision(
    lost_card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.cards["P1"]["holder_name"] = "李四"
    found = resolving.enter_platform_id(card_id=lost_card.pk, platform_card_id="P1", actor=clerk_user)
    assert (found.state, found.platform_card_id) == (State.CHANGE_FAILED, "P1")


@pytest.mark.parametrize("number", [OTHER_NUMBER, "", "*****", NUMBER[:5] + "*****0000"])
def test_id_of_another_card_is_refused(
    lost_card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, number: str
) -> None:
    card_platform.answer = {"card_number": number}
    before = OilCard.objects.values().get()
    with pytest.raises(AnotherCard):
        resolving.enter_platform_id(card_id=lost_card.pk, platform_card_id="P1", actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert known(lost_card.events.last()).verdict == CardVerdict.CONFLICT


@pytest.mark.parametrize(("number", "error"), [("P99", NoAnswer), ("", InvalidCard), ("x" * 65, InvalidCard)])
def test_id_that_does_not_exist_is_refused(
    lost_card: OilCard, clerk_user: User, number: str, error: type[Exception]
) -> None:
    before = OilCard.objects.values().get()
    with pytest.raises(error):
        resolving.enter_platform_id(card_id=lost_card.pk, platform_card_id=number, actor=clerk_user)
    assert OilCard.objects.values().get() == before


def test_id_that_another_card_has_is_refused_and_shows_it(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card_platform.behaviour = "lost"
    lost = adding.add_card(details=details(card_number=OTHER_NUMBER), actor=clerk_user)
    with pytest.raises(PlatformIdTaken) as caught:
        resolving.enter_platform_id(card_id=lost.pk, platform_card_id="P1", actor=clerk_user)
    assert caught.value.card == card
    lost.refresh_from_db()
    assert (lost.state, lost.platform_card_id) == (State.UNKNOWN, None)


def test_active_card_takes_no_id(card: OilCard, clerk_user: User) -> None:
    with pytest.raises(TooLate):
        resolving.enter_platform_id(card_id=card.pk, platform_card_id="P1", actor=clerk_user)


def test_declaration_needs_a_reason_and_makes_another_attempt_possible(
    lost_card: OilCard, card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with pytest.raises(ReasonMissing):
        resolving.declare_never_arrived(card_id=lost_card.pk, reason="  ", actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events
    card = resolving.declare_never_arrived(card_id=lost_card.pk, reason="Not in the console.", actor=clerk_user)
    assert (card.state, card.action) == (State.ADD_FAILED, "")
    event = known(card.events.last())
    assert (event.kind, event.note, event.actor) == (EventKind.NEVER_ARRIVED, "Not in the console.", clerk_user)
    with pytest.raises(TooLate):
        resolving.declare_never_arrived(card_id=card.pk, reason="again", actor=clerk_user)
    card = adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk_user)
    assert (card.state, card_platform.calls) == (State.ACTIVE, ["add", "add"])
    assert card.holder_name == NAME
