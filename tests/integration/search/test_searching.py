"""Finding orders by whatever people have of them, pasted as they have it."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from recharge.core import phone_numbers
from recharge.fulfilment.services import submission
from recharge.models import Order
from recharge.orders.services import placing
from recharge.search.services import MAX_ENTRIES, MAX_WORDS, look_up
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def order(clerk_user: User, platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def found(text: str) -> list[str]:
    return [entry.order.order_no for entry in look_up(text).found if entry.order]


def missing(text: str) -> list[str]:
    return [entry.text for entry in look_up(text).missing]


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "+86 138-0013-8000",
        "（138）00138000",
        "8000",
        "１３８００１３８０００",
        "张三 13800138000",
        "张三13800138000元",
        "手机号：138 0013 8000没到账",
        "尾号8000",
        "后四位 8000",
    ],
)
def test_a_number_is_found_however_it_is_written(order: Order, typed: str) -> None:
    assert found(typed) == [order.order_no]


def test_order_and_platform_numbers_are_found_grouped_as_the_pages_show_them(order: Order) -> None:
    grouped = re.sub(r"(.{4})", r"\1 ", order.order_no)
    Order.objects.update(gateway_order_no="W20261129001")
    assert found(f"{grouped}\nW20261129001") == [order.order_no] * 2


def test_two_pasted_numbers_are_two_entries_however_they_are_separated(order: Order, clerk_user: User) -> None:
    other = placing.place_mobile_order(placed_by=clerk_user, mobile="13900139000", face_value=50)
    for between in ("\n", "\r\n", ", ", "，", "\t", "；", " ", "、"):
        assert found(f"13800138000{between}13900139000") == [order.order_no, other.order_no], repr(between)


def test_the_newest_order_is_shown_and_how_many_more_there_are(order: Order, clerk_user: User) -> None:
    again = placing.place_mobile_order(
        placed_by=clerk_user, mobile="13800138000", face_value=50, duplicate_reason="again"
    )
    entry = look_up("13800138000").found[0]
    assert entry.order
    assert (entry.order.order_no, entry.more) == (again.order_no, 1)


def test_a_card_is_found_by_its_last_four_digits(clerk_user: User, platform: FakePlatform) -> None:
    card = active_card(clerk_user)
    order = placing.place_oil_order(placed_by=clerk_user, oil_card=card, face_value=500)
    assert found(card.short_name[-4:]) == [order.order_no]


def test_batches_are_found_by_number_and_name_of_file(clerk_user: User, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(2), made_by=clerk_user)
    last = Order.objects.filter(batch=batch).latest("pk").order_no
    assert found(str(batch.pk)) == [last]
    assert found(batch.file_name) == [last]


def test_words_of_a_note_are_found(order: Order) -> None:
    Order.objects.update(note="王姐 三号店")
    assert found("三号店") == [order.order_no]


def test_digits_amid_other_words_are_words(order: Order) -> None:
    Order.objects.update(note="5月客户12组 第8000号")
    assert found("5月客户12组") == [order.order_no]
    assert missing("6月名单8000") == ["6月名单8000"]


def test_order_numbers_touched_by_words_are_found(order: Order) -> None:
    assert found(f"订单号{order.order_no}失败 13700000000") == [order.order_no]
    assert missing(f"订单号{order.order_no}失败 13700000000") == ["13700000000"]


def test_what_is_not_found_is_named_with_what_it_was_taken_for(order: Order) -> None:
    answer = look_up("13800138000\n13700000000\n26010100000000000000\n没有这个词")
    assert [entry.text for entry in answer.missing] == ["13700000000", "26010100000000000000", "没有这个词"]
    assert all(entry.sought for entry in answer.missing)


def test_nothing_is_left_out_without_a_word() -> None:
    answer = look_up("\n".join(f"1390000{number:04d}" for number in range(MAX_ENTRIES + 7)))
    assert (len(answer.missing), answer.left_out) == (MAX_ENTRIES, 7)
    words = look_up("\n".join(f"词{'甲乙丙丁'[n % 4]}{chr(0x4E00 + n)}" for n in range(MAX_WORDS + 3))).missing
    assert [entry.not_sought for entry in words].count(True) == 3


@pytest.mark.parametrize("typed", ["\x00", "%", "'; DROP", "9" * 5000, "²³⁴⁵", "\ud83d", "1" * 18, "一" * 3000])
def test_odd_input_finds_nothing_and_breaks_nothing(order: Order, typed: str) -> None:
    assert found(typed) == []


def test_the_statements_do_not_grow_with_the_entries(order: Order, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        look_up("\n".join(f"1390000{number:04d}" for number in range(450)) + "".join(f"\n{n:04d}" for n in range(450)))


def test_the_page_shows_found_and_missing_and_keeps_what_was_typed(client: Client, order: Order) -> None:
    client.force_login(person("clerk"))
    page = client.post("/search/", {"q": "13800138000\n13700000000"}).content.decode()
    assert order.order_no in page
    assert 'data-not-found="13700000000"' in page
    assert "13800138000\n13700000000" in page
    assert page.index("data-not-found") < page.index(f"/orders/{order.order_no}/")
    assert 'action="/search/"' in client.get("/orders/").content.decode(), "the header of every page has it"


def test_what_somebody_may_not_see_is_masked_here_too(client: Client, order: Order) -> None:
    client.force_login(person("clerk"))
    page = client.post("/search/", {"q": order.order_no}).content.decode()
    assert phone_numbers.masked(order.mobile) in page
    assert phone_numbers.grouped(order.mobile) not in page


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_answer_is_a_sheet_to_take_away(client: Client, order: Order, kind: str) -> None:
    client.force_login(person("clerk"))
    response = client.post("/search/", {"q": "13800138000, 13700000000", "format": kind})
    assert f".{kind}" in response["Content-Disposition"]
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    if kind == "csv":
        text = body.decode("utf-8-sig")
        assert order.order_no in text
        assert "未找到" in text
    else:
        assert body.startswith(b"PK")


def test_an_empty_search_says_so(client: Client) -> None:
    client.force_login(person("clerk"))
    assert "invalid-feedback" in client.post("/search/", {"q": "  "}).content.decode()


@pytest.mark.parametrize("reference", ["KH-2026-001", "客户一号", "A12", "20261129", "REF_20261129"])
def test_a_reference_is_found_as_a_whole_only(order: Order, reference: str) -> None:
    Order.objects.update(reference=reference)
    assert found(reference) == [order.order_no]
    assert found(f"x\n {reference} ") == [order.order_no]
    assert missing(reference[:-1]) == [reference[:-1]]


def test_a_search_for_references_goes_through_an_index(order: Order) -> None:
    orders = Order.objects.exclude(reference="").filter(reference__in=["KH-1", "KH-2"])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # of one order it reads the table
    assert "order_reference" in orders.order_by().explain()


def test_an_order_whose_note_has_its_reference_counts_once(order: Order) -> None:
    Order.objects.update(reference="KH-2026-001", note="KH-2026-001 急")
    [entry] = look_up("KH-2026-001").found
    assert entry.orders == 1
