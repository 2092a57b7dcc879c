"""A quantity in a list makes that many orders of its line, if the person says so."""

from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from portal.sheets import UnreadableSheet
from recharge.batches.services import assembling, judging, making, preview, reading, uploading
from recharge.batches.services.skipped_lines import skipped_lines_of
from recharge.choices import BatchState
from recharge.core.errors import BadLines, Outdated, ReasonNeeded
from recharge.models import Batch, BatchDraft, Order
from recharge.orders.services import placing
from tests.batches import assembled, mobile, upload
from tests.pages import hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]
HEADER = "手机号,面值,数量"
LINES = [f"{mobile(1)},50,3", f"{mobile(2)},100,", f"{mobile(3)},50,２"]


@pytest.fixture
def clerk_user(db: None) -> User:
    return person("clerk")


@pytest.fixture
def clerk(client: Client, clerk_user: User) -> Client:
    client.force_login(clerk_user)
    return client


def with_quantities(clerk: User, lines: list[str]) -> BatchDraft:
    draft = upload(clerk, lines, HEADER)
    uploading.use_quantities(draft=draft, wanted=True)
    return draft


def test_more_than_one_is_refused_until_the_person_says_otherwise(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, LINES, HEADER)
    with pytest.raises(BadLines):
        making.make_batch(draft=draft, made_by=clerk_user)
    page = clerk.get(f"/batches/new/{draft.pk}/").content.decode()
    assert 'name="wanted"' in page
    clerk.post(f"/batches/new/{draft.pk}/quantities/", {"wanted": "1"})
    draft.refresh_from_db()
    seen = preview.preview(draft)
    assert (seen.good.orders, seen.good.money, seen.suspicious.orders, seen.bad) == (6, 350, 0, 0)
    assert (seen.with_quantity, seen.of_quantities) == (2, 5)
    page = clerk.get(f"/batches/new/{draft.pk}/").content.decode()
    assert "¥ 350" in page.replace("\xa0", " ")
    clerk.post(f"/batches/new/{draft.pk}/quantities/")
    draft.refresh_from_db()
    assert preview.preview(draft).bad == 2


def test_each_becomes_an_order_that_says_why_it_repeats(clerk_user: User) -> None:
    batch = making.make_batch(draft=with_quantities(clerk_user, LINES), made_by=clerk_user)
    assert (batch.size, batch.total) == (6, 350)
    orders = list(batch.orders.order_by("line"))
    assert [(order.mobile, order.line) for order in orders] == [
        *((mobile(1), line) for line in (2, 3, 4)),
        (mobile(2), 5),
        *((mobile(3), line) for line in (6, 7)),
    ]
    assert [bool(order.duplicate_reason) for order in orders] == [False, True, True, False, False, True]
    assert "3" in orders[1].duplicate_reason


def test_a_large_one_is_made_in_pieces_across_a_line(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 1)
    monkeypatch.setattr(assembling, "PLACED_AT_ONCE", 2)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)
    draft = with_quantities(clerk_user, LINES)
    judging.judge_waiting()
    found = judging.judged_preview(draft)
    assert found
    assert found[0].placeable.orders == 6
    batch = assembled(making.make_batch(draft=draft, made_by=clerk_user))
    assert list(batch.orders.order_by("line").values_list("line", flat=True)) == [2, 3, 4, 5, 6, 7]
    assert batch.left_out == 0
    assert skipped_lines_of(batch) == []
    assert batch.orders.exclude(duplicate_reason="").count() == 3


def test_what_becomes_large_by_its_quantities_is_left_to_a_worker(
    clerk_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 5)
    draft = upload(clerk_user, LINES, HEADER)
    assert judging.reading_of(draft) is None
    uploading.use_quantities(draft=draft, wanted=True)
    assert judging.reading_of(draft)
    judging.judge_waiting()
    monkeypatch.setattr(making, "MADE_AT_ONCE", 5)
    assert making.make_batch(draft=draft, made_by=clerk_user).size == 6


def test_orders_not_lines_say_whether_it_is_made_at_once(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 5)
    batch = making.make_batch(draft=with_quantities(clerk_user, LINES), made_by=clerk_user)
    assert batch.state == BatchState.MAKING


def test_what_was_placed_before_makes_all_of_a_line_suspicious(clerk_user: User) -> None:
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(1), face_value=50)
    draft = with_quantities(clerk_user, LINES)
    assert preview.preview(draft).suspicious.orders == 3
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=draft, made_by=clerk_user)
    batch = making.make_batch(draft=draft, made_by=clerk_user, reason="另外三笔")
    assert batch.orders.filter(duplicate_reason="另外三笔").count() == 3


def test_the_same_further_down_is_suspicious_as_ever(clerk_user: User) -> None:
    draft = with_quantities(clerk_user, [*LINES, f"{mobile(1)},50,2"])
    assert [line.number for line in reading.lines(draft) if line.doubts] == [8, 9]


@pytest.mark.parametrize(
    "title",
    [
        "商品数量",
        "购买份数",
        "宝贝数量",
        "下单数量",
        "订单数量",
        "总数量",
        "几次",
        "几个",
        "件",
        "份",
        "订单数",
        "x",
        "几单",
        "单量",
        "倍",
        "重复次数",
        "充几次",
        "套数",
        "数量/张",
        "采购数量",
        "申请数量",
        "发放数量",
        "Times",
    ],
)
def test_a_quantity_is_known_by_its_title(clerk_user: User, title: str) -> None:
    seen = preview.preview(upload(clerk_user, LINES, f"手机号,面值,{title}"))
    assert (seen.good.orders, seen.bad) == (1, 2)


@pytest.mark.parametrize("note", ["作废", "已充值", "别冲了", "已处理"])
def test_a_note_that_takes_a_line_back_is_asked_about(clerk_user: User, note: str) -> None:
    draft = upload(clerk_user, [f"{mobile(1)},50,{note}", f"{mobile(2)},50,王姐"], "手机号,面值,备注")
    seen = preview.preview(draft)
    assert (seen.good.orders, seen.suspicious.orders) == (1, 1)
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=draft, made_by=clerk_user)


@pytest.mark.parametrize("note", ["充两个", "x2", "2张", "两笔"])
def test_a_note_that_asks_for_several_is_asked_about(clerk_user: User, note: str) -> None:
    draft = upload(clerk_user, [f"{mobile(1)},50,{note}", f"{mobile(2)},50,2号楼"], "手机号,面值,备注")
    seen = preview.preview(draft)
    assert (seen.good.orders, [line.words for line in seen.suspicious_lines]) == (1, [["备注里可能要求充多笔。"]])


@pytest.mark.parametrize("title", ["订单状态", "退款情况", "备注2", ""])
@pytest.mark.parametrize(
    ("said", "words"), [("已退款", "退款"), ("交易关闭", "交易关闭"), ("2 号已充值", "已充"), ("取消", "取消")]
)
def test_a_state_in_a_column_that_is_not_read_is_asked_about(
    clerk_user: User, title: str, said: str, words: str
) -> None:
    lines = [f"{mobile(1)},50,{said},取消", f"{mobile(2)},50,待充值,"]
    seen = preview.preview(upload(clerk_user, lines, f"手机号,面值,{title},商品"))
    asked = [[f"未读取的列里写着“{words}”：这一行还要充吗？"]]
    assert (seen.good.orders, [line.words for line in seen.suspicious_lines]) == (1, asked)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("充值状态", "成功"),
        ("状态", "充值中"),
        ("结果", "success"),
        ("result", "Failed"),
        ("完成", "✓"),
        ("备注2", "作廢"),
        ("备注", "改100"),
        ("说明", "暂停充值"),
    ],
)
def test_other_words_for_what_is_done_are_asked_about(clerk_user: User, title: str, said: str) -> None:
    lines = [f"{mobile(1)},50,{said}", f"{mobile(2)},50,待充值"]
    seen = preview.preview(upload(clerk_user, lines, f"手机号,面值,{title}"))
    assert (seen.good.orders, seen.suspicious.orders) == (1, 1)


def test_slow_in_a_column_that_is_not_read_is_asked_about(clerk_user: User) -> None:
    lines = [f"{mobile(1)},50,慢充", f"{mobile(2)},50,快充", f"{mobile(3)},50,话费"]
    seen = preview.preview(upload(clerk_user, lines, "手机号,面值,充值类型"))
    asked = [["未读取的列里写着“慢充”：这一行要快充吗？"]]
    assert (seen.good.orders, [line.words for line in seen.suspicious_lines]) == (2, asked)


@pytest.mark.parametrize("quantity", ["0", "21", "-1", "1.5", "两", "99999", "²"])
def test_a_quantity_that_makes_no_sense_is_one_bad_line(clerk_user: User, quantity: str) -> None:
    draft = with_quantities(clerk_user, [f"{mobile(1)},50,{quantity}", f"{mobile(2)},50,20"])
    seen = preview.preview(draft)
    assert (seen.bad, seen.good.orders) == (1, 20)
    assert quantity in seen.bad_lines[0].words[0]


def test_quantities_make_no_more_orders_than_a_list_may_have(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = with_quantities(clerk_user, LINES)
    monkeypatch.setattr("recharge.batches.services.list_reading.MAX_ROWS", 5)
    with pytest.raises(UnreadableSheet, match="5"):
        preview.preview(draft)
    assert not Order.objects.exists()


@pytest.mark.parametrize("how", ["small", "large", "judged"])
def test_an_old_preview_makes_no_more_than_it_showed(
    clerk: Client, clerk_user: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The list is open twice: here its quantities are multiplied, there the button still says 1 order for ¥ 50."""
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 1 if how == "judged" else 2000)
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1 if how == "large" else 1000)
    draft = upload(clerk_user, [f"{mobile(1)},50,", f"{mobile(2)},50,20"], HEADER)
    judging.judge_waiting()
    address = f"/batches/new/{draft.pk}/"
    shown = hidden_fields(clerk.get(address))
    assert (shown["orders_seen"], shown["money_seen"]) == ("1", "50")
    clerk.post(f"{address}quantities/", {"wanted": "1"})
    judging.judge_waiting()
    refused = clerk.post(address, {**shown, "leave_out_bad": "on"})
    assert "情况有变" in refused.content.decode()
    assert "¥ 1,050" in refused.content.decode().replace("\xa0", " ")
    assert not Batch.objects.exists()
    assert not Order.objects.exists()
    assert clerk.post(address, hidden_fields(refused)).status_code == 302
    batch = Batch.objects.get()
    assert (batch.size, batch.total) == (21, 1050)


@override_settings(APPROVAL_ABOVE=500)
def test_quantities_are_not_changed_under_a_batch_that_is_being_made(
    clerk_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was opened before the batch was begun, and its button is pressed afterwards."""
    monkeypatch.setattr(making, "MADE_AT_ONCE", 1)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)
    draft = upload(clerk_user, [f"{mobile(1)},50,", f"{mobile(2)},50,", f"{mobile(3)},50,20"], HEADER)
    shown = BatchDraft.objects.get()
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    with pytest.raises(Outdated):
        uploading.use_quantities(draft=shown, wanted=True)
    draft.refresh_from_db()
    assert not draft.quantities
    assembled(batch)
    assert (batch.state, batch.size, batch.total) == (BatchState.RUNNING, 2, 100)


def test_a_button_that_comes_too_late_leads_to_the_batch(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, LINES[1:2], HEADER)

    def too_late(*, draft: BatchDraft, wanted: bool) -> None:
        making.make_batch(draft=draft, made_by=clerk_user)
        uploading.use_quantities(draft=draft, wanted=wanted)

    with mock.patch("recharge.batches.upload_views.use_quantities", too_late):
        page = clerk.post(f"/batches/new/{draft.pk}/quantities/", {"wanted": "1"}, follow=True)
    assert page.request["PATH_INFO"] == f"/batches/{Batch.objects.get().pk}/"
    assert "情况有变" in page.content.decode()


def test_a_batch_that_was_made_leaves_its_list_alone(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, LINES[1:2], HEADER)
    making.make_batch(draft=draft, made_by=clerk_user)
    answer = clerk.post(f"/batches/new/{draft.pk}/quantities/", {"wanted": "1"})
    assert answer["Location"] == f"/batches/{Batch.objects.get().pk}/"
