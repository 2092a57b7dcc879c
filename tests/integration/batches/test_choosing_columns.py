"""A clerk is asked which column is which where a list doesn't say, once for all lists of the same shape."""

import hashlib
import json
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from xlsxwriter import Workbook

from portal.sheets import UnreadableSheet
from recharge.batches.services import making
from recharge.batches.services.columns.choosing import choose_columns
from recharge.batches.services.making import make_batch
from recharge.models import Batch, BatchDraft, ColumnChoice, Order
from tests.batches import assembled, mobile
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.pages import hidden_fields, press
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
VALUES_AND_AMOUNTS = f"姓名,手机号,面值,金额\n张三,{mobile(1)},50,49.25\n李四,{mobile(2)},100,98.5\n"
NO_HEADER = f"张三,{mobile(1)},50\n李四,{mobile(2)},100\n"


@pytest.fixture
def clerk(client: Client, platform: FakePlatform) -> Client:
    client.force_login(person("clerk"))
    return client


def xlsx(rows: list[list[object]]) -> bytes:
    buffer = BytesIO()
    with Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def upload(client: Client, content: str | bytes, name: str = "名单.csv", **fields: object) -> str:
    """Upload a list; return the address to which it leads from its preview, or that of the preview."""
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    response = client.post("/batches/new/", {"product": "MOBILE", "file": file, **fields})
    assert response.status_code == 302, response.content.decode()
    response = client.get(response["Location"])
    return response["Location"] if response.status_code == 302 else response.request["PATH_INFO"]


def chosen(client: Client, address: str) -> dict[str, str]:
    """Return what is chosen above the columns of the page."""
    found = re.findall(r'name="(column_\d+)".*?</select>', client.get(address).content.decode(), re.DOTALL)
    return {name: client.get(address).context["form"][name].value() or "" for name in found}


def test_values_and_amounts_are_asked_about_with_their_columns_shown(clerk: Client) -> None:
    address = upload(clerk, VALUES_AND_AMOUNTS)
    assert address.endswith("/columns/")
    text = clerk.get(address).content.decode()
    assert "面值、金额" in text
    assert "49.25" in text
    assert chosen(clerk, address) == {"column_0": "", "column_1": "mobile", "column_2": "", "column_3": ""}
    response = clerk.post(address, {"column_1": "mobile", "column_2": "face_value"})
    seen = clerk.get(response["Location"])
    assert (seen.context["seen"].good.orders, seen.context["seen"].good.money) == (2, 150)
    assert "面值 = C 面值" in seen.content.decode()
    assert "姓名、金额" in seen.content.decode()
    press(clerk, response["Location"])
    assert Batch.objects.get().total == 150


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_without_a_header_is_proposed_from_its_content(clerk: Client, kind: str) -> None:
    content = NO_HEADER if kind == "csv" else xlsx([["张三", mobile(1), 50], ["李四", int(mobile(2)), 100]])
    address = upload(clerk, content, f"名单.{kind}")
    proposed = chosen(clerk, address)
    assert proposed == {"column_0": "", "column_1": "mobile", "column_2": "face_value"}
    response = clerk.post(address, {**proposed, "column_0": "note"})
    assert clerk.get(response["Location"]).context["seen"].good.money == 150
    press(clerk, response["Location"])
    assert list(Order.objects.order_by("line").values_list("line", "note")) == [(1, "张三"), (2, "李四")]


def test_nothing_is_placed_before_the_columns_are_said(clerk: Client) -> None:
    address = upload(clerk, VALUES_AND_AMOUNTS)
    assert clerk.post(address.removesuffix("columns/")).status_code == 302
    with pytest.raises(UnreadableSheet):
        make_batch(draft=BatchDraft.objects.get(), made_by=person("clerk"))
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "哪一列是手机号、面值"),
        ({"column_1": "mobile"}, "哪一列是面值"),
        ({"column_1": "mobile", "column_2": "face_value", "column_3": "face_value"}, "不能把两列指定为同一项"),
        ({"column_1": "mobile", "column_2": "bread"}, "选择"),
    ],
)
def test_what_does_not_answer_is_refused(clerk: Client, said: dict[str, str], why: str) -> None:
    response = clerk.post(upload(clerk, VALUES_AND_AMOUNTS), said)
    assert response.status_code == 200
    assert why in response.content.decode()
    assert not ColumnChoice.objects.exists()
    assert BatchDraft.objects.get().columns is None


def test_the_next_list_of_the_shape_is_read_the_same_way_and_says_so(clerk: Client, client: Client) -> None:
    clerk.post(upload(clerk, VALUES_AND_AMOUNTS), {"column_1": "mobile", "column_2": "face_value"})
    following = VALUES_AND_AMOUNTS.replace(mobile(1), mobile(3)).replace("张三", "王五")
    address = upload(clerk, following)
    assert not address.endswith("/columns/")
    text = clerk.get(address).content.decode()
    assert "各列按人工指定" in text
    assert f'href="{address}columns/"' in text
    assert chosen(clerk, address + "columns/")["column_2"] == "face_value"
    other = upload(clerk, f"手机号,金额,面值\n{mobile(1)},49,50\n")
    assert other.endswith("/columns/")


@pytest.mark.parametrize(
    ("header", "swapped", "row", "said"),
    [
        (
            "手机号(旧),手机号(新),面值",
            "手机号(新),手机号(旧),面值",
            f"{mobile(1)},{mobile(2)},50",
            {"column_1": "mobile", "column_2": "face_value"},
        ),
        (
            "手机号,金额(每笔),金额(合计)",
            "手机号,金额(合计),金额(每笔)",
            f"{mobile(1)},50,100",
            {"column_0": "mobile", "column_1": "face_value"},
        ),
    ],
)
def test_what_was_said_is_not_taken_for_columns_that_are_swapped(
    clerk: Client, header: str, swapped: str, row: str, said: dict[str, str]
) -> None:
    clerk.post(upload(clerk, f"{header}\n{row}\n"), said)
    assert not upload(clerk, f"{header}\n{row}\n").endswith("/columns/")
    assert upload(clerk, f"{swapped}\n{row}\n").endswith("/columns/")


def test_what_was_remembered_without_what_is_in_brackets_is_asked_again(clerk: Client) -> None:
    shape = hashlib.sha256("手机号\t手机号\t面值".encode()).hexdigest()
    positions = {"mobile": 1, "face_value": 2}
    ColumnChoice.objects.create(product="MOBILE", shape=shape, positions=positions, chosen_by=person("clerk"))
    for header in ("手机号(新),手机号(旧),面值", "手机号,手机号,面值"):
        assert upload(clerk, f"{header}\n{mobile(1)},{mobile(2)},50\n").endswith("/columns/")


def test_a_choice_can_be_changed(clerk: Client) -> None:
    address = upload(clerk, f"手机号,面值,金额\n{mobile(1)},50,100\n")
    clerk.post(address, {"column_0": "mobile", "column_1": "face_value"})
    response = clerk.post(address, {"column_0": "mobile", "column_2": "face_value"})
    assert clerk.get(response["Location"]).context["seen"].good.money == 100
    assert ColumnChoice.objects.get().positions == {"mobile": 0, "face_value": 2}


def test_an_old_preview_tops_up_no_other_numbers_than_it_showed(clerk: Client) -> None:
    """The list is open twice: here another column is said to be the number, there the old ones are still shown."""
    address = upload(clerk, f"手机号(旧),手机号(新),面值\n{mobile(1)},{mobile(2)},50\n")
    preview = clerk.post(address, {"column_1": "mobile", "column_2": "face_value"})["Location"]
    shown = hidden_fields(clerk.get(preview))
    clerk.post(address, {"column_0": "mobile", "column_2": "face_value"})
    refused = clerk.post(preview, shown)
    assert "情况有变" in refused.content.decode()
    assert not Order.objects.exists()
    assert clerk.post(preview, hidden_fields(refused)).status_code == 302
    assert Order.objects.get().mobile == mobile(1)


def test_columns_are_not_changed_under_a_batch_that_is_being_made(
    clerk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 0)
    address = upload(clerk, f"手机号,面值,金额\n{mobile(1)},50,100\n")
    clerk.post(address, {"column_0": "mobile", "column_1": "face_value"})
    begun = BatchDraft.objects.get()

    def too_late(**said: Any) -> None:
        making.make_batch(draft=begun, made_by=person("clerk"))
        choose_columns(**said)

    with mock.patch("recharge.batches.upload_views.choose_columns", too_late):
        page = clerk.post(address, {"column_0": "mobile", "column_2": "face_value"}, follow=True)
    batch = Batch.objects.get()
    assert page.request["PATH_INFO"] == f"/batches/{batch.pk}/"
    assert "情况有变" in page.content.decode()
    assert ColumnChoice.objects.get().positions == {"mobile": 0, "face_value": 1}
    assert (assembled(batch).size, batch.total) == (1, 50)


def test_a_value_for_all_needs_no_column(clerk: Client) -> None:
    address = upload(clerk, f"张三,{mobile(1)}\n李四,{mobile(2)}\n", value_for_all=100)
    response = clerk.post(address, {"column_1": "mobile"})
    assert clerk.get(response["Location"]).context["seen"].good.money == 200


def test_a_quantity_that_is_named_so_by_hand_is_not_ignored(clerk: Client) -> None:
    address = upload(clerk, f"{mobile(1)},50,2\n{mobile(2)},50,1\n")
    response = clerk.post(address, {"column_0": "mobile", "column_1": "face_value", "column_2": "quantity"})
    seen = clerk.get(response["Location"]).context["seen"]
    assert (seen.good.orders, seen.bad) == (1, 1)


def test_another_persons_list_does_not_exist(clerk: Client, client: Client) -> None:
    address = upload(clerk, VALUES_AND_AMOUNTS)
    client.force_login(person("administrator"))
    assert client.get(address).status_code == 404
    assert client.post(address, {"column_1": "mobile", "column_2": "face_value"}).status_code == 404


def test_cards_are_not_shown_whole(clerk: Client) -> None:
    card = active_card(person("clerk"))
    address = upload(clerk, f"王师傅,{card.card_number},500\n", product="OIL")
    text = clerk.get(address).content.decode()
    assert card.card_number not in text
    assert card.last_four in text


def test_what_is_no_list_is_still_refused_at_once(clerk: Client) -> None:
    file = SimpleUploadedFile("x.csv", b"a,b\n1,2\n")
    assert clerk.post("/batches/new/", {"product": "MOBILE", "file": file}).status_code == 200
    assert not BatchDraft.objects.exists()


def test_read_list_goes_by_what_was_said_of_the_last_list_of_the_shape(clerk: Client, tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(VALUES_AND_AMOUNTS)
    with pytest.raises(CommandError):
        call_command("read_list", str(path), stdout=StringIO())
    clerk.post(upload(clerk, VALUES_AND_AMOUNTS), {"column_1": "mobile", "column_2": "face_value"})
    out = StringIO()
    call_command("read_list", str(path), "--json", stdout=out, stderr=StringIO())
    assert sum(json.loads(line)["face_value"] for line in out.getvalue().splitlines()) == 150
