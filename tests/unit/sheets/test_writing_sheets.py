"""What is written opens in a spreadsheet program as it was meant, and comes back as it went."""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.sheets import Column, csv_stream, read, writing, xlsx_file
from portal.sheets.cells import tidy
from tests.unit.sheets.lists import COLUMNS

TITLES = ("手机号", "面值", "备注")
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "  =1",
    "　=1",
    "'=1",
    "\tx",
    "\rx",
    "\nx",
    "＝甲",
]
PAIR = (Column("first", ("一",), required=True), Column("second", ("二",)))
# Texts that a person could have typed into one cell and that no cell is refused for, nor taken for a title.
TEXTS = (
    st.text(max_size=60)
    .map(tidy)
    .filter(lambda text: not re.fullmatch(r"[+-]?\d+(\.\d*)?\s?[eE]\s?[+-]?\d+", text))
    .filter(lambda text: not any(column.is_named(text) for column in PAIR))
)


def as_csv(*rows: object) -> bytes:
    return b"".join(csv_stream(TITLES, rows))  # type: ignore[arg-type]


def fields(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_xlsx(*rows: object) -> bytes:
    with xlsx_file(TITLES, rows) as file:  # type: ignore[arg-type]
        return file.read()


def sheet_xml(content: bytes, number: int = 1) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return file.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_csv_opens_with_a_double_click_in_chinese_excel() -> None:
    content = as_csv(("13800138000", 50, '说"好", 对'))
    assert content == '\ufeff手机号,面值,备注\r\n13800138000,50,"说""好"", 对"\r\n'.encode()


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_csv_is_a_formula(formula: str) -> None:
    [_header, [cell, _value, _note]] = fields(as_csv((formula, 1, "")))
    assert cell == f"'{formula}"


@pytest.mark.parametrize("formula", [*FORMULAS, "http://example.com", "{=1}", "file://x"])
def test_no_cell_of_xlsx_is_a_formula_or_a_link(formula: str) -> None:
    content = as_xlsx((formula, 1, ""))
    assert "<f" not in sheet_xml(content)
    assert "<hyperlink" not in sheet_xml(content)


@pytest.mark.parametrize("number", ["13800138000", "-5", "+86138", "12.50", "0", "0.5"])
def test_short_numbers_of_csv_stay_as_they_are(number: str) -> None:
    assert fields(as_csv((number, 1, "")))[1][0] == number


@pytest.mark.parametrize("number", ["100011000012345678", "013800138000", "00", "202611250001"])
def test_long_numbers_of_csv_are_kept_from_being_rounded(number: str) -> None:
    assert fields(as_csv((number, 1, "")))[1][0] == f"{number}\t"


def test_texts_that_are_numbers_stay_texts_in_xlsx() -> None:
    xml = sheet_xml(as_xlsx(("100011000012345678", 50, "")))
    assert '<c r="A2" t="inlineStr"><is><t>100011000012345678</t></is></c><c r="B2"><v>50</v></c>' in xml


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (50, "50"),
        (-5, "-5"),
        (10**15, "1000000000000000"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), "NaN"),
        (True, "True"),
        (dt.datetime(2026, 11, 25, 16, 30, tzinfo=dt.UTC), "2026-11-26 00:30:00"),
        (dt.datetime(2026, 11, 25, 16, 30), "2026-11-25 16:30:00"),
        (dt.date(2026, 11, 25), "2026-11-25"),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, written: str) -> None:
    assert fields(as_csv(("1", value, "")))[1][1] == written
    [row] = read(as_xlsx(("1", value, "")), file_name="a.xlsx", columns=COLUMNS)
    assert row.cells["face_value"] == ("12.5" if written == "12.50" else written)


def test_csv_is_a_stream() -> None:
    taken = 0

    def endless() -> Iterator[tuple[object, ...]]:
        nonlocal taken
        while True:
            taken += 1
            yield ("13800138000", 50, "x" * 100)

    stream = csv_stream(TITLES, endless())
    first = next(stream)
    next(stream)
    assert 60_000 < len(first) < 80_000
    assert taken < 2_000


def test_what_does_not_fit_on_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_SHEET_ROWS", 4)
    content = as_xlsx(*[(str(number), 50, "") for number in range(1, 8)])
    found = [re.findall(r'<c r="A\d" t="inlineStr"><is><t>(.+?)</t>', sheet_xml(content, sheet)) for sheet in (1, 2, 3)]
    assert found == [["手机号", "1", "2", "3"], ["手机号", "4", "5", "6"], ["手机号", "7"]]


def test_a_full_sheet_is_not_followed_by_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_SHEET_ROWS", 4)
    content = as_xlsx(*[(str(number), 50, "") for number in range(1, 4)])
    assert "xl/worksheets/sheet2.xml" not in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_rows_that_fail_leave_no_file_behind() -> None:
    def failing() -> Iterator[tuple[object, ...]]:
        yield ("1", 2, "")
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        xlsx_file(TITLES, failing())


@settings(max_examples=150)
@given(TEXTS, TEXTS)
@example("'=1", "''138")
@example("\ufeff", "1.0")
@example("_x000D_", "a\rb\n c")
@example("合计", "1")
@example("0", "007")
def test_texts_come_back_as_they_went(first: str, second: str) -> None:
    row = (f"字{first}", second)
    with xlsx_file(("一", "二"), [row]) as file:
        workbook = file.read()
    for content, name in ((b"".join(csv_stream(("一", "二"), [row])), "a.csv"), (workbook, "a.xlsx")):
        [back] = read(content, file_name=name, columns=PAIR)
        # What can't be written is replaced, and then read without complaint.
        meant = [tidy(writing._UNWRITABLE.sub("\ufffd", text)) for text in row]
        assert list(back.cells.values()) == meant
        assert back.problems == {}


@given(st.lists(st.tuples(st.integers(0, 10**15 - 1), st.decimals(0, 10**6, places=2)), min_size=1, max_size=20))
def test_numbers_come_back_as_they_went(values: list[tuple[int, Decimal]]) -> None:
    with xlsx_file(("一", "二"), values) as file:
        workbook = file.read()
    for content, name in ((b"".join(csv_stream(("一", "二"), values)), "a.csv"), (workbook, "a.xlsx")):
        back = [row.cells for row in read(content, file_name=name, columns=PAIR)]
        assert [(int(row["first"]), Decimal(row["second"])) for row in back] == values
