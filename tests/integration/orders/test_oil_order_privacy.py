"""A platform that repeats the card's holder wherever it speaks of an order: nothing of that is kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from oilcards.models import OilCard, number_index_field
from oilcards.services.adding import columns
from portal import platform as platform_settings
from portal.gateway import Acknowledgement, GatewayError, OrderReport, OutcomeUnknown, PushReceipt, Rejected
from recharge.choices import Submission, Verdict
from recharge.fulfilment.services import checking, privacy, products, submission
from recharge.models import Batch, Order, OrderEvent
from recharge.orders.services import interventions, placing
from tests.dumps import dump, found_in
from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER, PHONE, SECRETS, details
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import confirm, press

pytestmark = pytest.mark.usefixtures("sent")
HOLDER = {"name": NAME, "phone": PHONE, "user_num": NATIONAL_ID, "card_num": NUMBER, "mobile": PHONE}
SENTENCE = f"持卡人{NAME}（{NATIONAL_ID}，{PHONE}）的卡 {NUMBER} 有误"
PUSHES = ("accept", "reject", "says_duplicate", "hang")


class TalkativePlatform(FakePlatform):
    def report(self, order_no: str, status: int | None = None) -> OrderReport:
        return replace(super().report(order_no, status), raw=answer(order_no=order_no), reason=SENTENCE, mobile=PHONE)

    def push_oil_order(self, **options: Any) -> PushReceipt:
        try:
            return replace(super().push_oil_order(**options), raw=answer())
        except Rejected as error:
            raise Rejected(error.code, error.message + SENTENCE, answer()) from None
        except OutcomeUnknown as error:
            raise OutcomeUnknown(f"{error} {SENTENCE}", answer()[:-40]) from None

    def query_oil_order(self, **options: Any) -> OrderReport:
        try:
            return super().query_oil_order(**options)
        except Rejected as error:
            raise Rejected(error.code, error.message + SENTENCE, answer()) from None
        except OutcomeUnknown:
            raise OutcomeUnknown(SENTENCE, f"<p>{SENTENCE}") from None

    def cancel_oil_orders(self, *, gateway_order_nos: list[str]) -> Acknowledgement:
        return Acknowledgement(SENTENCE, answer())


def answer(**data: object) -> str:
    return json.dumps({"code": "0000", "msg": SENTENCE, "data": {**HOLDER, **data}})


@pytest.fixture
def talkative() -> Iterator[TalkativePlatform]:
    platform = TalkativePlatform()
    with (
        mock.patch.object(platform_settings, "client", lambda: platform),
        mock.patch.object(platform_settings, "is_configured", lambda: True),
    ):
        yield platform


@pytest.fixture
def card(clerk_user: User) -> OilCard:
    columns_of_card = columns(details())
    assert columns_of_card["number_index"] == number_index_field().index(NUMBER)
    return OilCard.objects.create(
        **columns_of_card, platform_card_id="77", state="ACTIVE", added_by=clerk_user, changed_by=clerk_user
    )


def recharge(card: OilCard, platform: TalkativePlatform, push: str = "accept") -> Order:
    order = placing.place_oil_order(
        placed_by=card.added_by, oil_card=card, face_value=500, duplicate_reason=f"Once more, {push}."
    )
    platform.behaviour = push
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def call_back(client: Client, order: Order, *, as_json: bool, **fields: object) -> None:
    body = {"order_no": order.order_no, "order_number": "W1", "status": 1, "failReason": SENTENCE, **HOLDER, **fields}
    address = f"/callback/{products.CALLBACK_SIGNER.sign(order.order_no)}/"
    if as_json:
        response = client.post(address, json.dumps(body), content_type="application/json")
    else:
        response = client.post(address, urlencode(body), content_type="application/x-www-form-urlencoded")
    assert response.content == b"success"


def live_a_full_life(card: OilCard, platform: TalkativePlatform, client: Client) -> None:
    for push in PUSHES:
        order = recharge(card, platform, push)
        for query in ("answer", "unclear"):
            platform.query_behaviour = query
            Order.objects.update(asked_at=None)
            checking.check_order(order_id=order.pk)
        if order.submission != Submission.REJECTED:
            order.refresh_from_db()
            for as_json in (True, False):
                call_back(client, order, as_json=as_json, order_number=order.gateway_order_no or "W1")
            address = f"/callback/{products.CALLBACK_SIGNER.sign(order.order_no)}/"
            assert client.post(address, {"order_no": order.order_no, "order_number": "W1", **HOLDER}).status_code == 200
            order.refresh_from_db()
            if order.submission == Submission.ACCEPTED:  # else the sentence around a refusal leaves it unknown
                interventions.cancel_at_platform(order_id=order.pk, actor=card.added_by)


@pytest.mark.django_db(transaction=True)
def test_dump_of_the_database_shows_nothing(
    card: OilCard, talkative: TalkativePlatform, client: Client, tmp_path: Path
) -> None:
    live_a_full_life(card, talkative, client)
    assert OrderEvent.objects.filter(raw__contains="***").count() > 20
    contents = dump(tmp_path)
    assert b"Once more, accept." in contents, "this is no dump of the database"
    assert not found_in(contents, SECRETS)


@pytest.mark.django_db(transaction=True)
def test_dump_would_show_what_is_kept_as_it_came(
    card: OilCard, talkative: TalkativePlatform, client: Client, tmp_path: Path
) -> None:
    """The twin: without the hiding, everything is found, or the test above proves nothing."""
    with (
        mock.patch.object(privacy, "hiding", lambda order: None),
        mock.patch.object(products, "hiding", lambda _: None),
    ):
        live_a_full_life(card, talkative, client)
    assert set(found_in(dump(tmp_path), SECRETS)) == set(SECRETS)


def test_logs_and_pages_show_nothing(
    card: OilCard, talkative: TalkativePlatform, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        live_a_full_life(card, talkative, client)
    shown = caplog.text + str([record.__dict__ for record in caplog.records])
    client.force_login(User.objects.create_superuser("administrator"))
    for order in Order.objects.all():
        shown += client.get(f"/orders/{order.order_no}/").content.decode()
        shown += client.get(f"/admin/recharge/order/{order.pk}/change/").content.decode()
    for event in OrderEvent.objects.all():
        shown += client.get(f"/admin/recharge/orderevent/{event.pk}/change/").content.decode()
    assert known(Order.objects.first()).order_no in shown
    assert not found_in(shown.encode(), SECRETS)


def test_holders_phone_in_a_report_is_no_contradiction(
    card: OilCard, talkative: TalkativePlatform, client: Client
) -> None:
    order = recharge(card, talkative)
    call_back(client, order, as_json=True, status=2, card_id="77", amount=500)
    order.refresh_from_db()
    assert (order.status, order.marked_as) == (2, [])


def test_numbers_that_prove_something_are_kept(card: OilCard, talkative: TalkativePlatform, client: Client) -> None:
    order = recharge(card, talkative)
    call_back(client, order, as_json=False, status=3, order_number="1637835415123456", cost_price="487.5")
    raw = known(order.events.last()).raw
    for kept in (f"order_no={order.order_no}", "order_number=1637835415123456", "status=3", "cost_price=487.5"):
        assert kept in raw


def test_evidence_of_top_ups_is_kept_as_it_came(clerk_user: User, platform: FakePlatform, client: Client) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile=PHONE, face_value=50)
    submission.submit_order(order_id=order.pk)
    call_back(client, order, as_json=False)
    assert urlencode({"mobile": PHONE}) in known(order.events.last()).raw


@pytest.mark.parametrize("as_json", [True, False])
def test_wrong_key_loses_no_report_and_hides_what_has_a_personal_name(
    card: OilCard, talkative: TalkativePlatform, client: Client, settings: LazySettings, as_json: bool
) -> None:
    order = recharge(card, talkative)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    call_back(client, order, as_json=as_json, status=2, failReason="")
    event = known(Order.objects.only("pk").get().events.last())
    assert event.verdict == Verdict.APPLIED
    assert not found_in(event.raw.encode(), SECRETS)


def test_what_people_write_about_an_order_is_cleaned_too(
    card: OilCard, talkative: TalkativePlatform, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("administrator"))
    order = recharge(card, talkative)
    call_back(client, order, as_json=True, status=99)
    written = f"{NAME} called from {PHONE[:3]}-{PHONE[3:7]} {PHONE[7:]}, order {order.order_no}"
    confirm(client, f"/orders/{order.order_no}/acknowledge/", note=written)
    client.post("/orders/new/oil/", {"oil_card": card.pk, "face_value": "500", "duplicate_reason": written})
    again = Order.objects.latest("pk")
    assert known(order.events.last()).note.endswith(f": *** called from ***, order {order.order_no}")
    assert again.duplicate_reason == known(again.events.first()).note == f"*** called from ***, order {order.order_no}"


@pytest.mark.django_db(transaction=True)
def test_what_people_write_in_a_list_is_cleaned_too(
    card: OilCard, talkative: TalkativePlatform, client: Client, tmp_path: Path
) -> None:
    client.force_login(User.objects.create_superuser("administrator"))
    order_no = "26112509335012345678"
    notes = [f"{NAME} {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]} {order_no}", NUMBER, "x" * 190 + NUMBER, "第三车队", ""]
    rows = "".join(f"{NUMBER},500,{note}\n" for note in notes)
    file = SimpleUploadedFile("list.csv", f"卡号,面值,备注\n{rows}".encode())
    preview = client.post("/batches/new/", {"product": "OIL", "file": file})["Location"]
    reason = f"{NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:]} and {PHONE} wish it, 5 times 500"
    assert press(client, preview, reason=reason).status_code == 302
    batch = Batch.objects.get()
    kept = [f"*** *** {order_no}", "***", "x" * 190 + "***", "第三车队", ""]
    assert list(batch.orders.order_by("line").values_list("note", flat=True)) == kept
    assert batch.reason == batch.events.get().note == "*** and *** wish it, 5 times 500"
    assert set(batch.orders.values_list("duplicate_reason", flat=True)) == {"", batch.reason}
    contents = dump(tmp_path)
    assert batch.reason.encode() in contents, "this is no dump of the database"
    assert not found_in(contents, SECRETS)


def test_errors_of_every_kind_are_cleaned(card: OilCard, clerk_user: User) -> None:
    hide = privacy.hiding(Order(oil_card=card))
    errors: list[GatewayError] = [Rejected("1003", SENTENCE, answer()), OutcomeUnknown(SENTENCE, answer())]
    for error in errors:
        cleaned = privacy.cleaned_error(error, hide)
        assert type(cleaned) is type(error)
        assert not found_in(f"{cleaned} {cleaned!r} {vars(cleaned)}".encode(), SECRETS)
