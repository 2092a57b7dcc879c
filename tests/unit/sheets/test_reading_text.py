"""What Chinese Excel, WPS and the clipboard really produce as text."""

import pytest

from portal.sheets import WHOLE_ROW, UnreadableSheet
from tests.unit.sheets.lists import HEADER, cells, pasted, rows

ONE = ("13800138000", "50", "快", "老客户")
LINE = "13800138000,50,快,老客户\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "marked utf-16-be"]
)
@pytest.mark.parametrize("count", [1, 40])
def test_every_encoding_of_excel_is_understood(encoding: str, count: int) -> None:
    text = HEADER + LINE * count
    if encoding.startswith("marked "):
        encoding, text = encoding.removeprefix("marked "), f"\ufeff{text}"
    assert cells(text.encode(encoding)) == [ONE] * count


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("note", ["", "一一一一一一一", "十一月的老客户，一般都是一个月充一次话费"])
@pytest.mark.parametrize("title", ["", "一" * 600 + "\n"])
def test_utf_16_without_a_mark_is_told_by_its_zeros(encoding: str, note: str, title: str) -> None:
    text = f"{title}{HEADER}13800138000,50,快,{note}\n"
    assert cells(text.encode(encoding)) == [(*ONE[:3], note)]


@pytest.mark.parametrize("odd", [b"\0", b"\0\0", b"\0" * 300, b"\x004\x005", b"\0a\0" * 200])
def test_zeros_that_tell_nothing_are_refused(odd: bytes) -> None:
    with pytest.raises(UnreadableSheet, match="characters can't be read"):
        cells(f"{HEADER}{LINE}".encode() + odd + LINE.encode())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "，", "；", "｜"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_separator_and_line_ending_is_understood(separator: str, ending: str) -> None:
    text = (HEADER + LINE + LINE).replace(",", separator).replace("\n", ending)
    assert cells(text) == [ONE, ONE]


def test_the_line_that_announces_the_separator_is_no_row() -> None:
    [row] = rows("sep=;\n手机号;面值\n13800138000;50\n")
    assert (row.line, row.cells["face_value"]) == (2, "50")


def test_columns_come_in_any_order_and_under_any_of_their_titles() -> None:
    text = "序号,备注,金额（元）,*手机号码：,姓名\n1,VIP,100,13800138000,某人\n"
    assert cells(text) == [("13800138000", "100", "", "VIP")]
    assert cells("NOTE,Face Value,Mobile\na,50,13800138000\n") == [("13800138000", "50", "", "a")]


def test_the_header_may_stand_below_a_title() -> None:
    [row] = rows("十一月手机充值名单,,\n制表日期,2026-11-01,\n\n手机号,面值,备注\n13800138000,50,\n")
    assert (row.line, row.cells["mobile"]) == (5, "13800138000")


def test_lines_are_numbered_as_the_spreadsheet_program_does() -> None:
    read = rows(HEADER + '1,50,,"two\nlines"\n\n,,,\n2,50,,\n')
    assert [(row.line, row.cells["mobile"]) for row in read] == [(2, "1"), (5, "2")]
    assert read[0].cells["note"] == "two\nlines"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("13800138000.0", "13800138000"),
        ("50.00", "50"),
        ("50.5", "50.5"),
        ("'13800138000", "13800138000"),
        ('"=""13800138000"""', "13800138000"),
        ('="013800138000"', "013800138000"),
        ("0013800", "0013800"),
        ("１３８００１３８０００", "13800138000"),
        ("　 13800138000\u00a0", "13800138000"),
        ("\u202d13800138000\u202c", "13800138000"),
        ("13800138000\t", "13800138000"),
        ("'=1+1", "=1+1"),
        ("-", "-"),
        ("50²", "50²"),
        ("你好，世界", "你好，世界"),
        ('"说""好"""', '说"好"'),
    ],
)
def test_marks_of_the_spreadsheet_program_are_taken_off(written: str, meant: str) -> None:
    [row] = rows(f"手机号,面值\n{written},50\n")
    assert (row.cells["mobile"], row.problems) == (meant, {})


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1.38E+10", "digits are gone"),
        ("1.38e10", "digits are gone"),
        ("'1.38E+10", "digits are gone"),
        ("=A1+1", "formula"),
        ("＝A1", "formula"),
        ("＝甲", "formula"),
        ("=HYPERLINK(1)", "formula"),
        ("1\x002", "unprintable"),
        ("1\x1b2", "unprintable"),
        ("x" * 1001, "too long"),
    ],
)
def test_what_is_spoiled_is_a_problem_of_its_row_alone(written: str, reason: str) -> None:
    good = "13800138000,50\n" * 100  # so that a zero byte is not at the beginning
    *others, row = rows(f"手机号,面值\n{good}{written},50\n")
    assert reason in row.problems["mobile"]
    assert set(row.problems) == {"mobile"}
    assert len(row.cells["mobile"]) <= 1000
    assert [other for other in others if other.problems] == []


@pytest.mark.parametrize(
    "total", ["合计,6850", "合 计：,6850", "总计(137笔),6850", "小计,6850", "Total,6850", "SUM:,=SUM(B1)"]
)
def test_totals_are_left_out(total: str) -> None:
    assert cells(f"手机号,面值\n13800138000,50\n{total}\n") == [("13800138000", "50", "", "")]
    assert cells(f"序号,手机号,面值\n1,13800138000,50\n{total.replace(',', ',,')}\n") == [("13800138000", "50", "", "")]


def test_a_bare_sum_never_becomes_a_row_without_a_problem() -> None:
    _first, total = rows("手机号,面值\n13800138000,50\n,6850\n")
    assert set(total.problems) == {"mobile"}


def test_a_total_with_a_number_of_its_own_is_flagged() -> None:
    _first, total = rows("序号,手机号,面值\n1,13800138000,50\n合计,137,6850\n")
    assert total.problems == {WHOLE_ROW: "This looks like a total."}


def test_a_note_about_a_total_is_only_a_note() -> None:
    [row] = rows(HEADER + "13800138000,50,,合计一百元\n")
    assert row.problems == {}


def test_short_rows_end_in_empty_cells() -> None:
    assert cells(HEADER + "13800138000,50\n") == [("13800138000", "50", "", "")]


def test_a_row_that_is_too_wide_is_a_problem() -> None:
    wide, padded = rows(HEADER + "13800138000,50,快,好的,谢谢\n13800138000,50,快,好的,,,\n")
    assert set(wide.problems) == {WHOLE_ROW}
    assert padded.problems == {}


@pytest.mark.parametrize(
    "text",
    [
        "13800138000\t50\t快\t好 的\n13900139000\t100\t\t\n",
        "13800138000,50,快,好 的\n13900139000,100\n",
        "13800138000，50，快，好 的\n13900139000,100\n",
        "13800138000；50；快；好 的\n\n13900139000；100\n",
    ],
)
def test_pasted_lines_without_a_header_are_the_columns_in_order(text: str) -> None:
    assert [tuple(row.cells.values()) for row in pasted(text)] == [
        ("13800138000", "50", "快", "好 的"),
        ("13900139000", "100", "", ""),
    ]


def test_pasted_lines_may_be_divided_by_blanks() -> None:
    assert [tuple(row.cells.values()) for row in pasted("13800138000 50　快\n13900139000  100")] == [
        ("13800138000", "50", "快", ""),
        ("13900139000", "100", "", ""),
    ]


def test_pasted_lines_may_be_numbers_alone() -> None:
    assert [row.cells["mobile"] for row in pasted("13800138000\n13900139000")] == ["13800138000", "13900139000"]


def test_pasted_lines_may_have_a_header_too() -> None:
    [row] = pasted("面值\t手机号\n50\t13800138000\n")
    assert (row.line, row.cells["mobile"], row.cells["face_value"]) == (2, "13800138000", "50")


def test_a_pasted_row_that_is_too_wide_is_a_problem() -> None:
    first, _second = pasted("138 0013 8000 50 快\n13900139000 50\n")
    assert set(first.problems) == {WHOLE_ROW}


def test_a_pasted_header_without_a_required_column_is_refused() -> None:
    with pytest.raises(UnreadableSheet, match="no column 面值"):
        pasted("手机号\t备注\n13800138000\t\n")
