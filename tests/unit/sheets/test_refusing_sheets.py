"""What is no list is refused as a whole, with a reason and a way out."""

from io import BytesIO
from random import Random
from zipfile import ZipFile

import pytest
from django.utils import translation

from portal.sheets import MAX_FILE_BYTES, UnreadableSheet, limits, open_sheet, reading, xlsx_file
from tests.unit.sheets.lists import COLUMNS, HEADER, TITLES, package, parts, pasted, rows, worksheet

GOOD = '<row r="2"><c r="A2"><v>13800138000</v></c><c r="B2"><v>50</v></c></row>'
XLSX = package(parts(worksheet(TITLES + GOOD)))
# Texts that hardly shrink below a hundredth, and one character in each that makes Python keep all in four bytes.
NOISE = Random(1)
HOARD = "".join(f"<si><t>{NOISE.randbytes(60).hex()}{'x' * 7_870}\U0001f600</t></si>" for _text in range(3_200))
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
CSV = (HEADER + "13800138000,50,,\n").encode()


def refusal(content: bytes, file_name: str) -> str:
    with pytest.raises(UnreadableSheet) as caught:
        rows(content, file_name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "file_name", "reason"),
    [
        (b"", "list.csv", "empty"),
        (b"\xef\xbb\xbf \r\n\x00", "list.csv", "empty"),
        (b"x" * (MAX_FILE_BYTES + 1), "list.csv", "too large: 20 MB"),
        (OLE2, "list.xls", "damaged"),
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), "list.xlsx", "password"),
        (b"%PDF-1.7", "list.pdf", "Only sheets"),
        (b"\x89PNG\r\n", "list.png", "Only sheets"),
        (b"\xff\xd8\xff\xe0", "list.csv", "Only sheets"),
        (b"Rar!\x1a", "list.rar", "Only sheets"),
        (CSV, "list.doc", "Only sheets"),
        (b"<html><table>", "list.xls", "web page"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "list.xls", "web page"),
        (XLSX, "list.xlsm", "macros"),
        (b"\x80\xff\xff\xff\x81" * 100, "list.csv", "characters can't be read"),
        (b"\x01\x00\x02\x00\x00\x00" * 300, "list.csv", "characters can't be read"),
        ("手机号\n".encode("utf-16")[:-1], "list.csv", "characters can't be read"),
        (b"mobile,amount\n", "list.csv", "no rows"),
        (b"mobile,amount\n,\n\n", "list.csv", "no rows"),
        ("合计,面值\n13800138000,50\n".encode(), "list.csv", "no column 手机号"),
        (b"13800138000,50\n", "list.csv", "must name the columns: 手机号, 面值"),
        ("手机号,面值,金额\n1,2,3\n".encode(), "list.csv", "Several columns could be 面值: 面值, 金额"),
        ('手机号,面值\n1,2\n"3,4\n5,6\n'.encode(), "list.csv", "From line 3 on, quotation marks"),
        (b"mobile,amount\n" + b"x" * 300_000, "list.csv", "too long"),
        (b"mobile,amount\n" + b'"a\n",' * 300_000, "list.csv", "too long"),
        (b"mobile,amount\n" + b"\n" * 1_048_576, "list.csv", "more lines than a sheet can have"),
        (b"mobile,amount\n" + b"," * 20_000, "list.csv", "Line 2 has too many cells"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(content: bytes, file_name: str, reason: str) -> None:
    assert reason in refusal(content, file_name)


def test_nothing_pasted_is_refused() -> None:
    with pytest.raises(UnreadableSheet, match="nothing in it"):
        pasted(" \n")


@pytest.mark.parametrize(
    ("content", "file_name", "notice"),
    [
        (CSV, "list.xlsx", "named .xlsx, but its content is CSV"),
        (CSV, "list.xls", "named .xls, but its content is CSV"),
        (XLSX, "list.csv", "named .csv, but its content is XLSX"),
        (XLSX, "list.xls", "named .xls, but its content is XLSX"),
        (XLSX, "list.xlsx", ""),
        (CSV, "list.TXT", ""),
    ],
)
def test_a_file_is_read_as_what_it_is_and_says_so_where_its_name_lies(
    content: bytes, file_name: str, notice: str
) -> None:
    sheet = open_sheet(content, file_name=file_name, columns=COLUMNS)
    assert [row.cells["mobile"] for row in sheet.rows] == ["13800138000"]
    assert notice in sheet.notice
    assert bool(notice) == bool(sheet.notice)


@pytest.mark.parametrize("file_name", ["list.xlsx", "LIST.XLSX", "list"])
def test_a_workbook_is_taken_under_its_own_name_or_none(file_name: str) -> None:
    assert len(rows(XLSX, file_name)) == 1


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 1_000)
    assert len(rows(HEADER + "\n".join(["13800138000,50,,\n"] * 1_000))) == 1_000
    assert "more than 1,000 rows" in refusal((HEADER + "13800138000,50,,\n" * 1_001).encode(), "list.csv")
    assert limits.MAX_ROWS == 100_000


def test_the_refusal_is_in_the_language_of_the_user() -> None:
    with translation.override("zh-hans"):
        assert refusal(b"%PDF", "list.csv").startswith("这里只能读取表格：")


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"xl/vbaProject.bin": b"x"}, "macros"),
        ({"xl/macrosheets/sheet1.xml": b"x"}, "macros"),
        ({"xl/workbook.bin": b"x"}, "no .xlsx workbook"),
        ({"word/document.xml": b"x"}, "no .xlsx workbook"),
        ({f"xl/{number}": b"" for number in range(2_001)}, "too large once unpacked"),
        ({"xl/bomb": bytes(5_000_000)}, "far more than it holds"),
        ({"xl/bomb": bytes(151 * 1024 * 1024)}, "too large once unpacked"),
        ({"xl/sharedStrings.xml": f"<sst>{HOARD}</sst>".encode()}, "too large once unpacked"),
        ({"xl/workbook.xml": b"<workbook>"}, "damaged"),
        ({"xl/workbook.xml": b"<workbook/>"}, "no visible sheet"),
        ({"_rels/.rels": b"<Relationships/>"}, "damaged"),
        ({"xl/worksheets/sheet1.xml": b"<worksheet/>"}, "must name the columns"),
    ],
)
def test_a_workbook_is_judged_by_its_parts(extra: dict[str, bytes], reason: str) -> None:
    assert reason in refusal(package({**parts(worksheet(TITLES + GOOD)), **extra}), "list.xlsx")


def test_other_packages_and_bare_archives_are_refused() -> None:
    opendocument = package({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"})
    assert "no .xlsx workbook" in refusal(opendocument, "list.xlsx")
    assert "no .xlsx workbook" in refusal(opendocument, "list.ods")
    assert "no .xlsx workbook" in refusal(package({"list.csv": CSV}), "list.xlsx")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # of the library that makes it
def test_a_part_that_is_there_twice_is_damage() -> None:
    buffer = BytesIO(XLSX)
    with ZipFile(buffer, "a") as file:
        file.writestr("XL/worksheets/sheet1.xml", worksheet(TITLES + GOOD.replace("138", "139")))
        file.writestr("xl/worksheets/sheet1.xml", worksheet(TITLES + GOOD.replace("138", "139")))
    assert "damaged" in refusal(buffer.getvalue(), "list.xlsx")


def test_an_encrypted_part_is_refused() -> None:
    flagged = bytearray(XLSX)
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in refusal(bytes(flagged), "list.xlsx")


@pytest.mark.parametrize("length", [4, 100, 1_000])
def test_a_workbook_that_was_cut_off_is_damaged(length: int) -> None:
    assert "damaged" in refusal(XLSX[:length], "list.xlsx")


@pytest.mark.parametrize(
    "sheet",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>',
        "<a>" * 50_000,
        worksheet(f"{TITLES}{GOOD}<!--{'x' * 2_000_000}-->"),
        worksheet('<row r="0"/>'),
        worksheet('<row r="1048577"/>'),
        worksheet('<row r="2"/><row r="2"/>'),
        worksheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'),
        worksheet('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>'),
        worksheet('<row r="1"><c r="1"><v>1</v></c></row>'),
        worksheet('<row r="1"><c t="s"><v>7</v></c></row>'),
        worksheet('<row r="1"><c t="s"><v>-1</v></c></row>'),
        worksheet("<row>" + "<c/>" * 16_385 + "</row>"),
        '<?xml version="1.0" encoding="no-such"?><worksheet/>',
    ],
)
def test_hostile_markup_is_damaged_and_costs_nothing(sheet: str) -> None:
    contents = package(parts(sheet), compression=0)  # stored: not even suspicious by its ratio
    assert "damaged" in refusal(contents, "list.xlsx")


def test_cells_far_apart_cost_nothing() -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    read = rows(package(parts(worksheet(TITLES + GOOD + far))), "list.xlsx")
    assert [row.line for row in read] == [2]


def test_a_workbook_of_ours_is_no_bomb_even_if_all_rows_are_alike() -> None:
    with xlsx_file(["手机号", "面值"], [["13800138000", 50]] * 20_000) as file:
        assert len(rows(file.read(), "list.xlsx")) == 20_000
