"""What came in is read without using up the stack: too deep is refused before it is parsed."""

import sys

import pytest

from portal.gateway.parsing import NESTING_LIMIT, load_json


def frames() -> int:
    frame, count = sys._getframe(), 0
    while frame.f_back:
        frame, count = frame.f_back, count + 1
    return count


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_no_deeper_than_the_limit_is_read(opened: str, closed: str) -> None:
    text = opened * NESTING_LIMIT + "1" + closed * NESTING_LIMIT

    value = load_json(text)

    for _ in range(NESTING_LIMIT):
        (value,) = value if isinstance(value, list) else value.values()
    assert value == 1


@pytest.mark.parametrize("text", ["[" * 30_000, '{"a":' * 10_000, '["\\"", ' * 65 + "]" * 65, "[" * 65 + "]" * 65])
def test_what_is_nested_deeper_is_refused_without_being_parsed(text: str) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(frames() + 60)  # parsing any of these would need more
    try:
        with pytest.raises(ValueError, match="nested too deep"):
            load_json(text)
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_texts_and_beside_each_other_are_no_nesting() -> None:
    assert load_json('["' + "[" * 100 + '\\"{", ' + "[1], " * 100 + "2]")[-1] == 2
