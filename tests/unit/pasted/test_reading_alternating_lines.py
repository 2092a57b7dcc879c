"""Lists whose numbers and values stand on lines in turn: as a narrow column, or a form's fields, is copied."""

import pytest

from tests.unit.pasted.lines import placed, readings, refused

ONE, TWO, THREE = "13810010001", "13810010002", "13810010003"


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n50\n{TWO}\n100\n{THREE}\n50",
        f"{ONE}\n50元\n\n{TWO}\n￥100\n\n{THREE}\n５０块\n",
        f"手机号\n面值\n{ONE}\n50\n{TWO}\n100\n{THREE}\n50\n合计200",
        f"张三 10:00\n{ONE}\n50\n好的\n李四 2026-11-27 10:05\n{TWO}\n100\n{THREE}\n50",
        f"1、{ONE}\n50\n2、{TWO}\n100\n3、{THREE}\n50",
    ],
)
def test_a_value_below_each_number_is_its_own(text: str) -> None:
    assert placed(text) == [(ONE, "50"), (TWO, "100"), (THREE, "50")]
    assert not refused(text)


def test_both_lines_are_shown_and_the_name_is_kept() -> None:
    first, second = readings(f"张三 {ONE}\n50\n李四 {TWO}\n100")
    assert (first.line, first.typed, first.note) == (1, f"张三 {ONE}\t50", "张三")
    assert (second.line, second.value, second.note) == (3, "100", "李四")


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n50",
        f"50\n{ONE}\n100\n{TWO}",
        f"{ONE}\n50\n{TWO}\n{THREE}\n100",
        f"{ONE}\n50\n100\n{TWO}\n100",
        f"{ONE}\n50\n{TWO}\n30",
        f"{ONE}\n50\n{TWO}\n50 x2",
        f"{ONE}\n50\n{TWO}\n100\n都充50",
        f"{ONE}\n50\n1381001000\n100",
        f"{ONE} 50\n100\n{TWO} 50\n100",
        f"{ONE} {TWO}\n50\n{THREE}\n100",
        f"{ONE}\n50\n{TWO}\n好的\n100",
        f"{ONE}\n50\n{TWO}\n100\n取消",
        f"{ONE}\n50\n{TWO}\n100\n30\n",
    ],
)
def test_nothing_is_placed_where_a_value_may_be_another_ones(text: str) -> None:
    assert not placed(text)
    assert refused(text)


def test_a_value_for_all_must_be_the_one_below_each() -> None:
    assert placed(f"{ONE}\n50\n{TWO}\n50", for_all=50) == [(ONE, "50"), (TWO, "50")]
    assert not placed(f"{ONE}\n50\n{TWO}\n100", for_all=50)
    assert not placed(f"{ONE}\n50\n{TWO}\n50", for_all=100)
