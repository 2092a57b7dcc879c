"""What is typed into the card book, or read from it, shows in no address, no message to a worker and no error page."""

import re
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.test import Client
from django.views.debug import SafeExceptionReporterFilter

from oilcards.choices import CardAction
from oilcards.models import OilCard
from portal.celery import app as celery_app
from portal.kit import secrecy
from recharge import tasks
from recharge.models import Order
from tests.dumps import found_in
from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER, PHONE, SECRETS, FakeCardPlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("card_platform")]
TYPED = {
    "card_type": "0",
    "card_number": NUMBER,
    "holder_name": NAME,
    "holder_phone": PHONE,
    "national_id": NATIONAL_ID,
}
ADDRESS = re.compile(r"""(?:href|action|src|hx-[a-z]+)="([^"]*)\"""")


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(person("administrator"))
    client.raise_request_exception = False
    return client


def breaks() -> None:
    raise RuntimeError("out of order")


def requests(card: OilCard) -> list[tuple[str, dict[str, Any]]]:
    """Every form in which personal data may be typed, or that works on it."""
    return [
        ("/oil-cards/new/", {**TYPED, "card_number": NUMBER[:-1] + "2"}),
        (f"/oil-cards/{card.pk}/edit/", {**TYPED, "holder_phone": PHONE[:-1] + "1", "version": card.version}),
        (f"/oil-cards/{card.pk}/compare/", {}),
        (f"/oil-cards/{card.pk}/send-ours/", {"version": card.version}),
        (f"/oil-cards/{card.pk}/delete/", {}),
    ]


@pytest.mark.books_broken("cards")
def test_no_error_page_shows_what_the_portal_worked_on(
    administrator: Client, card: OilCard, card_platform: FakeCardPlatform, settings: LazySettings
) -> None:
    settings.DEBUG = True
    for address, fields in requests(card):
        card_platform.during = breaks
        page = administrator.post(address, fields)
        assert page.status_code == 500
        assert b"out of order" in page.content, address
        assert not found_in(page.content, SECRETS), address
        OilCard.objects.filter(pk=card.pk).update(state="ACTIVE", action="", lease_until=None, version=card.version)


def test_error_page_of_a_search_shows_no_number(administrator: Client, settings: LazySettings) -> None:
    settings.DEBUG = True
    with mock.patch("recharge.orders.views._cards", lambda *arguments: breaks()):
        page = administrator.post("/orders/new/oil/", {"find": "1", "digits": NUMBER})
    assert page.status_code == 500
    assert not found_in(page.content, SECRETS)


@pytest.mark.parametrize("broken", ["batches.upload_views.keep_upload", "batches.services.reading._cards_of"])
def test_error_page_of_a_list_of_cards_shows_no_number(
    administrator: Client, card: OilCard, settings: LazySettings, broken: str
) -> None:
    settings.DEBUG = True
    typed = {"product": "OIL", "text": f"卡号,面值\n{NUMBER},500\n"}
    with mock.patch(f"recharge.{broken}", lambda *arguments, **named: breaks()):
        page = administrator.post("/batches/new/", typed)
        if page.status_code == 302:
            page = administrator.get(page["Location"])
    assert page.status_code == 500
    assert b"out of order" in page.content
    assert not found_in(page.content, SECRETS)


def test_error_page_would_show_it_without_the_filter(
    administrator: Client, card: OilCard, card_platform: FakeCardPlatform, settings: LazySettings
) -> None:
    """The twin: or the tests above prove nothing."""
    settings.DEBUG = True
    card_platform.during = breaks
    with mock.patch.object(secrecy, "NothingPersonal", SafeExceptionReporterFilter):
        page = administrator.post(*requests(card)[0])
    assert {NAME, PHONE, NATIONAL_ID} <= set(found_in(page.content, SECRETS))


@pytest.mark.parametrize("debug", [True, False])
def test_wrong_key_is_a_loud_error_and_never_ciphertext(
    administrator: Client, card: OilCard, settings: LazySettings, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for path in (f"/oil-cards/{card.pk}/", "/oil-cards/", f"/oil-cards/{card.pk}/edit/", "/orders/new/oil/"):
        page = administrator.get(path)
        assert page.status_code == 500, path
        assert b"gAAAA" not in page.content
        assert not found_in(page.content, SECRETS)
        assert not debug or b"FIELD_ENCRYPTION_KEYS lacks the key" in page.content


def test_workers_are_told_an_orders_key_and_nothing_else(administrator: Client, card: OilCard) -> None:
    with mock.patch.object(celery_app, "send_task") as sent:
        administrator.post("/oil-cards/new/", {**TYPED, "card_number": NUMBER[:-1] + "2"})
        administrator.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500"})
        order = Order.objects.get()
        administrator.post(f"/orders/{order.order_no}/withdraw/")
    assert {str(call.args[0]).partition(".")[0] for call in sent.call_args_list} <= {"recharge"}
    assert not found_in(str(sent.call_args_list).encode(), SECRETS)
    for task in [task for name, task in celery_app.tasks.items() if name.startswith(tasks.__name__)]:
        accepted = task.run.__annotations__
        assert {name for name in accepted if name != "return"} <= {"order_id"}
        assert set(map(str, accepted.values())) <= {"<class 'int'>", "int", "None", "<class 'NoneType'>"}


def test_no_address_carries_personal_data(
    administrator: Client, card: OilCard, card_platform: FakeCardPlatform
) -> None:
    answers = [administrator.post(address, fields) for address, fields in requests(card)]
    OilCard.objects.filter(pk=card.pk).update(state="UNKNOWN", action=CardAction.CHANGE, lease_until=None)
    card_platform.answer = {"holder_name": "司马相如"}
    answers += [
        administrator.post("/oil-cards/new/", {**TYPED, "national_id": NATIONAL_ID[:-1] + "1"}),
        administrator.post("/oil-cards/new/", TYPED),
        administrator.post(f"/oil-cards/{card.pk}/compare/"),
        administrator.post(f"/oil-cards/{card.pk}/reveal/", {"reason": "核对"}),
        administrator.post("/orders/new/oil/", {"find": "1", "digits": NUMBER}),
        administrator.get("/oil-cards/", {"last_four": NUMBER[-4:]}),
        administrator.get(f"/oil-cards/{card.pk}/edit/"),
    ]
    seen = [address for answer in answers for address in ADDRESS.findall(answer.content.decode())]
    seen += [answer.headers.get("Location", "") for answer in answers]
    seen += [answer.headers.get("HX-Push-Url", "") for answer in answers]
    assert len(seen) > 100
    assert not found_in("\n".join(seen).encode(), (*SECRETS, "司马相如"))


def test_whatever_is_typed_of_a_card_is_sent_by_post(administrator: Client, card: OilCard) -> None:
    for path in ("/oil-cards/new/", f"/oil-cards/{card.pk}/edit/", "/orders/new/oil/", f"/oil-cards/{card.pk}/reveal/"):
        page = administrator.get(path).content.decode()
        forms = re.findall(r"<form[^>]*>", page)
        assert forms
        assert all('method="post"' in form for form in forms), path


def test_list_of_cards_takes_no_more_than_four_digits(administrator: Client, card: OilCard) -> None:
    page = administrator.get("/oil-cards/", {"last_four": NUMBER})
    assert not page.context["page"].rows
    assert 'maxlength="4"' in page.content.decode()
