"""One line as people write it: what a person would read in it, and nothing that a person would have to ask about."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recharge.batches.services.pasted import Kind
from recharge.choices import Product
from tests.unit.pasted.lines import placed, readings, refused

NUMBER = "13810010001"


@pytest.mark.parametrize(
    ("typed", "value", "note"),
    [
        ("张三\t13810010001\t50", "50", "张三"),
        ("张三😀 13810010001 50", "50", "张三😀"),
        ("王姐👨‍👩‍👧13810010001-50", "50", "王姐👨‍👩‍👧"),
        ("13810010001，100块钱，王姐", "100", "王姐"),
        ("麻烦充值 13810010001 100元 谢谢", "100", "麻烦充值 谢谢"),
        ("13810010001充50", "50", ""),
        ("充50 13810010001", "50", ""),
        ("给13810010001充100块钱", "100", "给"),
        ("13810010001 RMB 50", "50", ""),
        ("13810010001 rmb50", "50", ""),
        ("13810010001 人民币50元", "50", ""),
        ("13810010001 ¥50.00", "50", ""),
        ("13810010001 ￥ 50", "50", ""),
        ("13810010001 50￥", "50", ""),
        ("13810010001 50块", "50", ""),
        ("13810010001 50元整 👍", "50", "👍"),
        ("13810010001 50元话费", "50", ""),
        ("13810010001 冲50", "50", ""),
        ("13810010001 充值金额:50", "50", ""),
        ("手机号：13810010001 面值：50 姓名：张三", "50", "姓名：张三"),
        ("(138)10010001 50", "50", ""),
        ("（13810010001）50", "50", ""),
        ("+86-138-1001-0001 50", "50", ""),
        ("8613810010001 50", "50", ""),
        ("138.1001.0001 50", "50", ""),
        ("１３８１００１０００１　５０", "50", ""),
        ("\u202a13810010001\u202c 50", "50", ""),
        ("\u2066138\u20691001\ufe0f0001 50", "50", ""),
        ("\u3164\u200b\ufeff13810010001\u180e,50", "50", ""),
        ("50,13810010001", "50", ""),
        ("13810010001|50", "50", ""),
        ("13810010001：50", "50", ""),
        ("13810010001/50/王姐", "50", "王姐"),
        ("13810010001、50、王姐", "50", "王姐"),
        ("13810010001 - 50", "50", ""),
        ("13810010001+50", "50", ""),
        ("13810010001 50。", "50", ""),
        ("tel:13810010001 50", "50", ""),
        ("1、13810010001 50", "50", ""),
        ("2. 13810010001 50", "50", ""),
        ("1.13810010001 50", "50", ""),
        ("(3) 13810010001 50", "50", ""),
        ("（3）13810010001 50", "50", ""),
        ("3)13810010001/50", "50", ""),
        ("⑫13810010001 50", "50", ""),
        ("1️⃣ 13810010001 50", "50", ""),
        ("【7】13810010001 50", "50", ""),
        ("13810010001 50 3号楼2单元", "50", "3号楼2单元"),
        ("13810010001 50 （老客户）", "50", "老客户"),
        ("张三（老客户） 13810010001 50", "50", "张三（老客户）"),
        ("13810010001 50 2026-11-27", "50", "2026-11-27"),
        ("13810010001 50 11月27日", "50", "11月27日"),
        ("13810010001 停机了 充50", "50", "停机了"),
        ("[2026/11/27 10:00:00] 张三: 13810010001 50", "50", "张三"),
        ("13810010001 50 张三", "50", "张三"),
        ("13810010001 50 单位", "50", "单位"),
        ("13810010001 50 万科", "50", "万科"),
        ("话费50 号码13810010001", "50", ""),
        ("老板充个50到13810010001", "50", "老板 到"),
        ("13810010001 来50", "50", ""),
        ("13810010001 50的", "50", "的"),
        ("13810010001→50", "50", ""),
        ("#1 13810010001 50", "50", ""),
        ("No.1 13810010001 50", "50", ""),
        ("一、13810010001 50", "50", ""),
        ("13810010001 50 数量1", "50", "数量1"),
        ("13810010001 200 2026年会员", "200", "2026年会员"),
    ],
)
def test_a_line_is_read_as_a_person_reads_it(typed: str, value: str, note: str) -> None:
    [reading] = readings(typed)
    assert (reading.target, reading.value, reading.note, reading.problem) == (NUMBER, value, note, "")
    assert reading.kind is Kind.ORDER


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("13810010001", "no face value"),
        ("13810010001 fifty", "no face value"),
        ("13810010001 50 100", "two values"),
        ("13810010001 50 50", "two values"),
        ("13810010001 50-100", "two values"),
        ("13810010001 50/100", "two values"),
        ("13810010001 50+50", "two values"),
        ("100 13810010001 50", "two values"),
        ("13810010001 13810010002 50", "2 numbers beside a value"),
        ("13810010001 50 13810010002 100", "2 numbers beside a value"),
        ("①13810010001充50②13810010002充100", "2 numbers beside a value"),
        ("13810010001 50 13810010001", "stands twice"),
        ("13810010001 50 7", "another number in this line: “7”"),
        ("13810010001 1,00", "another number"),
        ("13810010001 1,000", "another number"),
        ("13810010001 50,00", "another number"),
        ("13810010001 49.99", "must be one of"),
        ("13810010001 50.5", "must be one of"),
        ("13810010001 050", "must be one of"),
        ("13810010001 5000元", "must be one of"),
        ("13810010001 30元", "must be one of"),
        ("13810010001 50x2", "more than one order"),
        ("13810010001 50*2", "more than one order"),
        ("13810010001 50×2", "more than one order"),
        ("13810010001 50 2次", "more than one order"),
        ("13810010001 50 两笔", "more than one order"),
        ("13810010001 50 数量2", "more than one order"),
        ("13810010001 面值50数量：2", "more than one order"),
        ("13810010001 50 2 次", "more than one order"),
        ("13810010001 不要50", "nothing is to be placed"),
        ("13810010001 50 万", "What is “50”"),
        ("13810010001 各充50", "more than one order"),
        ("13810010001 11-30", "a date or a value"),
        ("13810010001 10.30", "a date or a value"),
        ("13810010001 12月30", "a date or a value"),
        ("13810010001 1:50", "a time or a value"),
        ("13810010001 50²", "no plain digit"),
        ("13810010001 ⑤0", "no plain digit"),
        ("13810010001 ㊿", "no plain digit"),
        ("13810010001 ٥٠", "no plain digit"),
        ("13810010001 5O元", "letters among its digits"),
        ("13810010001 1OO", "letters among its digits"),
        ("13810010001 l00", "letters among its digits"),
        ("13810010001 五十", "in figures"),
        ("13810010001 一百元", "in figures"),
        ("13810010001 $50", "What is “50”"),
        ("13810010001 -50", "What is “50”"),
        ("13810010001 50块5", "What is “50”"),
        ("13810010001 50元5角", "What is “50”"),
        ("13810010001 50万", "What is “50”"),
        ("13810010001 50%", "What is “50”"),
        ("13810010001 50a", "What is “50”"),
        ("13810010001 50几", "What is “50”"),
        ("13810010001 第50", "What is “50”"),
        ("13810010001 50~100", "What is “100”"),
        ("13810010001 50 取消", "nothing is to be placed"),
        ("13810010001 50 不要了", "nothing is to be placed"),
        ("13810010001 已充50", "nothing is to be placed"),
        *[
            (f"13810010001 50 {words}", "nothing is to be placed")
            for words in (
                "已冲",
                "别冲",
                "冲过了",
                "不用了",
                "不需要",
                "已处理",
                "充值成功",
                "重复",
                "没收到",
                "不用再冲",
            )
        ],
        ("13810010001 50改成100", "nothing is to be placed"),
        ("13810010001 余额50元", "nothing is to be placed"),
        ("13810010001（示例） 50", "nothing is to be placed"),
        ("13810010001 50 01088886666", "another long number"),
        ("13810010001 50 订单号2026112788", "another long number"),
        ("1380013800.5 50", "no whole number"),
        ("1380013800² 50", "no plain digit"),
        ("1380013800⑤ 50", "no plain digit"),
        ("138001380-0-5 50", "No number in this line"),
        ("138 10010001 50", "not grouped"),
        ("138\t1001\t0001\t50", "no number to be recharged"),
        ("1381001000150", "No number in this line"),
        ("5013810010001", "No number in this line"),
        ("13810010001.50", "no whole number"),
        ("50.13810010001", "no whole number"),
        ("01088886666,50", "No number in this line"),
        ("013810010001 50", "No number in this line"),
        ("+85291234567,50", "No number in this line"),
        ("+13810010001 50", "No number in this line"),
        ("1440012345678,50", "No number in this line"),
        ("13810010001@139.com 50", "No number in this line"),
        ("13810010001 50 快 慢", "two speeds"),
        ("x" * 1_001, "too long"),
    ],
)
def test_what_a_person_would_ask_about_is_refused_with_the_true_reason(typed: str, reason: str) -> None:
    assert placed(typed) == []
    assert reason in refused(typed)[1]


@pytest.mark.parametrize("typed", ["13810010001 fifty", "13810010001 五十", "13810010001 50号", "13810010001 凑50的"])
def test_the_value_for_all_is_for_numbers_that_have_none(typed: str) -> None:
    """Whoever writes a value that isn't understood doesn't want another one."""
    assert placed("13810010001 王姐", for_all=100) == [(NUMBER, "100")]
    if typed not in ("13810010001 fifty", "13810010001 50号"):
        assert placed(typed, for_all=100) == []


@pytest.mark.parametrize("typed", ["充百", "五0", "5O元", "1OO", "l00", "Z5元", "￥", "RMB", "30元", "一百"])
def test_a_value_that_is_mistyped_is_not_replaced_by_the_value_for_all(typed: str) -> None:
    assert (NUMBER, "100") not in placed(f"{NUMBER} {typed}", for_all=100)


def test_a_value_of_its_own_goes_before_the_value_for_all() -> None:
    assert placed("13810010001 50\n13810010002", for_all=100) == [(NUMBER, "50"), ("13810010002", "100")]


def test_a_head_of_a_message_is_no_number_without_a_value() -> None:
    assert placed("13810010001 2026/11/27 10:00:00", for_all=100) == []
    assert "head of a message" in refused("13810010001 2026/11/27 10:00:00", for_all=100)[1]


@pytest.mark.parametrize(
    ("typed", "speed"),
    [
        ("13810010001 50 慢", "慢"),
        ("13810010001 50元 慢充", "慢充"),
        ("13810010001 慢充50", "慢"),
        ("13810010001 50快充", "快充"),
        ("13810010001:50:SLOW", "SLOW"),
        ("13810010001 50 快点谢谢", ""),
    ],
)
def test_a_word_for_the_speed_stands_apart(typed: str, speed: str) -> None:
    [reading] = readings(typed)
    assert (reading.speed, reading.value, reading.problem) == (speed, "50", "")


@pytest.mark.parametrize(
    ("typed", "freely"),
    [
        ("13810010001,50", False),
        ("13810010001\t50\t快\t老客户", False),
        ("138 1001 0001，50.00", False),
        ("13810010001,50,,12345", False),
        ("13810010001 50元", True),
        ("张三 13810010001 50", True),
        ("1、13810010001 50", True),
        ("13810010001,50,王姐", True),
    ],
)
def test_lines_in_the_plain_form_are_told_from_those_read_freely(typed: str, freely: bool) -> None:
    [reading] = readings(typed)
    assert (reading.read_freely, reading.problem) == (freely, "")


@pytest.mark.parametrize("note", ["100", "13810010002", "取消", "100元", "五十", "余额50"])
def test_a_note_that_may_say_more_is_not_taken_for_one(note: str) -> None:
    assert placed(f"13810010001,50,快,{note}") == []


def test_cards_are_found_in_their_groups() -> None:
    for typed in ("1000 1112 3456 7894 321 100 王师傅", "1000111234567894321，100元", "100 1000-1112-3456-7894-321"):
        [reading] = readings(typed, product=Product.OIL)
        assert (reading.target, reading.value, reading.problem) == ("1000111234567894321", "100", "")
    [reading] = readings("9000 1112 3456 7894 200", product=Product.OIL)
    assert (reading.target, reading.value) == ("9000111234567894", "200")


SEPARATORS = st.sampled_from([" ", "\t", ",", "，", "、", "：", ":", "|", "-", "/", "  ", " - "])
PIECES = st.lists(st.sampled_from([NUMBER, "50", "王姐", "😀", "慢"]), min_size=1, max_size=5, unique=True)


@given(PIECES, SEPARATORS)
def test_order_and_separators_make_no_difference(pieces: list[str], separator: str) -> None:
    typed = separator.join(pieces)
    expected = [(NUMBER, "50")] if NUMBER in pieces and "50" in pieces else []
    if typed.startswith("50、"):
        return  # may be numbering
    if "-50" in typed.replace(" -50", "") and pieces[0] == "50":
        return
    assert placed(typed) == expected


@given(st.text(alphabet="0123456789 .-,x元充￥²①、:/张\t+()", max_size=40))
def test_no_number_and_no_value_is_ever_made_of_pieces(typed: str) -> None:
    """Whatever is placed stands in the line as a person writes it, with nothing of it used twice."""
    for mobile, value in placed(typed):
        area, *others = mobile[:3], mobile[3:7], mobile[7:]
        grouped = r"[\s\-.]{0,3}".join((rf"\(?{area}\)?", *others))
        rest = re.sub(rf"(?<![0-9])(?:86[\s\-]*)?{grouped}(?![0-9])", " ", typed, count=1)
        assert rest != typed
        assert re.search(rf"(?<![0-9]){value}(?![0-9])", rest)


@pytest.mark.parametrize(
    "typed",
    ["{},-50", "{}\t-50.00", "{}：-50", "{}，－50元", "{} -￥50", "{} ￥-50", "{} (-50)", "{} 充值金额:-50", "{} −50"],
)
def test_money_that_goes_back_is_none_to_be_topped_up(typed: str) -> None:
    assert placed(typed.format(NUMBER)) == []
    assert "What is “50" in refused(typed.format(NUMBER))[1]


@pytest.mark.parametrize("typed", ["{}-50", "{} - 50", "王姐-{}-50", "{}，王姐-50元", "{}--50"])
def test_a_dash_between_two_things_is_no_minus(typed: str) -> None:
    assert placed(typed.format(NUMBER)) == [(NUMBER, "50")]


@pytest.mark.parametrize(
    "words", ["作廢", "暫停", "不對", "空號", "充值失敗", "先別充", "已經處理", "沒到", "餘額50", "兩筆", "充兩個"]
)
def test_traditional_characters_mean_the_same(words: str) -> None:
    assert placed(f"{NUMBER} 50 {words}") == []
    assert placed(f"{NUMBER},50,快,{words}") == []


def test_money_in_traditional_characters_is_read_and_the_note_stays_as_it_is_typed() -> None:
    [reading] = readings(f"張媽媽 {NUMBER} 充值50塊 謝謝")
    assert (reading.value, reading.note, reading.problem) == ("50", "張媽媽 謝謝", "")
    assert placed(f"{NUMBER} 50圓") == [(NUMBER, "50")]
    [reading] = readings(f"{NUMBER},50,快,張媽媽")
    assert (reading.note, reading.read_freely) == ("張媽媽", False)


@pytest.mark.parametrize(
    "words",
    [
        "编号：100",
        "工号 100",
        "积分 100",
        "100 积分",
        "年龄 50",
        "50 岁",
        "尾号：100",
        "序号100",
        "No.50",
        "ID:100",
        "内存 100",
    ],
)
def test_a_figure_with_the_name_of_something_else_is_no_value(words: str) -> None:
    assert placed(f"{NUMBER} {words}") == placed(f"{NUMBER} {words}", for_all=200) == []
    assert "What is “" in refused(f"{NUMBER} {words}")[1]


@pytest.mark.parametrize("words", ["尾号0001", "尾号 0001", "工号1203", "编号：7", "30 岁"])
def test_a_figure_with_the_name_of_something_else_stands_beside_a_value(words: str) -> None:
    assert placed(f"{NUMBER} 50 {words}") == [(NUMBER, "50")]


@pytest.mark.parametrize("words", ["50元x1", "50元 ×1", "50*1", "50 一次", "欠费了充50", "余额不足，充50"])
def test_once_is_no_reason_to_ask(words: str) -> None:
    assert placed(f"{NUMBER} {words}") == [(NUMBER, "50")]


@pytest.mark.parametrize(
    "words",
    [
        "50元x10",
        "50元x2",
        "50*1.5",
        "50 再来一次",
        "50 每周一次",
        "50 十一次",
        "50 一笔一笔来",
        "50 连充",
        "每月50",
        "50 每天",
        "50 充三个月",
        "50 twice",
    ],
)
def test_more_than_once_still_is(words: str) -> None:
    assert placed(f"{NUMBER} {words}") == []
