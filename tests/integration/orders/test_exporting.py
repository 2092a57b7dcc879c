"""People take orders away as sheets: what the filters find, with nothing that runs or that they may not see."""

import csv
import io
import zipfile
from decimal import Decimal
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.sheets import Column, read
from recharge.choices import Submission
from recharge.models import Batch, Order
from recharge.orders import exports
from recharge.orders.services import placing
from tests.batches import batch_of, mobile, mobiles
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.pages import Page, streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1")


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(person("administrator"))
    return client


@pytest.fixture
def batch(platform: FakePlatform) -> Batch:
    return batch_of(*(f"{mobile(number)},50,快,第{number}" for number in range(1, 6)), made_by=person("clerk"))


def content_of(response: Page) -> bytes:
    assert response.status_code == 200
    return streamed(response)


def table_of(response: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content_of(response).decode("utf-8-sig"))))


def test_results_tell_the_fate_of_every_line(administrator: Client, batch: Batch) -> None:
    first = batch.orders.order_by("id")[0]
    now = timezone.now()
    Order.objects.filter(pk=first.pk).update(
        submission=Submission.ACCEPTED,
        gateway_order_no="W100",
        status=2,
        confirmed_at=now,
        settled_at=now,
        submitted_at=now,
        next_push_at=None,
        cost_price=Decimal("49.5000"),
    )
    response = administrator.get(f"/batches/{batch.pk}/results.csv")
    assert response["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}.csv"'
    assert "no-store" in response["Cache-Control"]
    rows = table_of(response)
    assert [row["行号"] for row in rows] == ["2", "3", "4", "5", "6"]
    assert rows[0]["订单号"].strip() == first.order_no
    assert rows[0]["状态"] == "充值成功"
    assert (rows[0]["平台单号"], rows[0]["面值"], rows[0]["成本价"]) == ("W100", "50", "49.5")
    assert rows[0]["手机号/卡号"] == mobile(1)
    assert rows[0]["完结时间"].startswith("20")
    assert rows[1]["状态"] == "排队中"
    assert rows[1]["备注"] == "第2"


def test_workbook_has_the_same_in_it(administrator: Client, batch: Batch) -> None:
    content = content_of(administrator.get(f"/batches/{batch.pk}/results.xlsx"))
    columns = (
        Column("number", ("手机号/卡号",), required=True),
        Column("order", ("订单号",)),
        Column("note", ("备注",)),
    )
    rows = [row.cells for row in read(content, file_name="x.xlsx", columns=columns)]
    assert [row["number"] for row in rows] == [mobile(number) for number in range(1, 6)]
    assert [row["order"] for row in rows] == list(batch.orders.order_by("id").values_list("order_no", flat=True))


def test_no_cell_is_a_formula(administrator: Client, batch: Batch) -> None:
    batch_of(*mobiles(1, first=6), made_by=person("clerk"))
    for order, formula in zip(Order.objects.order_by("id"), FORMULAS, strict=True):
        Order.objects.filter(pk=order.pk).update(note=formula, reason=formula)
    rows = table_of(administrator.get("/orders/export.csv"))
    assert [row["备注"] for row in rows] == [f"'{formula}" for formula in FORMULAS]
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "＝")), cell
    book = zipfile.ZipFile(io.BytesIO(content_of(administrator.get("/orders/export.xlsx"))))
    assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()


def test_list_is_exported_as_it_is_filtered(administrator: Client, batch: Batch) -> None:
    single = placing.place_mobile_order(placed_by=person("administrator"), mobile="13900139000", face_value=100)
    Order.objects.filter(batch=batch, line=3).update(
        submission=Submission.WITHDRAWN, next_push_at=None, settled_at=timezone.now()
    )

    def numbers(query: str) -> set[str]:
        return {row["订单号"].strip() for row in table_of(administrator.get(f"/orders/export.csv?{query}"))}

    assert numbers("") == set(Order.objects.values_list("order_no", flat=True))
    assert numbers("q=139+0013+9000") == {single.order_no}
    assert numbers(f"batch={batch.pk}&submission=QUEUED") == set(
        Order.objects.filter(batch=batch).exclude(line=3).values_list("order_no", flat=True)
    )
    assert numbers(f"placed_by={person('administrator').pk}") == {single.order_no}
    assert numbers("placed_to=2001-01-01") == set()


def test_results_follow_the_part_that_is_shown(administrator: Client, batch: Batch) -> None:
    Order.objects.filter(batch=batch, line=3).update(
        submission=Submission.WITHDRAWN, next_push_at=None, settled_at=timezone.now()
    )
    page = administrator.get(f"/batches/{batch.pk}/?part=not_spent")
    assert f'href="/batches/{batch.pk}/results.csv?part=not_spent"' in page.content.decode()
    rows = table_of(administrator.get(f"/batches/{batch.pk}/results.csv?part=not_spent"))
    assert [row["行号"] for row in rows] == ["3"]
    assert len(table_of(administrator.get(f"/batches/{batch.pk}/results.csv"))) == 5
    assert administrator.get(f"/batches/{batch.pk}/results.csv?part=x").status_code == 400


def test_search_that_makes_no_sense_is_shown_where_it_was_typed(administrator: Client, batch: Batch) -> None:
    response = administrator.get("/orders/export.csv?status=99", follow=True)
    assert response.redirect_chain == [("/orders/?status=99", 302)]
    assert "搜索条件有误" in response.content.decode()


def test_export_is_offered_to_who_may_export(client: Client, batch: Batch) -> None:
    client.force_login(person("clerk"))
    assert "/orders/export." not in client.get("/orders/").content.decode()
    assert client.get("/orders/export.csv").status_code == 403
    client.force_login(person("auditor"))
    assert '/orders/export.csv?status=2"' in client.get("/orders/?status=2&before=99999").content.decode()


def test_numbers_are_masked_for_who_may_not_see_them(client: Client, batch: Batch) -> None:
    Order.objects.filter(line=3).update(placed_by=person("administrator"), note=f"re {mobile(2)}", reason=mobile(2))
    client.force_login(person("clerk"))
    response = client.get(f"/batches/{batch.pk}/results.csv")
    text = content_of(response).decode()
    assert mobile(1) in text
    assert mobile(2) not in text
    assert "138****0002" in text
    client.force_login(person("auditor"))
    assert mobile(2) in content_of(client.get(f"/batches/{batch.pk}/results.csv")).decode()


def test_cards_are_exported_by_type_and_last_digits(administrator: Client, platform: FakePlatform) -> None:
    card = active_card(person("clerk"))
    placing.place_oil_order(placed_by=person("clerk"), oil_card=card, face_value=500)
    text = content_of(administrator.get("/orders/export.csv")).decode()
    assert f"···· {card.last_four}" in text
    for secret in (card.card_number, card.holder_name, card.holder_phone, card.national_id):
        assert secret not in text


def test_export_reads_by_key_and_a_page_at_a_time(
    administrator: Client, batch: Batch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with mock.patch.object(exports, "PAGE", 2), django_assert_max_num_queries(12) as statements:
        rows = table_of(administrator.get(f"/batches/{batch.pk}/results.csv"))
    assert [row["行号"] for row in rows] == ["2", "3", "4", "5", "6"]
    read_orders = [query["sql"] for query in statements.captured_queries if query["sql"].endswith("LIMIT 2")]
    assert len(read_orders) == 4
    assert not [sql for sql in read_orders if "OFFSET" in sql or "holder_name" in sql]


def test_connection_is_given_back_while_a_page_is_written(administrator: Client, batch: Batch) -> None:
    with mock.patch.object(exports, "release_connection") as release, mock.patch.object(exports, "PAGE", 2):
        pages = exports.rows(Order.objects.filter(batch=batch), person("administrator"))
        next(pages)
        assert release.call_count == 1
        list(pages)
        assert release.call_count == 3


def test_export_speaks_the_language_of_the_page(administrator: Client, batch: Batch) -> None:
    administrator.cookies["django_language"] = "en"
    text = content_of(administrator.get("/orders/export.csv")).decode()
    assert text.startswith("\ufeffBatch,Line,Order number")
    assert "Queued" in text
