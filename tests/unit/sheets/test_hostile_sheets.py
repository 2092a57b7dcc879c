"""Whatever comes in, what comes out is rows or one refusal, and soon."""

import tracemalloc
from datetime import timedelta
from zipfile import ZIP_STORED

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.sheets import UnreadableSheet, csv_stream, read, xlsx_file
from tests.unit.sheets.lists import COLUMNS, HEADER, MAIN, TITLES, package, parts, worksheet

GOOD = '<row r="2"><c r="A2"><v>13800138000</v></c><c r="B2"><v>50</v></c></row>'
SHEET = "xl/worksheets/sheet1.xml"
SOON = timedelta(seconds=10)
NAMES = st.sampled_from(["", "list", "list.csv", "list.xlsx", "list.xls", "../\0.csv"])
ROWS = [("13800138000", 50, "快", "a"), ("0138", 100, "", '"b"\n'), ("=1", 0, "慢", "")]
CSV = b"".join(csv_stream(["手机号", "面值", "快慢", "备注"], ROWS))
with xlsx_file(["手机号", "面值", "快慢", "备注"], ROWS) as _file:
    XLSX = _file.read()
PARTS = parts(
    worksheet(f'{TITLES}<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="1"><f>1</f><v>50</v></c></row>'),
    texts="<si><r><t>138</t></r><rPh><t>x</t></rPh></si>",
    styles='<numFmts><numFmt numFmtId="164" formatCode="yy"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs>',
)
CELLS = st.sampled_from(
    ["手机号", "面值", "合计", "13800138000", "1E5", "=1", '"', "'", "\0", "\n", ",", "\t", ";", "\ufeff"]
)
TAGS = "<row> </row> <c> </c> <v> </v> <is> </is> <t> </t> <f/> <rPh> </rPh> <x:c/> <!-- --> <![CDATA[ ]]> &amp; &x;"
MARKUP = st.sampled_from([*TAGS.split(), '<c t="s">', '<c r="C1">', '<row r="9">', "手机号", "面值", "7"])
Edits = list[tuple[float, bytes, bool]]
EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.booleans()), min_size=1, max_size=8)


def outcome(content: bytes, file_name: str) -> int | str:
    """Return how many rows there are, or why there are none; anything else fails the test."""
    count = 0
    try:
        for row in read(content, file_name=file_name, columns=COLUMNS):
            assert set(row.cells) == {"mobile", "face_value", "speed", "note"}
            assert set(row.problems) <= {*row.cells, ""}
            assert all(len(text) <= 1_000 for text in row.cells.values())
            assert row.line > 0
            count += 1
    except UnreadableSheet as refusal:
        return str(refusal)
    return count


def edited(content: bytes, edits: Edits) -> bytes:
    """Return `content` with bytes overwritten, or put in between, at some places."""
    for where, what, instead in edits:
        place = int(where * len(content))
        content = content[:place] + what + content[place + (len(what) or 1) * instead :]
    return content


@settings(deadline=SOON, max_examples=300)
@given(st.binary(max_size=2_000), NAMES)
@example(b"PK\x05\x06" + bytes(18), "list.xlsx")
@example(b"\xff\xfe\x00\xd8", "list.csv")
def test_bytes_of_any_kind_end_well(content: bytes, file_name: str) -> None:
    outcome(content, file_name)


@settings(deadline=SOON, max_examples=300)
@given(st.lists(st.one_of(CELLS, st.text(max_size=5)), max_size=60), st.sampled_from(["", "list.csv"]))
def test_texts_of_any_kind_end_well(pieces: list[str], file_name: str) -> None:
    outcome((HEADER + "".join(pieces)).encode("utf-8", "replace"), file_name)
    outcome("".join(pieces).encode("utf-16", "replace"), file_name)


@settings(deadline=SOON, max_examples=300)
@given(EDITS)
def test_a_damaged_csv_ends_well(edits: Edits) -> None:
    outcome(edited(CSV, edits), "list.csv")


@settings(deadline=SOON, max_examples=300)
@given(EDITS)
def test_a_damaged_workbook_ends_well(edits: Edits) -> None:
    outcome(edited(XLSX, edits), "list.xlsx")


@settings(deadline=SOON, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(PARTS)), EDITS)
def test_damaged_parts_of_a_whole_package_end_well(name: str, edits: Edits) -> None:
    original = PARTS[name]
    damaged = edited(original.encode() if isinstance(original, str) else original, edits)
    outcome(package({**PARTS, name: damaged}), "list.xlsx")


@settings(deadline=SOON, max_examples=300)
@given(st.lists(MARKUP, max_size=60))
def test_markup_in_any_order_ends_well(pieces: list[str]) -> None:
    outcome(package({**PARTS, SHEET: worksheet("".join(pieces))}), "list.xlsx")
    outcome(package({**PARTS, "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(pieces)}</sst>'}), "list.xlsx")


def test_what_was_damaged_above_is_read_when_whole() -> None:
    assert [outcome(CSV, "list.csv"), outcome(XLSX, "list.xlsx"), outcome(package(PARTS), "list.xlsx")] == [3, 3, 1]


@pytest.mark.parametrize(
    ("part", "content", "expected"),
    [
        (SHEET, worksheet(f'{TITLES}<row r="2">{"<c/>" * 4_000_000}</row>'), "The workbook is damaged"),
        (SHEET, worksheet(TITLES + GOOD).replace("<sheetData>", "<a/>" * 300_000 + "<sheetData>"), "1"),
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"><fonts>{"<font/>" * 150_000}</fonts></styleSheet>', "1"),
    ],
    ids=["an endless row", "much before the rows", "countless fonts"],
)
def test_markup_that_would_become_many_objects_costs_no_memory(part: str, content: str, expected: str) -> None:
    hostile = package({**parts(worksheet(TITLES + GOOD)), part: content}, ZIP_STORED)  # no bomb by its ratio
    tracemalloc.start()
    try:
        found = outcome(hostile, "list.xlsx")
        _now, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(found).startswith(expected)
    # What is measured holds a copy of the upload at most, and a few pieces of it.
    assert highest < len(hostile) + 2 * 1024 * 1024
