"""Adding a card: every way that it can end, and that it never happens twice."""

import time
from collections.abc import Callable
from contextlib import suppress
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F

from oilcards.choices import CardAction, CardType, CardVerdict, EventKind, State
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, checking, deleting, resolving, sync
from oilcards.services.errors import Doubtful, DuplicateCard, InvalidCard, NotConfigured, TooLate
from portal import platform as platform_settings
from tests.fake_card_platform import NUMBER, FakeCardPlatform, details
from tests.fake_platform import WorkerKilled
from tests.known import known


@pytest.fixture
def add(clerk_user: User, card_platform: FakeCardPlatform) -> Callable[[str], OilCard]:
    """Add a card while the platform behaves in some way."""

    def add(behaviour: str) -> OilCard:
        card_platform.behaviour = behaviour
        with suppress(WorkerKilled):
            adding.add_card(details=details(), actor=clerk_user)
        return OilCard.objects.get()

    return add


def time_passes(minutes: int = 5) -> None:
    OilCard.objects.update(lease_until=F("lease_until") - minutes * sync.LEASE_MARGIN)


def test_added_card_is_active_and_has_the_platforms_id(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card = add("accept")
    assert (card.state, card.platform_card_id, card.action, card.lease_until) == (State.ACTIVE, "P1", "", None)
    assert card.details == details()
    assert (card.added_by, card.changed_by, card.last_four) == (clerk_user, clerk_user, NUMBER[-4:])
    assert card_platform.cards["P1"]["card_number"] == NUMBER
    events = list(card.events.values_list("kind", "state_from", "state_to", "verdict", "platform_card_id"))
    assert events == [
        (EventKind.ADDING, "", State.ADDING, "", ""),
        (EventKind.ANSWERED, State.ADDING, State.ACTIVE, CardVerdict.APPLIED, "P1"),
    ]


@pytest.mark.parametrize(
    ("behaviour", "verdict"), [("reject", CardVerdict.REJECTED), ("not_sent", CardVerdict.NOT_SENT)]
)
def test_definite_no_leaves_a_card_that_can_be_added_again(
    add: Callable[[str], OilCard],
    card_platform: FakeCardPlatform,
    clerk_user: User,
    behaviour: str,
    verdict: CardVerdict,
) -> None:
    card = add(behaviour)
    assert (card.state, card.platform_card_id, card.action) == (State.ADD_FAILED, None, "")
    assert card.problem
    assert known(card.events.last()).verdict == verdict
    assert not card_platform.cards
    card = adding.add_again(
        card_id=card.pk, details=details(holder_name="李四"), version=card.version, actor=clerk_user
    )
    assert (card.state, card.holder_name, card.problem) == (State.ACTIVE, "李四", "")
    assert known(card.events.filter(kind=EventKind.ADDING).last()).changed_fields == "holder_name"
    assert card_platform.calls == ["add", "add"]


@pytest.mark.parametrize("behaviour", ["hang", "lost"])
def test_no_clear_answer_is_unknown_and_never_repeated(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User, behaviour: str
) -> None:
    card = add(behaviour)
    assert (card.state, card.action, card.platform_card_id, card.lease_until) == (
        State.UNKNOWN,
        CardAction.ADD,
        None,
        None,
    )
    before, events = OilCard.objects.values().get(), OilCardEvent.objects.count()
    with pytest.raises(TooLate):
        adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk_user)
    with pytest.raises(TooLate):
        deleting.delete_card(card_id=card.pk, actor=clerk_user)
    with pytest.raises(DuplicateCard) as caught:
        adding.add_card(details=details(), actor=clerk_user)
    assert caught.value.card == card
    assert OilCard.objects.values().get() == before
    assert OilCardEvent.objects.count() == events
    assert card_platform.calls == ["add"]


@pytest.mark.parametrize("message", ["油卡已存在", "请勿重复添加", "card already exists"])
def test_refusal_that_may_mean_it_is_there_is_unknown(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, message: str
) -> None:
    card_platform.refusal = ("3009", message)
    card = add("reject")
    assert (card.state, card.action) == (State.UNKNOWN, CardAction.ADD)
    assert message in card.problem


@pytest.mark.parametrize("behaviour", ["killed_before", "killed_after"])
def test_process_that_dies_leaves_a_lease_and_then_unknown(add: Callable[[str], OilCard], behaviour: str) -> None:
    card = add(behaviour)
    assert card.state == State.ADDING
    assert sync.expire_leases() == 0
    time_passes()
    assert sync.expire_leases() == 1
    card.refresh_from_db()
    assert (card.state, card.action, card.lease_until) == (State.UNKNOWN, CardAction.ADD, None)
    assert card.problem
    assert known(card.events.last()).kind == EventKind.LEASE_EXPIRED
    assert sync.expire_leases() == 0
    assert card.events.count() == 2


def test_held_up_process_sends_nothing(add: Callable[[str], OilCard], card_platform: FakeCardPlatform) -> None:
    with mock.patch.object(time, "monotonic", side_effect=iter(range(0, 10_000, 100))):
        card = add("accept")
    assert card.state == State.ADD_FAILED
    assert not card_platform.calls


@pytest.mark.parametrize("meanwhile", ["nothing", "expired", "declared"])
def test_late_receipt_counts_whatever_was_thought_meanwhile(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User, meanwhile: str
) -> None:
    def during() -> None:
        if meanwhile != "nothing":
            time_passes()
            sync.expire_leases()
        if meanwhile == "declared":
            resolving.declare_never_arrived(card_id=OilCard.objects.get().pk, reason="not there", actor=clerk_user)

    card_platform.during = during
    card = add("accept")
    assert (card.state, card.platform_card_id, card.problem) == (State.ACTIVE, "P1", "")


def test_receipt_after_a_second_addition_began_is_only_kept(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    def during() -> None:
        time_passes()
        sync.expire_leases()
        card = resolving.declare_never_arrived(card_id=OilCard.objects.get().pk, reason="not there", actor=clerk_user)
        adding.add_again(card_id=card.pk, details=details(), version=card.version, actor=clerk_user)

    card_platform.during = during
    card = add("accept")
    assert (card.state, card.platform_card_id) == (State.ACTIVE, "P1")
    late = known(card.events.last())
    assert (late.verdict, late.platform_card_id) == (CardVerdict.LATE, "P2")


def test_id_that_another_card_has_is_a_conflict(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    first = add("accept")
    card_platform.next_id = "P1"
    second = adding.add_card(details=details(card_number=NUMBER[:-1] + "9"), actor=clerk_user)
    assert (second.state, second.action, second.platform_card_id) == (State.UNKNOWN, CardAction.ADD, None)
    assert known(second.events.last()).verdict == CardVerdict.CONFLICT
    first.refresh_from_db()
    assert first.state == State.ACTIVE


def test_id_that_does_not_fit_is_a_conflict(add: Callable[[str], OilCard], card_platform: FakeCardPlatform) -> None:
    card_platform.next_id = "9" * 65
    assert add("accept").state == State.UNKNOWN


def test_same_number_twice_is_refused_and_shows_the_card(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card = add("accept")
    events = OilCardEvent.objects.count()
    with pytest.raises(DuplicateCard) as caught:
        adding.add_card(details=details(card_number=f" {NUMBER[:4]} {NUMBER[4:]}"), actor=clerk_user)
    assert caught.value.card == card
    assert NUMBER not in str(caught.value) + repr(caught.value)
    assert (OilCard.objects.count(), OilCardEvent.objects.count()) == (1, events)
    assert card_platform.calls == ["add"]


def test_same_number_at_the_same_moment_is_refused_by_the_database(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card = add("accept")
    looks = iter([lambda *args, **kwargs: None, checking.refuse_duplicate])
    with (
        mock.patch.object(adding, "refuse_duplicate", lambda *args, **kwargs: next(looks)(*args, **kwargs)),
        pytest.raises(DuplicateCard) as caught,
    ):
        adding.add_card(details=details(), actor=clerk_user)
    assert caught.value.card == card
    assert card_platform.calls == ["add"]


def test_number_of_a_deleted_card_may_be_added_anew(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    old = deleting.delete_card(card_id=add("accept").pk, actor=clerk_user)
    new = adding.add_card(details=details(), actor=clerk_user)
    assert (old.state, new.state) == (State.DELETED, State.ACTIVE)
    assert set(OilCard.objects.with_number(NUMBER)) == {old, new}


def test_invalid_values_are_refused_all_at_once(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    wrong = details(card_number="abc", holder_name="", holder_phone="123", national_id="110105194912310021")
    with pytest.raises(InvalidCard) as caught:
        adding.add_card(details=wrong, actor=clerk_user, accept_warnings=True)
    assert set(caught.value.errors) == {"card_number", "holder_name", "holder_phone", "national_id"}
    assert not OilCard.objects.exists()
    assert not card_platform.calls


def test_unusual_values_need_a_second_look(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    unusual = details(card_type=CardType.PETROCHINA)
    with pytest.raises(Doubtful) as caught:
        adding.add_card(details=unusual, actor=clerk_user)
    assert set(caught.value.warnings) == {"card_number"}
    assert not OilCard.objects.exists()
    assert not card_platform.calls
    card = adding.add_card(details=unusual, actor=clerk_user, accept_warnings=True)
    assert (card.state, card.card_type) == (State.ACTIVE, CardType.PETROCHINA)


def test_nothing_is_begun_without_credentials(card_platform: FakeCardPlatform, clerk_user: User) -> None:
    with (
        mock.patch.object(platform_settings, "is_configured", lambda: False),
        pytest.raises(NotConfigured),
    ):
        adding.add_card(details=details(), actor=clerk_user)
    assert not OilCard.objects.exists()


def test_adding_again_wants_the_version_that_was_seen(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform, clerk_user: User
) -> None:
    card = add("reject")
    before = OilCard.objects.values().get()
    with pytest.raises(TooLate):
        adding.add_again(card_id=card.pk, details=details(), version=card.version + 1, actor=clerk_user)
    assert OilCard.objects.values().get() == before
    assert card_platform.calls == ["add"]


@pytest.mark.django_db(transaction=True)
def test_intent_is_committed_and_nothing_held_while_the_platform_is_asked(
    add: Callable[[str], OilCard], card_platform: FakeCardPlatform
) -> None:
    seen: list[object] = []

    def during() -> None:
        seen.append((connection.in_atomic_block, connection.connection is None or connection.vendor == "sqlite"))
        seen.append(OilCard.objects.get().state)

    card_platform.during = during
    add("accept")
    assert seen == [(False, True), State.ADDING]
