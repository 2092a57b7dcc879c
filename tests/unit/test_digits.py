"""Digits as people type them: no number is ever made of two things that stand side by side."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oilcards import numbers as cards
from portal.kit import digits
from portal.sheets.cells import from_number
from recharge.core import phone_numbers

GOOD = [
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "138.0013.8000",
    "138 - 0013 - 8000",
    "(138)00138000",
    "(13800138000)",
    "（138） 0013 8000",
    "+86 138 0013 8000",
    "(+86)13800138000",
    "+86-138-0013-8000",
    "008613800138000",
    "86 13800138000",
    "１３８００１３８０００",
    "\u202d138 0013 8000\u202c",
    "\u2066138\ufe0f00138000\u2069",
    "\u316413800138000",
]
GLUED = [
    "86.13800138005",
    "+86.13800138005",
    "1380013800.5",
    "(1380)013800.7",
    "1380013800²",
    "1380013800①",
    "1380013800⑤",
    "1380013800.0001",
    "13800 138000",
    "1 3800138000",
    "1380013 8000",
    "138001380-00",
    "13 800138000",
    "1.3800138000",
    "13800138.000",
    "138 0013 800 0",
    "١٣٨٠٠١٣٨٠٠٠",
    "１３８００１３８００²",
    "138００１３８00½",
    "1380013800O",
    "13800138000 50",
    "13800138000/13900139000",
    "+1 3800138000",
    "8 613800138000",
    "8613 800138000",
    "(13)800138000",
    "(138001)38000",
    "138--------00138000",
]


@pytest.mark.parametrize("text", GOOD)
def test_usual_forms_are_understood(text: str) -> None:
    assert digits.mobile_digits(text) == "13800138000"
    assert phone_numbers.normalize(text) == cards.phone(text) == "13800138000"


@pytest.mark.parametrize("text", GLUED)
def test_what_is_glued_together_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(phone_numbers.InvalidMobile) as refused:
        phone_numbers.normalize(text)
    assert str(refused.value)
    with pytest.raises(cards.InvalidValue):
        cards.phone(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1380013800.5", "不是整数"), ("1380013800²", "“²”"), ("1380013800①", "“①”"), ("13800 138000", "分组")],
)
def test_the_reason_is_the_true_one(text: str, reason: str) -> None:
    with pytest.raises(phone_numbers.InvalidMobile, match=reason):
        phone_numbers.normalize(text)


marks = st.sampled_from(["", " ", "-", ".", "/", "(", ")", "²", "①", "０", "5", "\u200b", "+", "86"])


@given(st.lists(st.sampled_from([*"13800138000", "138", "0013", "8000"]) | marks, max_size=18).map("".join))
def test_digits_keep_their_order_and_number(text: str) -> None:
    """Whatever is read as a number has its digits in one piece, or in groups of 3-4-4, and no others beside it."""
    number = digits.mobile_digits(text)
    if number is not None:
        plain = re.sub(r"[^0-9]", "", digits.fold(text))
        assert plain in (number, "86" + number, "0086" + number)
        groups = [group for group in re.split(r"[^0-9]+", digits.fold(text)) if group]
        rest = "".join(groups).removesuffix(number)
        sizes = [len(group) for group in groups]
        assert rest in ("", "86", "0086")
        assert sizes[-3:] == [3, 4, 4] or sum(sizes) > max(sizes) or max(sizes) >= 11


@pytest.mark.parametrize(
    "text", ["1000 1112 3456 7894 321", "1000111234567894321", "100011-1234567894321", "１０００1112 3456 7894 321"]
)
def test_card_numbers_in_usual_groups(text: str) -> None:
    assert cards.card_number(text) == "1000111234567894321"


@pytest.mark.parametrize(
    "text",
    [
        "100011123456789432.1",
        "1000111234567894321.5",
        "100011123456789432²",
        "100011123456789432①",
        "100011123456789432-1",
        "10 0011123456789 4321",
        "1 000111234567894321",
        "1000.1112.3456.7894.321",
        "1000(111)234567894321",
    ],
)
def test_card_numbers_with_something_glued_on_are_refused(text: str) -> None:
    with pytest.raises(cards.InvalidValue):
        cards.card_number(text)


@pytest.mark.parametrize("raw", ["13800138000.99999", "13800138000.0000001", "1380013800.5", "86.13800138005"])
def test_no_number_of_a_workbook_is_rounded_to_another_one(raw: str) -> None:
    text, problem = from_number(raw)
    if not problem:
        with pytest.raises(phone_numbers.InvalidMobile):
            phone_numbers.normalize(text)


@pytest.mark.parametrize("text", ["张三13800138000", "制表人：张三", "以上共三个"])
def test_words_are_not_called_digits(text: str) -> None:
    assert digits.why_no_number(text) == ""
    assert "②" in digits.why_no_number("1380013800②")
