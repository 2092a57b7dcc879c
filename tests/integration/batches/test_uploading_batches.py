"""A clerk gives a list, looks at what would come of it, corrects it, and makes a batch of it, once."""

import csv
import io
import re
import uuid

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from portal.sheets import MAX_FILE_BYTES, Column, read
from recharge.batches.services import managing
from recharge.batches.services.columns.names import COLUMNS
from recharge.batches.services.preview import shown_text
from recharge.choices import BatchState, Product, Submission
from recharge.models import Batch, BatchDraft, LeftOutLines, Order
from recharge.orders.services import placing
from tests.batches import batch_of, mobile, mobiles, sheet
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.pages import Page, hidden_fields, press, streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MIXED = sheet(
    f"{mobile(1)},50,快,a",
    f"{mobile(2)},100,,",
    f"{mobile(1)},50,慢,again",
    "17012345678,50,,",
    f"{mobile(3)},55,,",
    "=1+1,50,,",
)


@pytest.fixture
def clerk(client: Client, platform: FakePlatform) -> Client:
    client.force_login(person("clerk"))
    return client


def upload(client: Client, content: bytes, name: str = "名单.csv", **fields: str) -> Page:
    file = SimpleUploadedFile(name, content)
    return client.post("/batches/new/", {"product": "MOBILE", "file": file, **fields})


def preview_of(client: Client, content: bytes, **fields: str) -> str:
    response = upload(client, content, **fields)
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def text_of(response: Page) -> str:
    return response.content.decode()


def body_of(response: Page) -> bytes:
    return streamed(response)


def test_list_becomes_a_batch_by_way_of_a_preview(clerk: Client) -> None:
    address = preview_of(clerk, sheet(*mobiles(4)))
    text = text_of(clerk.get(address))
    assert "下单 4 笔，共 ¥ 200" in text
    assert not Order.objects.exists()
    response = press(clerk, address)
    batch = Batch.objects.get()
    assert response["Location"] == f"/batches/{batch.pk}/"
    assert (batch.size, batch.total, batch.made_by.username, batch.file_name) == (4, 200, "clerk", "名单.csv")
    assert list(Order.objects.order_by("id").values_list("mobile", flat=True)) == [mobile(n) for n in range(1, 5)]
    assert text_of(clerk.get(response["Location"]))


def test_pasted_lines_do_as_well(clerk: Client) -> None:
    response = clerk.post("/batches/new/", {"product": "MOBILE", "text": f"{mobile(1)} 50\n{mobile(2)}\t100"})
    assert "下单 2 笔" in text_of(clerk.get(response["Location"]))


def test_pasted_text_may_be_larger_than_other_forms(clerk: Client) -> None:
    text = "\n".join(f"{mobile(number)},50,快,{number}" for number in range(60_000))
    assert len(text.encode()) > 1024 * 1024
    response = clerk.post("/batches/new/", {"product": "MOBILE", "text": text})
    assert response.status_code == 302
    assert BatchDraft.objects.count() == 1


def test_preview_counts_and_explains(clerk: Client) -> None:
    response = clerk.get(preview_of(clerk, MIXED))
    seen = response.context["seen"]
    assert (seen.good.orders, seen.good.money) == (2, 150)
    assert (seen.suspicious.orders, seen.suspicious.money, seen.bad) == (1, 50, 3)
    assert seen.groups == {"中国移动": {50: seen.groups["中国移动"][50], 100: seen.groups["中国移动"][100]}}
    assert (seen.groups["中国移动"][50].orders, seen.groups["中国移动"][100].money) == (2, 100)
    assert [line.line for line in seen.bad_lines] == [5, 6, 7]
    text = text_of(response)
    assert "与第 2 行相同" in text
    assert "虚拟运营商" in text
    assert "面值只能是" in text


def test_bad_lines_and_doubts_hold_the_batch_up_until_somebody_decides(clerk: Client) -> None:
    address = preview_of(clerk, MIXED)
    refused = text_of(press(clerk, address, reason="两次充值"))
    assert "第 5 行无法下单" in refused
    assert 'value="两次充值"' in refused
    refused = text_of(press(clerk, address, leave_out_bad="on"))
    assert "可疑" in refused
    assert "checked" in refused
    assert not Order.objects.exists()
    assert not Batch.objects.exists()
    assert press(clerk, address, leave_out_bad="on", reason="两次充值").status_code == 302
    assert Batch.objects.get().size == 3
    assert Order.objects.get(line=4).duplicate_reason == "两次充值"


def test_reason_holds_only_for_what_was_suspicious_when_it_was_given(clerk: Client) -> None:
    """Two clerks have the same list; one of them knows of a repetition in it, and the other one is faster."""
    address = preview_of(clerk, sheet(f"{mobile(1)},50,,", f"{mobile(2)},50,,", f"{mobile(1)},50,,"))
    seen = hidden_fields(clerk.get(address))
    batch_of(f"{mobile(1)},50", f"{mobile(2)},50", made_by=person("administrator"))
    refused = clerk.post(address, {**seen, "reason": "两次充值"})
    assert "可疑的行比刚才多" in text_of(refused)
    assert Batch.objects.count() == 1
    assert Order.objects.count() == 2
    nothing = {**hidden_fields(refused), "doubts_seen": "", "reason": "两次充值"}
    assert clerk.post(address, nothing).status_code == 200, "a form without the number knows of none"
    assert clerk.post(address, {**hidden_fields(refused), "reason": "都对"}).status_code == 302
    assert Batch.objects.count() == 2


def test_a_reason_holds_for_no_other_line_than_the_doubted_one(clerk: Client) -> None:
    batch = batch_of(f"{mobile(1)},50", made_by=person("administrator"))
    address = preview_of(clerk, sheet(f"{mobile(1)},50,,", f"{mobile(2)},50,,"))
    seen = hidden_fields(clerk.get(address))
    managing.withdraw_rest(batch_id=batch.pk, actor=batch.made_by)
    batch_of(f"{mobile(2)},50", made_by=person("administrator"))
    assert clerk.post(address, {**seen, "reason": "两次充值"}).status_code == 200
    assert Order.objects.count() == 2
    assert clerk.post(address, {**hidden_fields(clerk.get(address)), "reason": "都对"}).status_code == 302
    assert Order.objects.count() == 4


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"orders_seen": "2", "money_seen": "100"},
        {"orders_seen": "2", "money_seen": "100", "digest_seen": "0" * 64},
        {"orders_seen": "x", "money_seen": "", "digest_seen": "\x00"},
    ],
)
def test_whoever_names_nothing_that_was_shown_makes_nothing(clerk: Client, sent: dict[str, str]) -> None:
    address = preview_of(clerk, sheet(*mobiles(2)))
    refused = clerk.post(address, sent)
    assert refused.status_code == 200
    assert "情况有变" in text_of(refused) or "途中受损" in text_of(refused)
    assert not Batch.objects.exists()
    assert not Order.objects.exists()
    assert clerk.post(address, hidden_fields(refused)).status_code == 302


def test_form_that_is_sent_twice_makes_one_batch(clerk: Client) -> None:
    address = preview_of(clerk, sheet(*mobiles(2)))
    sent = hidden_fields(clerk.get(address))
    first, second = clerk.post(address, sent), clerk.post(address, sent)
    assert first["Location"] == second["Location"] == clerk.get(address)["Location"]
    assert Batch.objects.count() == 1
    assert Order.objects.count() == 2


def test_same_file_again_needs_a_reason(clerk: Client) -> None:
    press(clerk, preview_of(clerk, sheet(*mobiles(2))))
    Order.objects.update(submission=Submission.WITHDRAWN, next_push_at=None, settled_at="2026-01-01T00:00Z")
    address = preview_of(clerk, sheet(*mobiles(2)))
    text = text_of(clerk.get(address))
    assert "同一份文件以前已生成过批次" in text
    assert f'href="/batches/{Batch.objects.get().pk}/"' in text
    assert press(clerk, address).status_code == 200
    assert Batch.objects.count() == 1
    assert press(clerk, address, reason="客户要求").status_code == 302


def test_duplicate_of_an_order_is_suspicious_and_named(clerk: Client) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile(1), face_value=50)
    text = text_of(clerk.get(preview_of(clerk, sheet(*mobiles(2)))))
    assert f'<a href="/orders/{order.order_no}/">{order.order_no}</a>' in text


def test_large_sum_is_announced_to_need_approval(clerk: Client, settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100
    address = preview_of(clerk, sheet(*mobiles(4)))
    assert "提交审批：4 笔，共 ¥ 200" in text_of(clerk.get(address))
    press(clerk, address)
    assert Batch.objects.get().state == BatchState.AWAITING_APPROVAL
    assert set(Order.objects.values_list("submission", flat=True)) == {Submission.AWAITING_APPROVAL}


@pytest.mark.parametrize("limit", ["DAILY_LIMIT", "DAILY_LIMIT_PER_PERSON"])
def test_limit_of_the_day_is_shown_and_kept(clerk: Client, settings: LazySettings, limit: str) -> None:
    setattr(settings, limit, 150)
    address = preview_of(clerk, sheet(*mobiles(4)))
    assert "超出今日额度" in text_of(clerk.get(address))
    refused = press(clerk, address)
    assert refused.status_code == 200
    assert "¥ 150" in text_of(refused)
    assert not Order.objects.exists()
    setattr(settings, limit, 200)
    fits = text_of(clerk.get(address))
    assert "额度还剩 ¥ 200（限额 ¥ 200）" in fits
    assert "超出今日额度" not in fits
    assert press(clerk, address).status_code == 302


@override_settings(WIKEYUN_APP_KEY="")
def test_without_credentials_nothing_is_lost(client: Client) -> None:
    client.force_login(person("clerk"))
    address = preview_of(client, sheet(*mobiles(2)))
    refused = press(client, address)
    assert refused.status_code == 200
    assert "alert-danger" in text_of(refused)
    assert not Batch.objects.exists()
    assert BatchDraft.objects.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"\x00" * 5000, "zeros.csv"),
        (b"PK\x03\x04 not a zip", "broken.xlsx"),
        (b"\x89PNG\r\n\x1a\n", "picture.png"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old.xls"),
        (b"<html><table></table></html>", "page.xls"),
        (b"a,b\n1,2\n", "no-header.csv"),
        (b"\xff\xfe\xfa", "noise.csv"),
        ('手机号,面值\n"13800138000,50\n'.encode(), "open quotation.csv"),
        (b"x" * (MAX_FILE_BYTES + 1), "huge.csv"),
        ("手机号,面值\n".encode(), "header only.csv"),
    ],
)
def test_garbage_is_refused_in_words_beside_the_field(clerk: Client, content: bytes, name: str) -> None:
    response = upload(clerk, content, name)
    assert response.status_code == 200
    error = re.search(r'<div class="invalid-feedback d-block" role="alert">([^<]+)</div>', text_of(response))
    assert error
    assert re.search("[\u4e00-\u9fff]", error[1])
    assert not BatchDraft.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "   \n"},
        {"text": "138\x0000138000,50"},
        {"text": f"{mobile(1)},50", "product": "OIL"},
        {"text": f"{mobile(1)},50", "product": "BREAD"},
        {"text": '手机号,面值\n"13800138000,50'},
    ],
)
def test_form_that_says_nothing_usable_keeps_what_was_pasted(client: Client, fields: dict[str, str]) -> None:
    user = person("outsider")
    user.user_permissions.add(*person("clerk").groups.get().permissions.filter(codename="add_batch"))
    client.force_login(user)
    response = client.post("/batches/new/", {"product": "MOBILE", **fields})
    assert response.status_code == 200
    pasted = fields.get("text", "").replace("\x00", "")
    if pasted.strip() and "\x00" not in fields["text"]:
        assert mobile(1) in text_of(response) or "13800138000" in text_of(response)
    assert 'role="alert"' in text_of(response)
    assert not BatchDraft.objects.exists()


def test_file_and_pasted_lines_at_once_are_one_too_many(clerk: Client) -> None:
    response = upload(clerk, sheet(*mobiles(1)), text=f"{mobile(9)},50")
    assert response.status_code == 200
    assert mobile(9) in text_of(response)
    assert not BatchDraft.objects.exists()


def test_what_is_larger_than_any_sheet_is_refused_before_it_is_read(clerk: Client) -> None:
    response = clerk.post("/batches/new/", b"", content_type="text/csv", CONTENT_LENGTH="900000000")
    assert response.status_code == 413
    assert "20 MB" in text_of(response)
    assert clerk.post("/orders/new/", {"mobile": "1" * 1_100_000}).status_code == 413


def test_names_of_files_are_only_text(clerk: Client) -> None:
    address = preview_of(clerk, sheet(*mobiles(1)), name="<script>alert(1)</script>\x00.csv" + "长" * 300 + ".csv")
    text = text_of(clerk.get(address))
    assert "<script>alert" not in text
    press(clerk, address)
    assert "<script>alert" not in text_of(clerk.get(f"/batches/{Batch.objects.get().pk}/"))


@pytest.mark.parametrize("end", ["", "bad.csv", "bad.xlsx", "suspicious.csv"])
def test_upload_of_another_person_does_not_exist(clerk: Client, client: Client, end: str) -> None:
    address = preview_of(clerk, MIXED)
    client.force_login(person("administrator"))
    assert client.get(address + end).status_code == 404
    assert client.post(address, {"leave_out_bad": "on", "reason": "x"}).status_code == 404
    assert not Batch.objects.exists()
    client.force_login(person("clerk"))
    response = client.get(address + end)
    assert response.status_code == 200
    assert list(response)
    assert client.get(f"/batches/new/{uuid.uuid4()}/{end}").status_code == 404


def test_what_was_looked_at_is_offered_again_to_who_uploaded_it(clerk: Client, client: Client) -> None:
    address = preview_of(clerk, MIXED)
    assert f'href="{address}"' in text_of(clerk.get("/batches/new/"))
    client.force_login(person("administrator"))
    assert address not in text_of(client.get("/batches/new/"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_bad_lines_come_back_as_a_sheet_that_can_be_read_again(clerk: Client, kind: str) -> None:
    response = clerk.get(preview_of(clerk, MIXED) + f"bad.{kind}")
    assert response["Content-Disposition"] == f'attachment; filename="bad-lines.{kind}"'
    assert "no-store" in response["Cache-Control"]
    content = body_of(response)
    rows = list(read(content, file_name=f"x.{kind}", columns=COLUMNS[Product.MOBILE]))
    assert [row.cells["mobile"] for row in rows] == ["17012345678", mobile(3), "=1+1"]
    if kind == "csv":
        table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert table[0] == ["行号", "原因", "手机号", "面值", "快慢", "备注"]
        assert [row[0] for row in table[1:]] == ["5", "6", "7"]
        assert table[3][2] == "'=1+1"


def test_suspicious_lines_can_be_taken_away_all_of_them(clerk: Client) -> None:
    address = preview_of(clerk, sheet(*mobiles(60), *mobiles(60)))
    assert len(clerk.get(address).context["seen"].suspicious_lines) == 50
    table = list(csv.reader(io.StringIO(body_of(clerk.get(address + "suspicious.csv")).decode("utf-8-sig"))))
    assert [row[0] for row in table[1:]] == [str(line) for line in range(62, 122)]
    assert table[1][1] == "与第 2 行相同。"
    assert table[1][2].strip() == mobile(1)


def test_money_is_summed_up_by_value(clerk: Client) -> None:
    lines = [f"{mobile(number)},{value}" for number, value in enumerate((50, 100, 50, 200, 50))]
    response = clerk.get(preview_of(clerk, "\n".join(["手机号,面值", *lines]).encode()))
    assert [(totals.orders, totals.money) for totals in response.context["totals"]] == [
        (3, 150),
        (1, 100),
        (1, 200),
        (5, 450),
    ]


def test_lines_that_were_left_out_are_told_of_with_the_results(clerk: Client, client: Client) -> None:
    press(clerk, preview_of(clerk, MIXED), leave_out_bad="on", reason="两次")
    batch = Batch.objects.get()
    assert batch.left_out == 3
    assert '<dt>未下单的行</dt><dd class="number">3</dd>' in text_of(clerk.get(f"/batches/{batch.pk}/"))

    def told(kind: str) -> list[dict[str, str]]:
        content = body_of(client.get(f"/batches/{batch.pk}/results.{kind}"))
        columns = [Column(name, (name,)) for name in ("行号", "订单号", "手机号/卡号", "面值", "状态", "备注")]
        rows = [row.cells for row in read(content, file_name=f"x.{kind}", columns=columns)]
        assert [row["行号"] for row in rows[: batch.size]] == ["2", "3", "4"]
        return rows[batch.size :]

    for kind in ("csv", "xlsx"):
        rows = told(kind)
        assert [row["行号"] for row in rows] == ["5", "6", "7"]
        assert [row["手机号/卡号"] for row in rows] == ["17012345678", mobile(3), "=1+1"]
        assert all(row["状态"].startswith("未下单：") and not row["订单号"] for row in rows)
        assert "虚拟运营商" in rows[0]["状态"]
    client.force_login(person("approver"))
    assert told("csv")[0]["手机号/卡号"] == "17012345678"
    Group.objects.get(name="Approvers").permissions.remove(Permission.objects.get(codename="see_numbers"))
    assert told("csv")[0]["手机号/卡号"] == "···· 5678"


def test_a_batch_of_a_sheet_without_bad_lines_has_none_left_out(clerk: Client) -> None:
    press(clerk, preview_of(clerk, sheet(*mobiles(3))))
    batch = Batch.objects.get()
    assert batch.left_out == 0
    assert "未下单的行" not in text_of(clerk.get(f"/batches/{batch.pk}/"))
    assert not LeftOutLines.objects.exists()


def test_bad_lines_speak_the_language_of_the_page(clerk: Client) -> None:
    clerk.cookies["django_language"] = "en"
    text = body_of(clerk.get(preview_of(clerk, MIXED) + "bad.csv")).decode()
    assert text.startswith("\ufeffLine,Reason,mobile,face_value,speed,note")
    assert "The face value must be one of" in text


@pytest.mark.parametrize("product", ["mobile", "oil"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_template_is_understood_and_its_example_places_nothing(
    clerk: Client, product: str, kind: str, language: str
) -> None:
    clerk.cookies["django_language"] = language
    content = body_of(clerk.get(f"/batches/template/{product}.{kind}"))
    rows = list(read(content, file_name=f"x.{kind}", columns=COLUMNS[product.upper()]))
    assert len(rows) == 1
    address = preview_of(clerk, content, name=f"x.{kind}", product=product.upper())
    seen = clerk.get(address).context["seen"]
    assert (seen.placeable.orders, seen.bad) == (0, 1)
    assert press(clerk, address, leave_out_bad="on").status_code == 200
    assert not Batch.objects.exists()


@pytest.mark.parametrize("path", ["bread.csv", "mobile.pdf", "MOBILE.csv"])
def test_there_are_no_other_templates(clerk: Client, path: str) -> None:
    assert clerk.get(f"/batches/template/{path}").status_code == 404


def test_cards_are_shown_by_their_last_digits_only(clerk: Client) -> None:
    card = active_card(person("clerk"))
    unknown = "1000111100007777777"
    content = f"卡号,面值\n{card.card_number},500\n{card.card_number},500\n{unknown},500\n".encode()
    address = preview_of(clerk, content, product="OIL")
    text = text_of(clerk.get(address))
    assert f"···· {card.last_four}" in text
    assert "···· 7777" in text
    assert card.card_number not in text
    assert unknown not in text
    assert unknown in body_of(clerk.get(address + "bad.csv")).decode()
    assert press(clerk, address, leave_out_bad="on", reason="两次").status_code == 302
    page = text_of(clerk.get(f"/batches/{Batch.objects.get().pk}/"))
    assert card.last_four in page
    assert card.card_number not in page
    results = body_of(clerk.get(f"/batches/{Batch.objects.get().pk}/results.csv")).decode()
    assert "···· 7777" in results
    assert unknown not in results
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM recharge_leftoutlines")
        assert unknown not in cursor.fetchone()[0]


def test_card_number_in_a_sheet_about_phones_is_not_shown_whole(clerk: Client) -> None:
    text = text_of(clerk.get(preview_of(clerk, sheet("1000111100007777777,50,,"))))
    assert "···· 7777" in text
    assert "1000111100007777777" not in text


def test_who_sees_no_cards_is_not_asked_which_product(client: Client) -> None:
    client.force_login(person("clerk"))
    assert 'value="OIL"' in text_of(client.get("/batches/new/?product=oil"))
    user = person("outsider")
    user.user_permissions.add(*person("clerk").groups.get().permissions.filter(codename="add_batch"))
    client.force_login(user)
    text = text_of(client.get("/batches/new/?product=oil"))
    assert 'value="OIL"' not in text
    assert "template/oil" not in text


def test_number_of_statements_does_not_grow_with_the_lines(
    clerk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    small, large = preview_of(clerk, sheet(*mobiles(3))), preview_of(clerk, sheet(*mobiles(900)))
    clerk.get("/orders/")  # the account of the settings is kept at the first look
    clerk.get(small)  # and the rules about numbers for some seconds
    with django_assert_max_num_queries(18) as few:
        clerk.get(small)
    with django_assert_max_num_queries(18) as many:
        clerk.get(large)
    assert len(few) == len(many)


def test_a_quantity_is_never_ignored(clerk: Client) -> None:
    content = sheet(f"{mobile(1)},50,2", f"{mobile(2)},50,1", f"{mobile(3)},50,", header="手机号,面值,数量")
    response = clerk.get(preview_of(clerk, content))
    seen = response.context["seen"]
    assert (seen.good.orders, seen.bad) == (2, 1)
    assert "数量是 2" in text_of(response)


def test_columns_that_nothing_is_read_from_are_named_in_the_preview(clerk: Client) -> None:
    content = sheet(f"张三,{mobile(1)},50,北京", header="姓名,充值手机,面额（元）,归属地")
    response = clerk.get(preview_of(clerk, content))
    assert "以下各列未读取：姓名、归属地" in text_of(response)
    assert response.context["seen"].good.money == 50


def test_a_file_under_a_wrong_name_is_read_with_a_notice(clerk: Client) -> None:
    response = clerk.get(preview_of(clerk, sheet(*mobiles(1)), name="名单.xlsx"))
    assert "文件名以 .xlsx 结尾，内容却是 CSV" in text_of(response)
    assert "内容却是" not in text_of(clerk.get(preview_of(clerk, sheet(*mobiles(1)))))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13800138005 13800138006 50", "13800138005 13800138006 50"),
        ("13800138008 2026-11-27", "13800138008 2026-11-27"),
        ("138 0013 8000 50", "138 0013 8000 50"),
        ("1000111122223333444 50", "···· 3444 50"),
        ("1000 1111 2222 3333 444", "····  444"),
    ],
)
def test_of_a_pasted_line_cards_alone_are_hidden(text: str, shown: str) -> None:
    assert shown_text(text, {"mobile": text}) == shown
