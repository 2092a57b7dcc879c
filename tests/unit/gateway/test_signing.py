import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateway import sign

PUBLISHED = {
    "app_key": "123",
    "mobile": "15978771435",
    "money": "50",
    "notify_url": "http://127.1.0.1",
    "order_no": "20216006496",
    "recharge_type": "1",
    "store_id": "1",
    "timestamp": "1636430302",
    "v": "1.0",
}
# Written out by hand, name by name, so that the order and the raw values can be seen.
BY_HAND = {
    "chinese": ({"name": "张三", "b": "1"}, "kb1name张三k"),
    "empty_value": ({"a": "", "b": "2"}, "kab2k"),
    "nothing_to_send": ({}, "kk"),
    "reserved_characters": ({"u": "https://x/?a=1&b=2 +%"}, "kuhttps://x/?a=1&b=2 +%k"),
    "capitals_sort_first": ({"card_id": "1", "cardId": "2", "Z": "3"}, "kZ3cardId2card_id1k"),
    "prefix_sorts_first": ({"order_no": "1", "order": "2"}, "korder2order_no1k"),
}


def test_the_published_example_signs_as_published() -> None:
    assert sign("456", PUBLISHED) == "7A48D8D40D7EE5849A81A711C8A6BF24"


@pytest.mark.parametrize("case", BY_HAND)
def test_parameters_are_sorted_and_signed_raw(case: str) -> None:
    parameters, signed = BY_HAND[case]
    assert sign("k", parameters) == hashlib.md5(signed.encode("utf-8")).hexdigest().upper()


def test_an_empty_parameter_signs_differently_from_a_missing_one() -> None:
    assert sign("k", {"a": "1", "b": ""}) != sign("k", {"a": "1"})


@given(st.dictionaries(st.text("abcXYZ_", min_size=1), st.text(max_size=20).filter(str.isprintable)))
def test_the_order_of_insertion_does_not_matter(parameters: dict[str, str]) -> None:
    assert sign("k", parameters) == sign("k", dict(reversed(parameters.items())))
