"""Slow top-ups need a purpose and the customer's reference, and a number gets no more than so much: by the settings."""

import csv
import datetime as dt
import io
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from oilcards.models import OilCard
from recharge.batches.services import assembling, draining, making, preview, uploading
from recharge.choices import Product, Speed
from recharge.core.errors import BadLines, FormAlreadyUsed, InvalidOrder
from recharge.fulfilment.services import submission
from recharge.models import BatchDraft, Order
from recharge.orders.services import interventions, placing
from tests.actions import make_again
from tests.batches import batch_of, mobile, mobiles, sheet
from tests.fake_platform import FakePlatform
from tests.pages import press, streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]
SAID: dict[str, Any] = {"purpose": "员工福利", "reference": "K-17"}
HEADER = "手机号,面值,快慢,用途,客户编号"


@pytest.fixture
def guarded(settings: LazySettings) -> None:
    settings.SLOW_PURPOSE_REQUIRED = settings.SLOW_REFERENCE_REQUIRED = True


@pytest.fixture
def clerk_user(db: None) -> User:
    return person("clerk")


@pytest.fixture
def clerk(client: Client, clerk_user: User) -> Client:
    client.force_login(clerk_user)
    return client


def place(by: User, number: int = 1, speed: Speed = Speed.SLOW, face_value: int = 50, **said: Any) -> Order:
    order = placing.place_mobile_order(
        placed_by=by, mobile=mobile(number), face_value=face_value, speed=speed, duplicate_reason="另一笔", **said
    )
    order.refresh_from_db()
    return order


def upload(by: User, *lines: str, header: str = HEADER, **for_all: Any) -> BatchDraft:
    content = sheet(*lines, header=header)
    return uploading.keep_upload(
        content=content, file_name="list.csv", product=Product.MOBILE, uploaded_by=by, **for_all
    )


def test_it_is_off_until_somebody_sets_it(clerk_user: User, clerk: Client) -> None:
    place(clerk_user)
    place(clerk_user, 1, face_value=200)
    assert "data-slow-guard" not in clerk.get("/orders/new/").content.decode()
    assert "用途" not in clerk.get("/batches/new/").content.decode()


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "purpose"),
        ({"purpose": "福利"}, "reference"),
        ({"reference": "K"}, "purpose"),
        ({"purpose": "  "}, "purpose"),
    ],
)
def test_a_slow_order_without_it_is_refused(clerk_user: User, said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        place(clerk_user, **said)
    assert refused.value.field == field
    assert not Order.objects.exists()


@pytest.mark.usefixtures("guarded")
def test_a_fast_order_needs_nothing_and_a_slow_one_keeps_it(clerk_user: User) -> None:
    assert place(clerk_user, speed=Speed.FAST).purpose == ""
    order = place(clerk_user, 2, **SAID)
    assert (order.purpose, order.reference) == ("员工福利", "K-17")


@pytest.mark.usefixtures("guarded")
def test_the_form_asks_and_says_what_is_missing(clerk: Client) -> None:
    page = clerk.get("/orders/new/").content.decode()
    assert "data-slow-guard" in page
    fields = {"mobile": mobile(1), "face_value": "50", "speed": "0"}
    page = clerk.post("/orders/new/", fields).content.decode()
    assert "慢充须填写用途" in page
    assert not Order.objects.exists()
    assert clerk.post("/orders/new/", {**fields, **SAID}).status_code == 302
    order = Order.objects.get()
    page = clerk.get(f"/orders/{order.order_no}/").content.decode()
    assert "员工福利" in page
    assert "K-17" in page


def test_what_a_form_said_else_is_another_order(clerk_user: User) -> None:
    nonce: dict[str, Any] = {"nonce": uuid.uuid4()}
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50, **SAID, **nonce)
    with pytest.raises(FormAlreadyUsed):
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50, reference="K-18", **nonce)


@pytest.mark.usefixtures("guarded")
def test_lines_of_a_list_have_columns_for_it(clerk_user: User) -> None:
    draft = upload(
        clerk_user,
        f"{mobile(1)},50,慢,员工福利,K-1",
        f"{mobile(2)},50,慢,,K-2",
        f"{mobile(3)},50,慢,员工福利,",
        f"{mobile(4)},50,快,,",
    )
    seen = preview.preview(draft)
    assert (seen.bad, seen.placeable.orders) == (2, 2)
    assert [line.words[0] for line in seen.bad_lines] == ["慢充须填写用途。", "慢充须填写客户编号。"]
    with pytest.raises(BadLines):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert not Order.objects.exists()
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    assert list(batch.orders.order_by("line").values_list("purpose", "reference")) == [("员工福利", "K-1"), ("", "")]


@pytest.mark.usefixtures("guarded")
def test_one_of_it_holds_for_all_lines_without(clerk_user: User) -> None:
    draft = upload(
        clerk_user,
        f"{mobile(1)},50,慢,节日礼品,",
        f"{mobile(2)},50,慢,,K-2",
        purpose_for_all="员工福利",
        reference_for_all="K-0",
    )
    batch = making.make_batch(draft=draft, made_by=clerk_user)
    said = list(batch.orders.order_by("line").values_list("purpose", "reference"))
    assert said == [("节日礼品", "K-0"), ("员工福利", "K-2")]


@pytest.mark.usefixtures("guarded")
def test_a_large_list_keeps_it_too(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    draft = upload(clerk_user, *(f"{mobile(number)},50,慢,福利,K-{number}" for number in range(1, 6)))
    making.make_batch(draft=draft, made_by=clerk_user)
    assembling.assemble_waiting()
    assert list(Order.objects.order_by("line").values_list("reference", flat=True)) == [f"K-{n}" for n in range(1, 6)]


@pytest.mark.usefixtures("guarded")
def test_pasted_lines_take_the_one_for_all(clerk: Client) -> None:
    page = clerk.get("/batches/new/").content.decode()
    assert "未填用途的慢充行的用途" in page
    fields = {"text": f"{mobile(1)} 50 慢", "product": "MOBILE"}
    answer = clerk.post("/batches/new/", {**fields, "purpose_for_all": "员工福利", "reference_for_all": "K-0"})
    press(clerk, answer["Location"])
    assert Order.objects.get().reference == "K-0"


@pytest.mark.usefixtures("guarded")
def test_the_template_has_the_columns_and_reads_back(clerk: Client, clerk_user: User) -> None:
    content = streamed(clerk.get("/batches/template/mobile.csv"))
    assert "用途,客户编号" in content.decode("utf-8-sig").replace("\t", "")
    draft = upload(clerk_user, f"{mobile(1)},50,慢,,")
    rows = list(preview.rows(draft, bad=True))
    assert len(rows[0]) == 2 + len(preview.titles(Product.MOBILE, chinese=True))


@pytest.mark.usefixtures("guarded")
def test_what_is_placed_again_keeps_it(clerk_user: User, platform: FakePlatform) -> None:
    batch = batch_of(f"{mobile(1)},50,慢,员工福利,K-1", made_by=clerk_user, header=HEADER)
    platform.behaviour = "reject"

    draining.submit_batches()
    again = make_again(batch, clerk_user)
    assert again.orders.get().reference == "K-1"


def test_the_sheet_has_it(client: Client) -> None:
    place(person("clerk"), **SAID)
    client.force_login(person("administrator"))
    row = next(csv.DictReader(io.StringIO(streamed(client.get("/orders/export.csv")).decode("utf-8-sig"))))
    assert (row["用途"], row["客户编号"].strip()) == ("员工福利", "K-17")


def test_cards_are_left_alone_unless_it_is_said(clerk_user: User, card: OilCard, settings: LazySettings) -> None:
    settings.SLOW_PURPOSE_REQUIRED = True
    settings.SLOW_LIMIT_PER_NUMBER = 500
    placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    settings.SLOW_GUARD_CARDS = True
    with pytest.raises(InvalidOrder) as refused:
        placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500, duplicate_reason="另一笔")
    assert refused.value.field == "purpose"
    said: dict[str, Any] = {"purpose": "公务车", "duplicate_reason": "另一笔"}
    with pytest.raises(InvalidOrder, match="500") as refused:
        placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500, **said)
    assert refused.value.field == "oil_card"
    settings.SLOW_LIMIT_PER_NUMBER = 1000
    placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500, **said)


# --- the limit of a number ------------------------------------------------------------------------------------


def test_one_number_gets_no_more_by_slow_orders_than_the_limit(clerk_user: User, settings: LazySettings) -> None:
    settings.SLOW_LIMIT_PER_NUMBER = 150
    place(clerk_user, face_value=100)
    with pytest.raises(InvalidOrder, match=r"最多 ¥ 150.*已有 ¥ 100"):
        place(clerk_user, face_value=100)
    place(clerk_user, face_value=100, speed=Speed.FAST)
    place(clerk_user, 2, face_value=100)
    place(clerk_user, face_value=50)
    with pytest.raises(InvalidOrder):
        place(clerk_user, face_value=50)


def test_what_spent_nothing_or_is_a_day_old_does_not_count(clerk_user: User, settings: LazySettings) -> None:
    settings.SLOW_LIMIT_PER_NUMBER = 50
    order = place(clerk_user)
    interventions.withdraw(order_id=order.pk, actor=clerk_user)
    waiting = place(clerk_user)
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(hours=25))
    with pytest.raises(InvalidOrder):
        place(clerk_user)
    submission.submit_order(order_id=waiting.pk)
    Order.objects.update(submitted_at=timezone.now() - dt.timedelta(hours=25))
    place(clerk_user)


def test_lines_of_a_list_count_one_after_the_other(clerk_user: User, settings: LazySettings) -> None:
    settings.SLOW_LIMIT_PER_NUMBER = 150
    place(clerk_user)
    lines = [f"{mobile(1)},50,慢", f"{mobile(1)},100,慢", f"{mobile(1)},100,快", *mobiles(1, first=2)]
    draft = upload(clerk_user, *lines, header="手机号,面值,快慢")
    seen = preview.preview(draft)
    assert (seen.bad, seen.bad_lines[0].line) == (1, 3)
    with pytest.raises(BadLines, match="150"):
        making.make_batch(draft=draft, made_by=clerk_user, reason="补充")
    assert Order.objects.count() == 1


def test_a_replacement_counts_instead_of_what_it_replaces(
    clerk_user: User, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.SLOW_LIMIT_PER_NUMBER = 50
    platform.behaviour = "reject"
    dead = place(clerk_user)
    submission.submit_order(order_id=dead.pk)
    dead.refresh_from_db()
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50, speed=Speed.SLOW, replaces=dead)
