"""The card book's screens and the form that recharges a card: every role, every refusal, and nothing personal shown."""

import uuid
from typing import Any
from unittest import mock

import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from oilcards.choices import CardAction, CardType, EventKind, State
from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding
from portal.gateway import CardType as WireCardType
from recharge.choices import Product, Submission
from recharge.limits.services import emergency_stop
from recharge.models import Order
from tests.addresses import named_patterns
from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER, PHONE, SECRETS, FakeCardPlatform, details
from tests.oil_cards import active_card
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "card_platform")]
TYPED = {
    "card_type": "0",
    "card_number": NUMBER,
    "holder_name": NAME,
    "holder_phone": PHONE,
    "national_id": NATIONAL_ID,
}
ROLES = ("clerk", "auditor", "administrator", "outsider")
CHANGERS = {"clerk", "administrator"}
DEEDS = {
    "edit": CHANGERS,
    "compare": CHANGERS,
    "send-ours": CHANGERS,
    "enter-id": CHANGERS,
    "never-arrived": CHANGERS,
    "delete": {"administrator"},
    "gone": {"administrator"},
    "reveal": {"administrator"},
}


def signed_in(client: Client, role: str = "clerk") -> Client:
    client.force_login(person(role))
    return client


@pytest.fixture
def clerk(client: Client) -> Client:
    return signed_in(client)


@pytest.fixture
def administrator() -> Client:
    return signed_in(Client(), "administrator")


@pytest.fixture
def card(card_platform: FakeCardPlatform) -> OilCard:
    return adding.add_card(details=details(), actor=person("clerk"))


def unanswered(card_platform: FakeCardPlatform, behaviour: str = "hang") -> OilCard:
    card_platform.behaviour = behaviour
    return adding.add_card(details=details(), actor=person("clerk"))


def everything() -> tuple[Any, ...]:
    return list(OilCard.objects.values()), OilCardEvent.objects.count(), Order.objects.count()


def text(response: Page) -> str:
    return response.content.decode()


# --- roles ---------------------------------------------------------------------------------------------------


def test_every_address_is_accounted_for() -> None:
    card = "oil-cards/<int:card_id>/"
    known = {"oil-cards/", "oil-cards/new/", card, *(f"{card}{action}/" for action in (*DEEDS, "take-theirs"))}
    assert {path for _, path in named_patterns() if path.startswith("oil-cards/")} == known


@pytest.mark.parametrize("role", ROLES)
def test_every_page_with_every_role(client: Client, card: OilCard, role: str) -> None:
    signed_in(client, role)
    sees = role != "outsider"
    for address in ("/oil-cards/", f"/oil-cards/{card.pk}/"):
        assert client.get(address).status_code == (200 if sees else 403), address
    assert client.get("/oil-cards/new/").status_code == (200 if role in CHANGERS else 403)
    assert client.get("/orders/new/oil/").status_code == (200 if role in CHANGERS else 403)
    for action, allowed in DEEDS.items():
        assert client.get(f"/oil-cards/{card.pk}/{action}/").status_code == (200 if role in allowed else 403), action


@pytest.mark.parametrize("role", ["auditor", "outsider"])
def test_who_may_only_look_changes_nothing(
    client: Client, card: OilCard, card_platform: FakeCardPlatform, role: str
) -> None:
    signed_in(client, role)
    before, calls = everything(), list(card_platform.calls)
    for action in (*DEEDS, "take-theirs"):
        fields = {**TYPED, "version": card.version, "reason": "x", "platform_card_id": "P1"}
        assert client.post(f"/oil-cards/{card.pk}/{action}/", fields).status_code == 403, action
    assert client.post("/oil-cards/new/", TYPED).status_code == 403
    assert client.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": 500}).status_code == 403
    assert (everything(), card_platform.calls) == (before, calls)


def test_operator_can_neither_delete_nor_reveal(clerk: Client, card: OilCard) -> None:
    before = everything()
    for action in ("delete", "gone", "reveal"):
        assert clerk.post(f"/oil-cards/{card.pk}/{action}/", {"reason": "x"}).status_code == 403
    page = text(clerk.get(f"/oil-cards/{card.pk}/"))
    assert "/reveal/" not in page
    assert "/delete/" not in page
    assert everything() == before


def test_stranger_is_sent_to_the_sign_in(client: Client, card: OilCard) -> None:
    for path in ("", "new/", f"{card.pk}/", *(f"{card.pk}/{action}/" for action in DEEDS)):
        response = client.get(f"/oil-cards/{path}")
        assert response["Location"].startswith("/accounts/login/"), path


def test_every_page_says_that_everything_is_stopped(administrator: Client, card: OilCard) -> None:
    emergency_stop.stop_everything(actor=person("clerk"), reason="价格不对")
    for path in ("", "new/", f"{card.pk}/", *(f"{card.pk}/{action}/" for action in DEEDS)):
        assert "价格不对" in text(administrator.get(f"/oil-cards/{path}")), path
    for action in ("compare", "reveal"):
        page = administrator.post(f"/oil-cards/{card.pk}/{action}/", {"reason": "核对发票"})
        assert page.status_code == 200
        assert "价格不对" in text(page), action


# --- personal data -------------------------------------------------------------------------------------------


def test_no_page_shows_personal_data(administrator: Client, card: OilCard, card_platform: FakeCardPlatform) -> None:
    card_platform.answer = {"holder_name": "司马相如"}
    pages = [administrator.get(path) for path in ("/oil-cards/", f"/oil-cards/{card.pk}/", "/orders/new/oil/")]
    pages += [administrator.get(f"/oil-cards/{card.pk}/{action}/") for action in DEEDS]
    pages += [administrator.post(f"/oil-cards/{card.pk}/compare/"), administrator.get(f"/oil-cards/{card.pk}/")]
    for page in pages:
        assert not [secret for secret in (*SECRETS, "司马相如") if secret in text(page)]
        assert "no-store" in page["Cache-Control"]
    shown = text(pages[1])
    assert "···· 4321" in shown
    assert "欧**" in shown
    assert "138****8765" in shown
    assert f"1{'*' * 16}X" in shown


def test_reveal_shows_everything_once_and_is_on_record(administrator: Client, card: OilCard) -> None:
    answer = administrator.post(f"/oil-cards/{card.pk}/reveal/", {"reason": "核对发票"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert all(value in text(answer) for value in (NAME, PHONE, NATIONAL_ID))
    event = card.events.get(kind=EventKind.REVEALED)
    assert (event.actor, event.note) == (person("administrator"), "核对发票")
    assert NAME not in text(administrator.get(f"/oil-cards/{card.pk}/"))


@pytest.mark.parametrize("reason", ["", "   ", "\x00", "x" * 201])
def test_reveal_without_a_reason_shows_nothing(administrator: Client, card: OilCard, reason: str) -> None:
    before = everything()
    answer = administrator.post(f"/oil-cards/{card.pk}/reveal/", {"reason": reason})
    assert not [secret for secret in SECRETS if secret in text(answer)]
    assert everything() == before


# --- adding --------------------------------------------------------------------------------------------------


def test_clerk_adds_a_card_and_lands_on_its_page(clerk: Client, card_platform: FakeCardPlatform) -> None:
    response = clerk.post("/oil-cards/new/", {**TYPED, "card_number": "1000 1112-3456 7894 321"})
    card = OilCard.objects.get()
    assert response["Location"] == f"/oil-cards/{card.pk}/"
    assert (card.state, card.card_number, card.added_by) == (State.ACTIVE, NUMBER, person("clerk"))
    assert card_platform.cards["P1"]["card_type"] == WireCardType.SINOPEC


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"card_number": ""}, "请输入卡号"),
        ({"card_number": "12x4567890"}, "只"),
        ({"holder_name": "9"}, "姓名"),
        ({"holder_phone": "12345"}, "手机号"),
        ({"national_id": "110105194912310021"}, "身份证"),
        ({"card_type": ""}, "卡类型"),
        ({"card_type": "7"}, "7"),
        ({"card_number": "\x00"}, "卡号"),
        ({"holder_name": "x" * 101}, "100"),
    ],
)
def test_refused_card_changes_nothing_and_loses_nothing(
    clerk: Client, card_platform: FakeCardPlatform, changes: dict[str, str], message: str
) -> None:
    before = everything()
    response = clerk.post("/oil-cards/new/", {**TYPED, **changes})
    assert response.status_code == 200
    assert message in text(response)
    assert "no-store" in response["Cache-Control"]
    kept = {name: value for name, value in TYPED.items() if name not in (*changes, "card_type")}
    assert not [value for value in kept.values() if value not in text(response)]
    assert (everything(), card_platform.calls) == (before, [])


def test_all_mistakes_are_told_at_once(clerk: Client) -> None:
    errors = clerk.post("/oil-cards/new/", {}).context["form"].errors
    assert set(errors) == {"card_type", "card_number", "holder_name", "holder_phone", "national_id"}


def test_unusual_card_needs_a_tick_for_these_very_warnings(clerk: Client, card_platform: FakeCardPlatform) -> None:
    unusual = {**TYPED, "card_number": "2000111234567894321"}
    asked = clerk.post("/oil-cards/new/", unusual)
    assert asked.context["form"].warnings
    assert not OilCard.objects.exists()
    tick = {"accepted": asked.context["form"].digest}
    other = clerk.post("/oil-cards/new/", {**TYPED, "card_number": "20001112345", **tick})
    assert other.context["form"].warnings
    assert not OilCard.objects.exists()
    assert card_platform.calls == []
    assert clerk.post("/oil-cards/new/", {**unusual, **tick}).status_code == 302
    assert OilCard.objects.get().state == State.ACTIVE


def test_same_number_twice_shows_the_card_that_has_it(
    clerk: Client, card: OilCard, card_platform: FakeCardPlatform
) -> None:
    before = everything()
    response = clerk.post("/oil-cards/new/", TYPED)
    assert f"/oil-cards/{card.pk}/" in text(response)
    assert (everything(), card_platform.calls) == (before, ["add"])


def test_portal_without_credentials_says_so(client: Client) -> None:
    with mock.patch("portal.platform.is_configured", lambda: False):
        response = signed_in(client).post("/oil-cards/new/", TYPED)
    assert response.context["form"].non_field_errors()
    assert not OilCard.objects.exists()


# --- an addition that was never answered ---------------------------------------------------------------------


def test_unanswered_addition_offers_its_two_ways_out_and_no_repetition(
    clerk: Client, card_platform: FakeCardPlatform
) -> None:
    card = unanswered(card_platform)
    page = text(clerk.get(f"/oil-cards/{card.pk}/"))
    assert "不会自动重发" in page
    assert f"/oil-cards/{card.pk}/enter-id/" in page
    assert f"/oil-cards/{card.pk}/never-arrived/" in page
    assert f"/oil-cards/{card.pk}/edit/" not in page
    refused = clerk.post(f"/oil-cards/{card.pk}/edit/", {"version": card.version})
    assert refused.context["form"].non_field_errors()
    assert card_platform.calls == ["add"]


def test_entered_id_makes_the_card_usable(clerk: Client, card_platform: FakeCardPlatform) -> None:
    card = unanswered(card_platform)
    wrong = clerk.post(f"/oil-cards/{card.pk}/enter-id/", {"platform_card_id": "P404"})
    assert wrong.context["form"].non_field_errors()
    assert "P404" in text(wrong)
    card.refresh_from_db()
    assert card.state == State.UNKNOWN
    assert clerk.post(f"/oil-cards/{card.pk}/enter-id/", {"platform_card_id": " P1 "}).status_code == 302
    card.refresh_from_db()
    assert (card.state, card.platform_card_id) == (State.ACTIVE, "P1")


def test_id_of_another_card_shows_that_card(clerk: Client, card_platform: FakeCardPlatform) -> None:
    other = active_card(person("clerk"), platform_card_id="P7")
    card = unanswered(card_platform)
    refused = clerk.post(f"/oil-cards/{card.pk}/enter-id/", {"platform_card_id": "P7"})
    assert f"/oil-cards/{other.pk}/" in text(refused)


def test_card_that_never_arrived_can_be_corrected_and_added_again(
    clerk: Client, card_platform: FakeCardPlatform
) -> None:
    card = unanswered(card_platform, "lost")
    assert clerk.post(f"/oil-cards/{card.pk}/never-arrived/", {"reason": " "}).context["form"].errors
    clerk.post(f"/oil-cards/{card.pk}/never-arrived/", {"reason": "后台没有"})
    card.refresh_from_db()
    assert card.state == State.ADD_FAILED
    clerk.post(f"/oil-cards/{card.pk}/edit/", {"version": card.version, "holder_phone": "13900139000"})
    card.refresh_from_db()
    assert (card.state, card.holder_phone, card.holder_name) == (State.ACTIVE, "13900139000", NAME)
    assert card_platform.calls == ["add", "add"]


# --- editing, comparing, deleting ----------------------------------------------------------------------------


def test_what_is_left_empty_stays(clerk: Client, card: OilCard, card_platform: FakeCardPlatform) -> None:
    clerk.post(f"/oil-cards/{card.pk}/edit/", {"version": card.version, "card_type": "0", "holder_name": "司马相如"})
    card.refresh_from_db()
    assert card.details == details(holder_name="司马相如")
    assert card_platform.cards["P1"]["holder_name"] == "司马相如"


@pytest.mark.parametrize("version", ["", "x", "0", "99", "1" * 400, "\x00"])
def test_edit_of_an_older_card_is_refused(
    clerk: Client, card: OilCard, card_platform: FakeCardPlatform, version: str
) -> None:
    before = everything()
    response = clerk.post(f"/oil-cards/{card.pk}/edit/", {"version": version, "holder_name": "司马相如"})
    assert "司马相如" in text(response)
    assert response.context["form"].errors
    assert (everything(), card_platform.calls) == (before, ["add"])


def test_differences_are_shown_with_a_button_for_each_direction(
    clerk: Client, card: OilCard, card_platform: FakeCardPlatform
) -> None:
    card_platform.cards["P1"] |= {"holder_phone": "13955512345", "card_type": WireCardType.PETROCHINA}
    page = clerk.post(f"/oil-cards/{card.pk}/compare/")
    assert "139****2345" in text(page)
    comparison = page.context["comparison"]
    assert {difference.field for difference in comparison.differences} == {"holder_phone", "card_type"}
    clerk.post(
        f"/oil-cards/{card.pk}/take-theirs/",
        {"fields_taken": ["holder_phone"], "fingerprint": comparison.fingerprint},
    )
    card.refresh_from_db()
    assert (card.state, card.holder_phone, card.card_type) == (State.CHANGE_FAILED, "13955512345", CardType.SINOPEC)
    clerk.post(f"/oil-cards/{card.pk}/send-ours/", {"version": card.version})
    card.refresh_from_db()
    assert (card.state, card_platform.cards["P1"]["card_type"]) == (State.ACTIVE, WireCardType.SINOPEC)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"fields_taken": "holder_phone", "fingerprint": "old"},
        {"fields_taken": "password", "fingerprint": "x"},
        {"fields_taken": "holder_phone", "fingerprint": "x" * 999},
        {"fields_taken": "holder_phone", "fingerprint": "\x00"},
    ],
)
def test_nothing_is_taken_over_that_nobody_has_seen(
    clerk: Client, card: OilCard, card_platform: FakeCardPlatform, fields: dict[str, str]
) -> None:
    card_platform.cards["P1"] |= {"holder_phone": "13955512345"}
    before = everything()
    assert clerk.post(f"/oil-cards/{card.pk}/take-theirs/", fields).status_code == 302
    assert everything() == before


@pytest.mark.parametrize("behaviour", ["hang", "reject", "not_sent"])
def test_platform_that_does_not_tell_is_shown_in_words(
    clerk: Client, card: OilCard, card_platform: FakeCardPlatform, behaviour: str
) -> None:
    card_platform.behaviour = behaviour
    page = clerk.post(f"/oil-cards/{card.pk}/compare/")
    assert page.status_code == 200
    assert not [secret for secret in SECRETS if secret in text(page)]
    card.refresh_from_db()
    assert card.state == State.ACTIVE


def test_deleted_card_keeps_its_page_and_its_orders(administrator: Client, card: OilCard) -> None:
    administrator.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": 500})
    refused = administrator.post(f"/oil-cards/{card.pk}/delete/", follow=True)
    assert "订单" in text(refused)
    card.refresh_from_db()
    assert card.state == State.ACTIVE
    order = Order.objects.get()
    administrator.post(f"/orders/{order.order_no}/withdraw/")
    administrator.post(f"/oil-cards/{card.pk}/delete/")
    card.refresh_from_db()
    assert card.state == State.DELETED
    page = text(administrator.get(f"/oil-cards/{card.pk}/"))
    assert order.order_no[:4] in page
    assert f"?card={card.pk}" not in page
    assert str(card.pk) not in [str(row.pk) for row in administrator.get("/oil-cards/").context["page"].rows]
    assert administrator.get("/oil-cards/?state=all").context["page"].rows == [card]


def test_card_that_is_gone_is_declared_with_a_reason(
    administrator: Client, card: OilCard, card_platform: FakeCardPlatform
) -> None:
    card_platform.cards.clear()
    assert administrator.post(f"/oil-cards/{card.pk}/compare/").context["comparison"].verdict == "missing"
    assert administrator.post(f"/oil-cards/{card.pk}/gone/", {"reason": ""}).context["form"].errors
    administrator.post(f"/oil-cards/{card.pk}/gone/", {"reason": "后台已删"})
    card.refresh_from_db()
    assert card.state == State.DELETED


# --- the list ------------------------------------------------------------------------------------------------


def test_list_is_found_by_state_type_and_last_four(clerk: Client, card: OilCard) -> None:
    other = active_card(person("clerk"), platform_card_id="77")
    OilCard.objects.filter(pk=other.pk).update(card_type=CardType.PETROCHINA, state=State.CHANGE_FAILED)

    def found(query: str) -> list[int]:
        return [row.pk for row in clerk.get(f"/oil-cards/?{query}").context["page"].rows]

    assert found("") == [other.pk, card.pk]
    assert found("last_four=4321") == [card.pk]
    assert found("card_type=1") == [other.pk]
    assert found("state=ACTIVE") == [card.pk]
    assert found("state=attention") == [other.pk]
    assert found(f"before={other.pk}") == [card.pk]
    assert found(f"last_four={NUMBER}") == []


def test_list_costs_the_same_however_long_it_is(
    clerk: Client,
    card: OilCard,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    clerk.get("/oil-cards/")  # the account of the settings is kept at the first look
    with django_assert_max_num_queries(13) as one:
        clerk.get("/oil-cards/")
    for number in range(60):
        active_card(person("clerk"), number=f"10001111000{number:08d}", platform_card_id=f"x{number}")
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clerk.get("/oil-cards/").context["page"].rows) == 50


GARBAGE = ("\x00", "%00", "'", "9" * 40, "-1", "á", "9223372036854775808", "<script>", " ")


@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_in_addresses_is_no_error(clerk: Client, card: OilCard, value: str) -> None:
    before = everything()
    for name in ("last_four", "state", "card_type", "before", "after"):
        assert clerk.get("/oil-cards/", {name: value}).status_code in (200, 400)
    for name in ("card", "replaces"):
        assert clerk.get("/orders/new/oil/", {name: value}).status_code in (200, 404)
    for name in ("digits", "oil_card", "face_value", "nonce", "replaces"):
        assert clerk.post("/orders/new/oil/", {"find": "1", name: value}).status_code == 200
        assert clerk.post("/orders/new/oil/", {"oil_card": card.pk, name: value}).status_code == 200
    assert everything() == before


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 40, "9" * 5000])
def test_card_that_is_not_there_is_not_found(administrator: Client, number: str) -> None:
    for action in ("", *(f"{action}/" for action in DEEDS)):
        assert administrator.get(f"/oil-cards/{number}/{action}").status_code == 404
        assert administrator.post(f"/oil-cards/{number}/{action}", {"reason": "x"}).status_code in (404, 405)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(fields=st.dictionaries(st.sampled_from([*TYPED, "accepted", "version"]), st.text(max_size=120)))
def test_whatever_is_typed_into_the_card_form_is_answered(clerk: Client, fields: dict[str, str]) -> None:
    assert clerk.post("/oil-cards/new/", fields).status_code in (200, 302)


# --- recharging ----------------------------------------------------------------------------------------------


def test_clerk_recharges_a_card_and_lands_on_the_order(clerk: Client, card: OilCard) -> None:
    form = clerk.get(f"/orders/new/oil/?card={card.pk}")
    assert form.context["cards"] == [card]
    fields = {"oil_card": card.pk, "face_value": "500", "nonce": str(uuid.uuid4())}
    first = clerk.post("/orders/new/oil/", fields)
    again = clerk.post("/orders/new/oil/", fields)
    order = Order.objects.get()
    assert (order.product, order.oil_card, order.face_value, order.mobile) == (Product.OIL, card, 500, "")
    assert first["Location"] == again["Location"] == f"/orders/{order.order_no}/"
    page = text(clerk.get(first["Location"]))
    assert "中石化 ···· 4321" in page
    assert "中石化 ···· 4321" in text(clerk.get("/orders/?product=OIL"))
    assert order.order_no not in text(clerk.get("/orders/?product=MOBILE"))


def test_same_card_again_asks_why(clerk: Client, card: OilCard) -> None:
    fields = {"oil_card": card.pk, "face_value": "500"}
    clerk.post("/orders/new/oil/", fields)
    asked = clerk.post("/orders/new/oil/", fields)
    assert asked.context["form"].earlier == Order.objects.get()
    assert clerk.post("/orders/new/oil/", {**fields, "duplicate_reason": "客户要两次"}).status_code == 302
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    "changes", [{"face_value": "50"}, {"face_value": ""}, {"oil_card": ""}, {"oil_card": "999999"}, {"speed": "1"}]
)
def test_refused_recharge_makes_no_order(clerk: Client, card: OilCard, changes: dict[str, str]) -> None:
    response = clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500", **changes})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == set(changes)
    assert not Order.objects.exists()


def test_card_that_is_not_active_is_not_offered_and_refused(clerk: Client, card: OilCard) -> None:
    OilCard.objects.update(state=State.UNKNOWN, action=CardAction.CHANGE)
    page = clerk.get(f"/orders/new/oil/?card={card.pk}")
    assert page.context["refused"] == card
    refused = clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500"})
    assert refused.context["form"].errors["oil_card"]
    assert not Order.objects.exists()


def test_card_is_found_by_its_last_digits_or_its_whole_number(clerk: Client, card: OilCard) -> None:
    active_card(person("clerk"))

    def found(digits: str, **headers: str) -> list[OilCard]:
        response = clerk.post("/orders/new/oil/", {"find": "1", "digits": digits}, headers=headers)
        cards: list[OilCard] = response.context["cards"]
        return cards

    assert found("4321") == found("21", hx_request="true") == found("1000 1112 3456 7894 321") == [card]
    assert found("0000") == found(NUMBER[:-1] + "2") == []
    assert len(found("")) == 2


def test_orders_of_a_card_are_found_by_its_last_digits(clerk: Client, card: OilCard) -> None:
    other = active_card(person("clerk"), platform_card_id="78")
    for which in (card, other):
        clerk.post("/orders/new/oil/", {"oil_card": which.pk, "face_value": "500"})
    found = clerk.get("/orders/", {"q": card.last_four}).context["page"].rows
    assert [order.oil_card for order in found] == [card]
    assert clerk.get("/orders/", {"q": card.last_four[1:]}).context["page"].rows == []


def test_speed_is_asked_only_where_there_is_a_choice(clerk: Client, card: OilCard, settings: LazySettings) -> None:
    assert 'name="speed"' not in text(clerk.get("/orders/new/oil/"))
    settings.OIL_SPEEDS = [0, 1]
    assert 'name="speed"' in text(clerk.get("/orders/new/oil/"))
    clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500", "speed": "fast"})
    assert Order.objects.get().speed == 1


def test_dead_recharge_is_placed_again_from_its_own_form(clerk: Client, card: OilCard) -> None:
    clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500"})
    dead = Order.objects.get()
    clerk.post(f"/orders/{dead.order_no}/withdraw/")
    assert f"/orders/new/oil/?replaces={dead.order_no}" in text(clerk.get(f"/orders/{dead.order_no}/"))
    moved = clerk.get(f"/orders/new/?replaces={dead.order_no}")
    assert moved["Location"] == f"/orders/new/oil/?replaces={dead.order_no}"
    form = clerk.get(moved["Location"])
    assert form.context["chosen"] == card
    clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500", "replaces": dead.order_no})
    assert Order.objects.exclude(pk=dead.pk).get().replaces == dead
    assert dead.submission != Submission.WITHDRAWN  # as it was read before


def test_orders_page_tells_of_the_one_witness_and_of_the_station(clerk: Client, card: OilCard) -> None:
    clerk.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500"})
    order = Order.objects.get()
    address = f"/orders/{order.order_no}/"
    assert "圈存" not in text(clerk.get(address))
    Order.objects.update(
        submission=Submission.ACCEPTED,
        gateway_order_no="1",
        status=2,
        one_witness=True,
        next_push_at=None,
        next_check_at=order.placed_at,
    )
    page = text(clerk.get(address))
    assert "圈存" in page
    assert "平台不提供油卡订单查询" in page
