"""Headers as people make them: titles of one row or two, two that could be the same, or none at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.sheets import WHOLE_ROW, Column, ColumnsUnsure, Layout, UnreadableSheet, open_sheet
from recharge.batches.services.columns.names import COLUMNS, QUANTITY, wanted
from recharge.choices import Product
from tests.unit.sheets.lists import rows

MOBILE, FACE_VALUE = COLUMNS[Product.MOBILE][:2]
CARD = COLUMNS[Product.OIL][0]
ROW = "13800138000,50\n"
HANDED_OVER = Path(__file__).resolve().parents[4] / "shared/cases/headers.json"


def handed_over(kind: str) -> list[str]:
    return json.loads(HANDED_OVER.read_text(encoding="utf-8"))[kind] if HANDED_OVER.exists() else []


def layout(text: str, **options: Any) -> Layout:
    sheet = open_sheet(text.encode(), file_name="list.csv", columns=wanted(Product.MOBILE, None), **options)
    assert len(list(sheet.rows)) >= 1
    return sheet.layout


def unsure(text: str) -> ColumnsUnsure:
    with pytest.raises(ColumnsUnsure) as caught:
        layout(text)
    return caught.value


@pytest.mark.parametrize(
    "title",
    [
        *handed_over("number"),
        *(
            "手机",
            "手机号码",
            "电话",
            "联系电话",
            "充值号码",
            "客户手机号",
            "会员手机号码",
            "机主手机",
            "充值账号",
            "账号",
        ),
        *(
            "PhoneNumber",
            "mobile_number",
            "Mobile No.",
            "PHONE NUMBER",
            "Tel.",
            "*手机号",
            "手机号：",
            "【手机号】",
        ),
        *(
            "手 机 号",
            "手机号码(必填)",
            "手机号码（11位）",
            "手机号　",
            "客户联系电话",
            "\u200b手机号\ufeff",
        ),
    ],
)
def test_a_number_is_known_by_its_title(title: str) -> None:
    assert MOBILE.is_named(title)
    assert layout(f"{title},面值\n{ROW}").positions["mobile"] == 0


@pytest.mark.parametrize(
    "title",
    [
        *handed_over("value"),
        *(
            "面额",
            "充值面额",
            "充值面值（元）",
            "话费",
            "话费金额",
            "单价",
            "价格",
            "应充金额",
            "应充话费",
            "套餐",
            "充值额",
        ),
        *(
            "金额/元",
            "金额[元]",
            "面值:元",
            "Face Value",
            "face_value",
            "Amount(RMB)",
            "充值额度",
            "面值金额",
            "面值　",
        ),
    ],
)
def test_a_value_is_known_by_its_title(title: str) -> None:
    assert FACE_VALUE.is_named(title)
    assert layout(f"手机号,{title}\n{ROW}").positions["face_value"] == 1


@pytest.mark.parametrize(
    "title",
    [
        *(
            "业务员手机",
            "推荐人电话",
            "备用电话",
            "订单号",
            "订单号码",
            "身份证号",
            "客户编号",
            "归属地",
            "联系人",
            "客户",
            "姓名",
        ),
        *(
            "实付金额",
            "优惠金额",
            "应付金额",
            "余额",
            "话费余额",
            "总金额",
            "成本价",
            "售价",
            "欠费金额",
            "合计",
            "充值",
            "充值手机品牌",
        ),
        *("13800138000", "50", ""),
    ],
)
def test_what_is_called_something_else_is_something_else(title: str) -> None:
    assert not MOBILE.is_named(title)
    assert not FACE_VALUE.is_named(title)
    assert not CARD.is_named(title)


@pytest.mark.parametrize("title", ["数量", "充值数量", "份数", "Qty", "数量（笔）"])
def test_a_quantity_is_known_by_its_title(title: str) -> None:
    assert QUANTITY.is_named(title)


@pytest.mark.parametrize(
    ("header", "positions", "below"),
    [
        ("客户,,充值,\n姓名,手机号,面值,备注\n", {"mobile": 1, "face_value": 2, "note": 3}, 2),
        ("序号,手机号,充值信息,\n,,面值,备注\n", {"mobile": 1, "face_value": 2, "note": 3}, 2),
        ("序号,手机号,充值金额,\n,,实付,面值\n", {"mobile": 1, "face_value": 3}, 2),
        ("十一月名单,,\n姓名,手机号,面值\n", {"mobile": 1, "face_value": 2}, 2),
        ("姓名,手机号,面值\n", {"mobile": 1, "face_value": 2}, 1),
    ],
)
def test_a_header_may_have_two_rows(header: str, positions: dict[str, int], below: int) -> None:
    width = header.splitlines()[0].count(",") + 1
    cells = [""] * width
    cells[positions["mobile"]], cells[positions["face_value"]] = "13800138000", "50"
    found = layout(header + ",".join(cells) + "\n")
    assert (dict(found.positions), found.below) == (positions, below)


def test_a_row_that_lacks_everything_is_no_second_row_of_the_header() -> None:
    text = "手机号,面值,备注\n,,待定\n13800138000,50,\n"
    rows = list(open_sheet(text.encode(), file_name="list.csv", columns=wanted(Product.MOBILE, None)).rows)
    assert [bool(row.problems) for row in rows] == [True, False]


def test_two_titles_for_one_column_are_asked_about() -> None:
    question = unsure("姓名,手机号,面值,金额\n张三,13800138000,50,49.25\n")
    assert question.proposed.positions == {"mobile": 1}
    assert question.proposed.titles == ("姓名", "手机号", "面值", "金额")
    assert "面值, 金额" in str(question)


def test_a_list_without_a_header_is_asked_about_with_what_its_columns_look_like() -> None:
    question = unsure("张三,13800138000,50\n李四,13800138001,100\n")
    assert (question.proposed.positions, question.proposed.below) == ({"mobile": 1, "face_value": 2}, 0)


def test_what_has_a_title_of_its_own_is_not_proposed_for_what_it_looks_like() -> None:
    question = unsure("姓名,推荐人电话,余额\n张三,13800138000,50\n")
    assert (question.proposed.positions, question.proposed.below) == ({}, 1)
    assert unsure("手机号,余额\n13800138000,50\n").proposed.positions == {"mobile": 0}


def test_two_columns_that_look_alike_are_left_to_the_person() -> None:
    text = "13800138000,13800138001,50\n13800138002,13800138003,100\n"
    assert unsure(text).proposed.positions == {"face_value": 2}


def test_what_has_no_numbers_at_all_is_refused() -> None:
    with pytest.raises(UnreadableSheet) as refused:
        layout("a,b\n1,2\n")
    assert not isinstance(refused.value, ColumnsUnsure)


def test_the_layout_that_a_person_chose_is_the_one_that_is_read() -> None:
    text = "姓名,手机号,面值,金额\n张三,13800138000,50,49.25\n"
    chosen = Layout(1, {"mobile": 1, "face_value": 2}, ("姓名", "手机号", "面值", "金额"))
    sheet = open_sheet(text.encode(), file_name="list.csv", columns=wanted(Product.MOBILE, None), chosen=chosen)
    [row] = sheet.rows
    assert (row.cells["mobile"], row.cells["face_value"]) == ("13800138000", "50")
    assert sheet.layout.ignored == ["姓名", "金额"]


def test_lists_of_one_shape_are_known_by_their_titles_or_by_what_stands_in_them() -> None:
    first, second = unsure("手机,面值,金额\n13800138000,50,49\n"), unsure("手机,面值,金额\n13900139000,100,98\n")
    other = unsure("手机,金额,面值\n13800138000,49,50\n")
    assert first.shape == second.shape != other.shape
    plain, alike = unsure("张三,13800138000,50\n"), unsure("李四,13900139000,50\n")
    assert plain.shape == alike.shape != unsure("13800138000,50,张三\n").shape


@pytest.mark.parametrize(
    ("header", "swapped"),
    [
        ("手机号(旧),手机号(新),面值", "手机号(新),手机号(旧),面值"),
        ("手机号,金额（每笔）,金额【合计】", "手机号,金额【合计】,金额（每笔）"),
        ("手机号*,手机号,面值", "手机号,手机号*,面值"),
        ("手机号,金额/元,金额:元", "手机号,金额:元,金额/元"),
        (",旧,新\n面值,手机号,手机号", ",新,旧\n面值,手机号,手机号"),
    ],
)
def test_lists_whose_columns_are_swapped_have_another_shape(header: str, swapped: str) -> None:
    row = "50,13800138000,13800138001\n"
    assert unsure(f"{header}\n{row}").shape != unsure(f"{swapped}\n{row}").shape


def test_lists_whose_titles_are_only_typed_otherwise_have_the_same_shape() -> None:
    row = "13800138000,13800138001,50\n"
    first = unsure(f"手机号(旧),手机号(New),面值\n{row}")
    assert first.shape == unsure(f"11月名单\n手机号（旧）, 手机号 （NEW）,面值\u200b\n{row}").shape


def test_columns_that_nothing_is_read_from_are_named() -> None:
    assert layout("姓名,手机号,归属地,面值\n张三,13800138000,北京,50\n").ignored == ["姓名", "归属地"]


def test_a_title_is_found_quickly_however_long_a_cell_is() -> None:
    assert not Column("a", ("b",), before=("c",)).is_named("c" * 100_000)


def test_a_header_that_is_repeated_is_left_out() -> None:
    read = rows("姓名,手机号,面值\n甲,1,50\n姓名,手机号,面值\n乙,2,100\n姓名,手机号,面值,\n")
    assert [(row.line, row.cells["face_value"], row.problems) for row in read] == [(2, "50", {}), (4, "100", {})]


@pytest.mark.parametrize(
    "header", ["姓名,手机号,成本,面值", "姓名,面值,手机号", "姓名,手机号,实付", "手机号,面值,备注"]
)
def test_no_row_of_another_table_below_is_read_by_the_titles_of_the_first(header: str) -> None:
    read = rows(f"姓名,手机号,面值,备注\n甲,1,50,\n\n{header}\n乙,2,100,50\n丙,3,100,50\n")
    assert [(row.line, row.problems) for row in read] == [
        (2, {}),
        *((line, {WHOLE_ROW: "Another table begins in line 4: upload it by itself."}) for line in (4, 5, 6)),
    ]


@pytest.mark.parametrize("line", ["手机号,50,", "手机号,¥ 50,坏", "手机号,50元,坏"])
def test_a_line_with_a_title_for_a_number_is_no_header(line: str) -> None:
    read = rows(f"手机号,面值,备注\n1,50,\n{line}\n2,100,\n")
    assert [(row.line, row.problems) for row in read] == [(2, {}), (3, {}), (4, {})]
