"""What identifies a card's holder never leaves the encrypted columns: not into dumps, logs, history or reprs."""

import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.core import serializers
from django.test import Client

from oilcards.choices import EventKind, State
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, changing, comparing, deleting, resolving, revealing
from oilcards.services.errors import NotAllowed, ReasonMissing, ServiceError
from portal.kit.crypto import WrongKey
from portal.kit.history import AppendOnlyError
from tests.dumps import dump, found_in
from tests.fake_card_platform import NATIONAL_ID, NUMBER, SECRETS, FakeCardPlatform, details
from tests.fake_platform import WorkerKilled
from tests.known import known

OTHER_NUMBER, OTHER_NAME, OTHER_PHONE = "1000119999888877776", "司马相如", "13955512345"
ALL_SECRETS = (*SECRETS, OTHER_NUMBER, OTHER_NAME, OTHER_PHONE)
BEHAVIOURS = ("accept", "reject", "not_sent", "lost", "hang", "killed_after")


def found(haystack: bytes) -> list[str]:
    return found_in(haystack, ALL_SECRETS)


def live_a_full_life(card_platform: FakeCardPlatform, actor: User) -> None:
    """Do everything that can be done with cards, with every answer that the platform can give."""
    other = details(card_number=OTHER_NUMBER, holder_name=OTHER_NAME, holder_phone=OTHER_PHONE)
    reason = f"{details().holder_phone} called, ID {NATIONAL_ID}"
    for behaviour in BEHAVIOURS:
        card_platform.behaviour = behaviour
        with suppress(WorkerKilled, ServiceError):
            adding.add_card(details=details(), actor=actor)
        card = OilCard.objects.latest("pk")
        steps: list[Callable[..., object]] = [
            lambda card=card: resolving.enter_platform_id(card_id=card.pk, platform_card_id="P404", actor=actor),
            lambda card=card: resolving.declare_never_arrived(card_id=card.pk, reason=reason, actor=actor),
            lambda card=card: adding.add_again(card_id=card.pk, details=details(), version=1, actor=actor),
        ]
        for answer in BEHAVIOURS[:-1]:
            steps += [
                lambda card=card: changing.edit_card(
                    card_id=card.pk, details=other, version=current(card).version, actor=actor
                ),
                lambda card=card: comparing.compare(card_id=card.pk, actor=actor),
                lambda card=card: changing.adopt_ours(card_id=card.pk, version=current(card).version, actor=actor),
            ]
            for step in steps:
                card_platform.behaviour = answer
                with suppress(ServiceError):
                    step()
        revealing.reveal(card_id=card.pk, reason=reason, actor=actor)
        card_platform.behaviour = behaviour
        with suppress(ServiceError, WorkerKilled):
            deleting.delete_card(card_id=card.pk, actor=actor)
        OilCard.objects.filter(pk=card.pk).update(state=State.DELETED, action="", lease_until=None)


def current(card: OilCard) -> OilCard:
    return OilCard.objects.get(pk=card.pk)


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("administrator-of-the-dump")


@pytest.mark.django_db(transaction=True)
@pytest.mark.books_broken("cards")
def test_dump_of_the_database_shows_nothing(
    card_platform: FakeCardPlatform, administrator: User, tmp_path: Path
) -> None:
    live_a_full_life(card_platform, administrator)
    assert OilCard.objects.count() == len(BEHAVIOURS)
    assert OilCardEvent.objects.count() > 100
    contents = dump(tmp_path)
    assert administrator.username.encode() in contents, "this is no dump of the database"
    assert not found(contents)


@pytest.mark.django_db(transaction=True)
def test_dump_would_show_what_is_stored_in_clear(tmp_path: Path) -> None:
    User.objects.create_user("x", first_name=OTHER_NAME)
    assert found(dump(tmp_path)) == [OTHER_NAME]


@pytest.mark.books_broken("cards")
def test_history_shows_nothing(card_platform: FakeCardPlatform, administrator: User) -> None:
    live_a_full_life(card_platform, administrator)
    assert set(OilCardEvent.objects.values_list("kind", flat=True)) >= {
        EventKind.ADDING,
        EventKind.CHANGING,
        EventKind.DELETING,
        EventKind.ANSWERED,
        EventKind.COMPARED,
        EventKind.ID_ENTERED,
        EventKind.NEVER_ARRIVED,
        EventKind.REVEALED,
    }
    assert not found(str(list(OilCardEvent.objects.values())).encode())
    assert not found(str(list(OilCard.objects.values_list("problem"))).encode())


@pytest.mark.books_broken("cards")
def test_logs_show_nothing(
    card_platform: FakeCardPlatform, administrator: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        live_a_full_life(card_platform, administrator)
    assert not found(caplog.text.encode())
    assert not found(str([record.__dict__ for record in caplog.records]).encode())


def test_no_repr_and_no_error_shows_anything(card: OilCard, card_platform: FakeCardPlatform, clerk_user: User) -> None:
    shown = [repr(card), str(card), repr(card.details), str(card.details), repr(card.events.first())]
    refused: list[Callable[[], object]] = [
        lambda: adding.add_card(details=details(), actor=clerk_user),
        lambda: adding.add_card(details=details(national_id=NATIONAL_ID[:-1] + "1"), actor=clerk_user),
        lambda: adding.add_card(details=details(card_number=OTHER_NUMBER[:-1]), actor=clerk_user),
        lambda: changing.edit_card(card_id=card.pk, details=details(), version=9, actor=clerk_user),
        lambda: resolving.enter_platform_id(card_id=card.pk, platform_card_id="P9", actor=clerk_user),
    ]
    for action in refused:
        with pytest.raises(ServiceError) as caught:
            action()
        shown += [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
        shown.append(repr(vars(caught.value)))
    assert not found("".join(shown).encode())


def test_serialized_cards_are_encrypted(card: OilCard) -> None:
    text = serializers.serialize("json", [card])
    assert not found(text.encode())
    (loaded,) = serializers.deserialize("json", text)
    assert isinstance(loaded.object, OilCard)
    assert loaded.object.details == details()


def test_wrong_key_is_an_error_and_never_ciphertext(card: OilCard, settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(WrongKey):
        OilCard.objects.get()
    with pytest.raises(WrongKey):
        OilCard.objects.values_list("holder_name", flat=True).get()
    with pytest.raises(WrongKey):
        changing.adopt_ours(card_id=card.pk, version=1, actor=card.added_by)


def test_revealing_needs_the_permission(card: OilCard, clerk_user: User) -> None:
    events = OilCardEvent.objects.count()
    with pytest.raises(NotAllowed):
        revealing.reveal(card_id=card.pk, reason="curious", actor=clerk_user)
    assert OilCardEvent.objects.count() == events


def test_revealing_needs_a_reason(card: OilCard, administrator: User) -> None:
    events = OilCardEvent.objects.count()
    with pytest.raises(ReasonMissing):
        revealing.reveal(card_id=card.pk, reason=" \n", actor=administrator)
    assert OilCardEvent.objects.count() == events


def test_revealing_is_recorded_with_who_and_why(card: OilCard, clerk_user: User) -> None:
    clerk_user.user_permissions.add(Permission.objects.get(codename="reveal_oilcard"))
    shown = revealing.reveal(card_id=card.pk, reason="The holder asked.", actor=User.objects.get(pk=clerk_user.pk))
    assert (shown.card_number, shown.national_id) == (NUMBER, NATIONAL_ID)
    event = known(card.events.last())
    assert (event.kind, event.actor, event.note) == (EventKind.REVEALED, clerk_user, "The holder asked.")


def test_history_is_append_only(card: OilCard) -> None:
    event = known(card.events.last())
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    assert card.events.count() == 2


def test_admin_looks_and_shows_nothing(card: OilCard, administrator: User, client: Client) -> None:
    client.force_login(administrator)
    for address in (
        "/admin/oilcards/oilcard/",
        f"/admin/oilcards/oilcard/?q={card.last_four}",
        f"/admin/oilcards/oilcard/{card.pk}/change/",
        "/admin/oilcards/oilcardevent/",
        f"/admin/oilcards/oilcardevent/{known(card.events.last()).pk}/change/",
        f"/admin/oilcards/oilcard/{card.pk}/history/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert not found(answer.content), address
    for address in ("/admin/oilcards/oilcard/add/", f"/admin/oilcards/oilcard/{card.pk}/delete/"):
        assert client.get(address).status_code == 403, address
    assert client.post(f"/admin/oilcards/oilcard/{card.pk}/change/", {"last_four": "0000"}).status_code == 403
    assert current(card).last_four == NUMBER[-4:]


def test_groups_may_what_they_should(db: None) -> None:
    granted = {
        group.name: set(group.permissions.filter(content_type__app_label="oilcards").values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    see = {"view_oilcard", "view_oilcardevent"}
    work = see | {"add_oilcard", "change_oilcard"}
    assert granted["Auditors"] == see
    assert granted["Operators"] == work
    assert granted["Administrators"] == work | {"delete_oilcard", "reveal_oilcard"}
