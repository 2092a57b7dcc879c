"""The transition table, typed in a second time: whoever changes it changes it twice, on purpose."""

import pytest

from recharge.status import CodeVerdict, Status, verdict

MEANING = {"A": CodeVerdict.APPLIED, "D": CodeVerdict.DUPLICATE, "S": CodeVerdict.STALE, "C": CodeVerdict.CONFLICT}

# One letter for each of the reported codes 0 to 12.
EXPECTED = {
    None: "AAAAAAAAAACAA",
    0: "DAAAAAAAAACAA",
    1: "SDAAAAAAAACAA",
    2: "SSDCCCSSSCACS",
    3: "SCCDASCCCSCCS",
    4: "SCCSDSCCCSCCS",
    5: "SAAAADAAAACAA",
    6: "SAAAAADAAACAA",
    7: "SAAAAAADAACAA",
    8: "SAAAAAAADACAA",
    9: "SCCAASCCCDCCS",
    10: "SCCAACCCCCDCS",
    11: "SSACACSSSCADS",
    12: "SAAAAAAAAACAD",
}
PAIRS = [(current, code, MEANING[letter]) for current, row in EXPECTED.items() for code, letter in enumerate(row)]


def test_table_covers_every_pair() -> None:
    assert len(PAIRS) == 14 * 13
    assert set(EXPECTED) == {None, *Status.values}


@pytest.mark.parametrize(("current", "reported", "expected"), PAIRS)
def test_verdict_is_the_expected_one(current: int | None, reported: int, expected: CodeVerdict) -> None:
    assert verdict(current, reported) is expected


@pytest.mark.parametrize("current", EXPECTED)
@pytest.mark.parametrize("reported", [-1, 13, 99, 9999])
def test_unknown_code_changes_nothing(current: int | None, reported: int) -> None:
    assert verdict(current, reported) is CodeVerdict.UNKNOWN_CODE
