"""What the log hides, and what it must not."""

import pytest

from portal.logs import mask_personal

DIGEST = "ab13800138000c" + "d" * 50


def test_numbers_are_hidden_in_everything_that_may_hold_one() -> None:
    assert mask_personal(None, "", {"note": "call 13800138000", "rows": ["a13800138000b"]}) == {
        "note": "call ***",
        "rows": ["a***b"],
    }


@pytest.mark.parametrize("key", ["digest", "order_no", "request_id"])
def test_what_must_be_compared_later_stays_whole_whatever_digits_stand_in_it(key: str) -> None:
    assert mask_personal(None, "", {key: DIGEST}) == {key: DIGEST}
