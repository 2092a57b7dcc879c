"""Card, phone and ID numbers and names, as people type them."""

import time
from unittest import mock

import pytest
import time_machine
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from oilcards import masking, numbers
from oilcards.choices import CardType
from oilcards.numbers import InvalidValue
from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER, PHONE, SECRETS


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


def with_check_digit(first_17: str) -> str:
    return first_17 + ric.calc_check_digit(first_17 + "0")


@pytest.mark.parametrize(
    "text", [NUMBER, f" {NUMBER[:4]} {NUMBER[4:]}\u3000", f"{NUMBER[:6]}-{NUMBER[6:]}", "１０００１１" + NUMBER[6:]]
)
def test_card_number_is_brought_into_one_form(text: str) -> None:
    assert numbers.card_number(text) == NUMBER


@pytest.mark.parametrize("text", ["", "  ", "10001112345678943x1", "123456789", "1" * 31, "١" * 19, "1000.1e5"])
def test_what_can_be_no_card_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        numbers.card_number(text)
    assert len(text.strip()) < 5 or text not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "card_type", "doubts"),
    [
        (NUMBER, CardType.SINOPEC, 0),
        ("9" * 16, CardType.PETROCHINA, 0),
        (NUMBER[:-1], CardType.SINOPEC, 1),
        ("2" * 19, CardType.SINOPEC, 1),
        ("2" * 16, CardType.PETROCHINA, 1),
        ("2" * 15, CardType.PETROCHINA, 2),
        ("9" * 16, CardType.SINOPEC, 3),
        (NUMBER, CardType.PETROCHINA, 3),
    ],
)
def test_unusual_card_numbers_are_doubted_not_refused(number: str, card_type: CardType, doubts: int) -> None:
    numbers.card_number(number)
    assert len(numbers.card_number_doubts(number, card_type)) == doubts
    assert not [text for text in numbers.card_number_doubts(number, card_type) if number in text]


@pytest.mark.parametrize(
    "text", [PHONE, "138 0013 8765", "+86 138-0013-8765", "0086" + PHONE, "86" + PHONE, "１３８" + PHONE[3:]]
)
def test_phone_is_brought_into_one_form(text: str) -> None:
    assert numbers.phone(text) == PHONE


@pytest.mark.parametrize("text", ["", "12800138765", "1380013876", "138001387655", "02088886666", "1380013876a"])
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        numbers.phone(text)


@pytest.mark.parametrize(
    "text", [NATIONAL_ID, NATIONAL_ID.lower(), "110105 19491231 002x", "１１０１０５19491231002Ｘ"]
)
def test_id_number_is_brought_into_one_form(text: str) -> None:
    assert numbers.national_id(text) == NATIONAL_ID
    assert not numbers.national_id_doubts(NATIONAL_ID)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Enter"),
        ("110105491231002", "this one has 15"),
        (NATIONAL_ID + "1", "this one has 19"),
        ("1101051949123100AX", "17 digits"),
        ("110105194912310021", "doesn't fit"),
        ("11010519491231020X", "doesn't fit"),
        (with_check_digit("11010519490231002"), "birth date"),
        (with_check_digit("11010520991231002"), "birth date"),
    ],
)
def test_message_says_what_is_wrong_with_an_id_number(text: str, message: str) -> None:
    with time_machine.travel("2026-11-23", tick=False), pytest.raises(InvalidValue, match=message) as caught:
        numbers.national_id(text)
    assert not text or text not in str(caught.value)


def test_region_that_the_list_lacks_is_only_a_doubt() -> None:
    number = with_check_digit("99010519491231002")
    assert numbers.national_id(number) == number
    assert len(numbers.national_id_doubts(number)) == 1


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_in_an_id_number_never_passes(place: int, shift: int) -> None:
    wrong = str((int(NATIONAL_ID[place]) + shift) % 10)
    with pytest.raises(InvalidValue):
        numbers.national_id(NATIONAL_ID[:place] + wrong + NATIONAL_ID[place + 1 :])


@pytest.mark.parametrize("name", [NAME, "张三", "阿卜杜拉·买买提", "Mary Ann O'Neil", "Jean-Luc"])
def test_names_pass(name: str) -> None:
    assert numbers.holder_name(f"  {name} ") == name


@pytest.mark.parametrize("name", ["", " ", "张", "张3", "encrypted:abc", "<b>张三</b>", "张" * 51, "张\x00三", "张_三"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        numbers.holder_name(name)


@given(st.text(max_size=40))
def test_any_text_is_either_a_value_or_refused(text: str) -> None:
    for normalize in (numbers.card_number, numbers.phone, numbers.national_id, numbers.holder_name):
        try:
            value = normalize(text)
        except InvalidValue:
            continue
        assert normalize(value) == value


def test_masks_show_what_they_may() -> None:
    assert masking.masked_number(NUMBER[-4:]) == "**** 4321"
    assert masking.masked_name(NAME) == "欧**"
    assert masking.masked_name("张三") == "张*"
    assert masking.masked_phone(PHONE) == "138****8765"
    assert masking.masked_phone("1380") == "***"
    assert masking.masked_national_id(NATIONAL_ID) == "1" + "*" * 16 + "X"
    assert masking.masked_national_id("1X") == "***"


def test_scrubbing_hides_every_spelling() -> None:
    text = (
        rf"欧阳震华 \u6b27\u9633\u9707\u534e %E6%AC%A7%E9%98%B3%E9%9C%87%E5%8D%8E %e6%ac%a7%e9%98%b3%e9%9c%87%e5%8d%8e "
        rf"&#27431;&#38451;&#38663;&#21326; {NATIONAL_ID.lower()} {NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:]} "
        rf"and 138-0013-8765 other 13900139000"
    )
    scrubbed = masking.scrub(text, SECRETS)
    assert scrubbed == "*** *** *** *** *** *** *** and *** other ***"


def test_evidence_keeps_what_the_platform_decided_and_no_data() -> None:
    raw = f'{{"code": 0, "msg": "好 {NAME}", "time": "1624868000", "data": {{"id": 7, "name": "李四"}}, "x": 1}}'
    kept = masking.evidence(raw, SECRETS)
    assert kept == '{"code": 0, "msg": "好 ***", "time": "1624868000", "data": {"id": 7, "name": "***"}}'


@pytest.mark.parametrize(
    "raw", ["[]", '"x"', "<html>", '{"data": [1]}', '{"data": {"id": {"name": "李四"}}}', "[" * 100_000]
)
def test_evidence_of_any_form_is_kept_without_failing(raw: str) -> None:
    assert "李四" not in masking.evidence(raw, SECRETS)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"status": 2, "phone" : "13911112222"}', '{"status": 2, "phone" : "***"}'),
        ('{"data": {"user_num":11010519491231002, "order_no": "20"}}', '{"data": {"user_num":***, "order_no": "20"}}'),
        ('{"name": "a \\" b", "card_num": "9', '{"name": "***", "card_num": "***"'),
        ('{"card_num": null, "card_id": 7}', '{"card_num": ***, "card_id": 7}'),
        ("phone=13911112222&status=2&name=%E6%9D%8E", "phone=***&status=2&name=***"),
        ("order_no=20&Card_No=9&card_id=77", "order_no=20&Card_No=***&card_id=77"),
        ("user_name=&amount=500", "user_name=&amount=500"),
        ('--b\r\nX; name="phone"\r\n\r\n139\r\n--b\r\nX; name="status"\r\n\r\n2\r\n--b--',
         '--b\r\nX; name="phone"\r\n\r\n***\r\n--b\r\nX; name="status"\r\n\r\n2\r\n--b--'),
        (f"<p>{NAME} {PHONE}</p>", "<p>*** ***</p>"),
        ("order 26112509335012345678 of 1637835415123456", "order 26112509335012345678 of 1637835415123456"),
    ],
)  # fmt: skip
def test_holder_is_hidden_by_name_and_by_value_and_numbers_of_orders_stay(sent: str, kept: str) -> None:
    assert masking.hide_holder(sent, SECRETS) == kept


def test_hiding_compiles_no_pattern_for_what_is_not_there() -> None:
    with mock.patch.object(masking, "_however_grouped", side_effect=AssertionError):
        assert masking.hide_holder("第三车队 12号", SECRETS) == "第三车队 12号"


@pytest.mark.parametrize("text", ['"phone":"' * 3000, 'name="phone"\r\n' * 3000, "&phone=" * 3000, "\\" * 20_000])
def test_hiding_takes_no_longer_for_what_is_made_to_be_slow(text: str) -> None:
    started = time.process_time()
    masking.hide_holder(text, SECRETS)
    assert time.process_time() - started < 2
