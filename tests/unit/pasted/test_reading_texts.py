"""A text line by line: chats, numbered lists, and lines that say something about those around them."""

import json
from pathlib import Path
from typing import Any

import pytest

from recharge.batches.services.pasted import Kind
from tests.unit.pasted.lines import OFFERED, placed, readings, refused

ONE, TWO, THREE = "13810010001", "13810010002", "13810010003"
HANDED_OVER = Path(__file__).resolve().parents[4] / "shared/cases/pasted.json"


def handed_over() -> list[dict[str, Any]]:
    return json.loads(HANDED_OVER.read_text(encoding="utf-8")) if HANDED_OVER.exists() else []


@pytest.mark.parametrize(
    "head",
    [
        "张三 2026/11/27 10:00:00",
        "张三 2026-11-27 10:00",
        "张三 2026年11月27日 10:00",
        "张三  11-27 10:00:00",
        "张三 10:00",
        "张三 昨天 10:00",
        "张三 星期三 10:00",
        "张三 下午3:05",
        "张三(123456789) 10:00:00",
        "张三50 2026/11/27 10:00:00",
        "2026/11/27 10:00:00 张三",
        "—— 2026-11-27 ——",
        "2026年11月27日 上午 10:00",
        "好的",
        "收到，谢谢🙏",
        "[图片]",
        "等5分钟",
        "收您850元",
        "1",
        "手机号 面值",
        "“张三”撤回了一条消息",
    ],
)
def test_heads_of_messages_and_chatter_are_skipped(head: str) -> None:
    skipped, order = readings(f"{head}\n{ONE} 50")
    assert (skipped.kind, skipped.problem) == (Kind.CHATTER, "")
    assert (order.target, order.value, order.problem) == (ONE, "50", "")


@pytest.mark.parametrize("typed", ["1380013800:50", "12345678901 10:30", "1380013800 2026/11/27 10:00:00"])
def test_what_may_have_been_a_number_is_no_head_of_a_message(typed: str) -> None:
    assert refused(typed)


@pytest.mark.parametrize(
    "text",
    [
        "9、{}\n10、{}\n11、{}",
        "49. {}\n50. {}\n51. {}",
        "(99) {}\n(100) {}\n(101) {}",
        "1 {}\n2 {}\n3 {}",
        "1\t{}\n2\t{}\n3\t{}",
        "①{}\n②{}\n③{}",
        "1：{}\n\n好的\n2：{}\n3：{}",
    ],
)
def test_numbering_is_known_by_its_neighbours(text: str) -> None:
    assert placed(text.format(ONE, TWO, THREE), for_all=200) == [(ONE, "200"), (TWO, "200"), (THREE, "200")]


@pytest.mark.parametrize("text", ["50、{}\n100、{}", "50 {}\n100 {}", "50.0、{}\n100、{}", "（50）{}\n（100）{}"])
def test_a_value_in_front_is_no_numbering(text: str) -> None:
    assert placed(text.format(ONE, TWO), for_all=200) == [(ONE, "50"), (TWO, "100")]


def test_several_numbers_in_a_line_get_the_value_for_all() -> None:
    assert placed(f"{ONE}、{TWO}/{THREE}", for_all=100) == [(ONE, "100"), (TWO, "100"), (THREE, "100")]
    assert "no face value" in refused(f"{ONE}、{TWO}")[1]
    assert "stands twice" in refused(f"{ONE}、{ONE}", for_all=100)[1]


@pytest.mark.parametrize("text", ["{}\n50", "50\n{}", "{}\n李四 2026/11/27 10:01:00\n充50元", "充50吧\n好的\n{}"])
def test_a_value_on_a_line_of_its_own_is_not_replaced_by_the_value_for_all(text: str) -> None:
    assert placed(text.format(ONE), for_all=100) == []
    assert len(refused(text.format(ONE), for_all=100)) == 2
    assert placed(text.format(ONE)) == []


@pytest.mark.parametrize("words", ["100", "那就100吧", "不对，是100", "改成100", "取消", "刚才那个不要了", "发错了"])
def test_a_line_below_may_correct_or_take_back_the_last_order(words: str) -> None:
    text = f"{ONE} 50\n{TWO} 50\n好的\n{words}"
    assert placed(text) == [(ONE, "50")]
    assert set(refused(text)) == {2, 4}


def test_a_line_below_that_repeats_the_value_changes_nothing() -> None:
    assert placed(f"{ONE} 50\n50") == [(ONE, "50")]


@pytest.mark.parametrize("words", ["以下号码充50", "50元：", "A: 50", "50的", "收到50元"])
def test_another_value_on_any_line_speaks_against_the_one_for_all(words: str) -> None:
    text = f"{words}\n{ONE}\n好的\n{TWO}\n{THREE} 200"
    assert placed(text, for_all=100) == [(THREE, "200")]
    assert set(refused(text, for_all=100)) == {1, 2, 4}
    assert placed(text, for_all=50) == [(ONE, "50"), (TWO, "50"), (THREE, "200")]


@pytest.mark.parametrize("typed", ["50. {}", "100) {}"])
def test_a_number_in_front_that_could_be_either_is_refused(typed: str) -> None:
    assert placed(typed.format(ONE)) == placed(typed.format(ONE), for_all=200) == []
    assert "count the lines" in refused(typed.format(ONE))[1]
    assert "count the lines" in refused(f"1. {TWO}\n{typed.format(ONE)}", for_all=200)[2]


def test_lines_are_counted_as_they_stand_in_the_text() -> None:
    assert [reading.line for reading in readings(f"\r\n好的\r\n\r\n{ONE} 50\r{TWO} 50")] == [2, 4, 5]


@pytest.mark.skipif(not handed_over(), reason="the cases handed over lie beside the project, if anywhere")
@pytest.mark.parametrize("case", handed_over(), ids=lambda case: str(case["kind"]))
def test_cases_handed_over(case: dict[str, Any]) -> None:
    found = readings(case["text"], case.get("value_for_all"))
    orders = [reading for reading in found if reading.kind is Kind.ORDER and not reading.problem]
    good = [reading for reading in orders if _can_be_placed(reading.target, reading.value)]
    assert [(reading.target, int(reading.value)) for reading in good] == [
        (order["mobile"], order["value"]) for order in case["placed"]
    ]
    for reading, order in zip(good, case["placed"], strict=True):
        assert reading.note == order.get("note", reading.note)
    refused_lines = [reading.typed for reading in found if reading not in good and reading.kind is not Kind.CHATTER]
    assert refused_lines == case["refused_lines"]


def _can_be_placed(target: str, value: str) -> bool:
    """Say what the rules of orders say, too, after the reading."""
    return target[1] in "3456789" and int(value) in OFFERED


@pytest.mark.parametrize(
    "words", ["更正：{} 100", "更正 {}充100", "{} 100，以此为准", "{} 100 以这个为准", "以这条为准：{} 100"]
)
def test_a_correction_of_a_number_doubts_what_stands_above(words: str) -> None:
    assert placed(f"{ONE} 50\n{TWO} 50\n" + words.format(ONE)) == [(TWO, "50")]


@pytest.mark.parametrize("words", ["未付", "没付", "还没付", "未付款", "没给钱"])
def test_what_is_not_paid_is_doubted(words: str) -> None:
    assert not placed(f"{ONE} 50 {words}")


@pytest.mark.parametrize("below", ["30元", "30", "各30", "每个30块", "都充30元", "50 x2", "50*2"])
def test_a_value_that_is_not_sold_is_another_than_the_one_for_all(below: str) -> None:
    assert not placed(f"{ONE}\n{TWO}\n{below}", for_all=200)
    assert set(refused(f"{ONE}\n{TWO}\n{below}", for_all=200)) == {1, 2, 3}


@pytest.mark.parametrize("below", ["1", "收您850元", "200", "各200", "3楼", "合计400"])
def test_what_says_nothing_of_values_leaves_the_one_for_all(below: str) -> None:
    assert placed(f"{ONE}\n{TWO}\n{below}", for_all=200)[:2] == [(ONE, "200"), (TWO, "200")]


@pytest.mark.parametrize("number", ["1.381E+10", "1.38E10", "1.3810010001e+10"])
def test_a_rounded_number_is_no_chatter(number: str) -> None:
    assert set(refused(f"{ONE} 50\n{number}\t100")) == {2}


@pytest.mark.parametrize("text", ["100、{}\n99、{}\n98、{}", "51 {}\n50 {}\n49 {}"])
def test_numbering_may_go_down(text: str) -> None:
    assert placed(text.format(ONE, TWO, THREE), for_all=50) == [(ONE, "50"), (TWO, "50"), (THREE, "50")]


@pytest.mark.parametrize("between", ["~", "～", "至", "到", " 到 ", "…", "...", "-", "—", "——"])
def test_the_ends_of_a_range_are_not_all_of_it(between: str) -> None:
    text = f"{ONE}{between}{THREE}"
    assert placed(text, for_all=50) == []
    assert "first and the last" in refused(text, for_all=50)[1]


@pytest.mark.parametrize("text", [f"{ONE}-{TWO}-13910010001", f"{THREE}-{ONE}", f"{ONE}、{THREE}", f"{ONE}/{THREE}"])
def test_other_numbers_side_by_side_are_no_range(text: str) -> None:
    assert len(placed(text, for_all=50)) >= 2


@pytest.mark.parametrize(
    "text",
    [
        "{} 联系电话{}",
        "{} 推荐人{}",
        "{} 介绍人 张三 {}",
        "充值号{} 联系人：{}",
        "{}（转给{}）",
        "用{}付款 充{}",
        "{} 紧急联系人手机：{}",
        "推荐人张三 {}",
        "制表人：{}",
        "有事打{}",
        "加微信{}",
        "联系我{}",
        "转账到{}",
        "支付宝账号{}",
        "支付宝：{}",
        "客服电话{}",
        "微信号：{}",
        "收件人：张三 {}",
    ],
)
def test_the_number_of_somebody_else_is_not_topped_up(text: str) -> None:
    assert placed(text.format(ONE, TWO), for_all=50) == []
    assert "not the one to be topped up" in refused(text.format(ONE, TWO), for_all=50)[1]


@pytest.mark.parametrize(
    "text",
    [
        "联系电话：{} 姓名：张三",
        "张三{} 李四{}",
        "客服：{}",
        "我的手机{}",
        "微信转了 {}",
        "我的{} 老婆的{}",
        "用户张三{} 用户李四{}",
        "联系人张三{} 联系人李四{}",
        "妈妈{}、爸爸{}",
    ],
)
def test_names_in_front_of_numbers_keep_none_back(text: str) -> None:
    assert placed(text.format(ONE, TWO), for_all=50) == [(ONE, "50"), (TWO, "50")][: text.count("{}")]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("张三 138100 10002", "not grouped"),
        ("13810 010002", "not grouped"),
        ("1381001 0002 50", "not grouped"),
        ("张三 ١٣٨١٠٠١٠٠٠٢ 50", "no plain digit"),
        ("१३८१००१०००२", "no plain digit"),
        ("一三八一零零一零零零二 50", "no plain digit"),
        ("①③⑧①⓪⓪①⓪⓪⓪② 50", "no plain digit"),
    ],
)
@pytest.mark.parametrize("for_all", [None, 50])
def test_a_number_that_is_not_read_is_said_and_not_skipped(typed: str, reason: str, for_all: int | None) -> None:
    assert placed(f"{ONE}\n{typed}\n{THREE} 50", for_all) == [(ONE, "50")] * (for_all is not None) + [(THREE, "50")]
    assert reason in refused(f"{ONE}\n{typed}\n{THREE} 50", for_all)[2]


@pytest.mark.parametrize("typed", ["共150 200 100", "2026-11-27 1500", "一二三四五六七", "50 100 50"])
def test_other_figures_are_no_number_that_is_not_read(typed: str) -> None:
    assert "grouped" not in refused(f"{typed}\n{ONE} 50").get(1, "")
