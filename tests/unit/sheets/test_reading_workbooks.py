"""What is read of XLSX workbooks, cell by cell."""

import pytest

from portal.sheets import WHOLE_ROW
from tests.unit.sheets.lists import TITLES, listed, package, parts, rows, worksheet


def only(cell: str, **around: str) -> tuple[str, str]:
    """Return text and problem of a cell in the column of the mobile numbers."""
    [row] = listed(f'<row r="2">{cell}<c r="B2"><v>50</v></c></row>', **around)
    return row.cells["mobile"], row.problems.get("mobile", "")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A2"><v>13800138000</v></c>', "13800138000"),
        ('<c r="A2"><v>13800138000.0</v></c>', "13800138000"),
        ('<c r="A2"><v>1.3800138E10</v></c>', "13800138000"),
        ('<c r="A2"><v>123456789012345</v></c>', "123456789012345"),
        ('<c r="A2"><v>0.30000000000000004</v></c>', "0.3"),
        ('<c r="A2"><v>1E-3</v></c>', "0.001"),
        ('<c r="A2" t="n"><v>-5</v></c>', "-5"),
        ('<c r="A2" t="str"><f>"138"</f><v>138</v></c>', "138"),
        ('<c r="A2"><f>A1*2</f><v>100</v></c>', "100"),
        ('<c r="A2" t="inlineStr"><is><t>１３８</t></is></c>', "138"),
        ('<c r="A2" t="inlineStr"><is><t>\'138</t></is></c>', "138"),
        ('<c r="A2" t="inlineStr"><is><t>\'a</t></is></c>', "'a"),
        ('<c r="A2" t="inlineStr"><is><t>=1+1</t></is></c>', "=1+1"),
        ('<c r="A2" t="inlineStr"><is><t>a_x000D_b</t></is></c>', "a\rb"),
        ('<c r="A2" t="inlineStr"><is><r><t>13</t></r><r><t>8</t></r></is></c>', "138"),
        ('<c t="inlineStr"><is><t>138</t></is></c>', "138"),
    ],
)
def test_cells_are_read_as_people_see_them(cell: str, text: str) -> None:
    assert only(cell) == (text, "")


@pytest.mark.parametrize(
    ("cell", "text", "reason"),
    [
        ('<c r="A2"><v>1.000110000012345E+18</v></c>', "1.000110000012345E+18", "digits are gone"),
        ('<c r="A2"><v>1000000000000000</v></c>', "1000000000000000", "digits are gone"),
        ('<c r="A2" t="inlineStr"><is><t>1.38E+10</t></is></c>', "1.38E+10", "digits are gone"),
        ('<c r="A2"><v>many</v></c>', "many", "can't be read"),
        ('<c r="A2" t="e"><v>#N/A</v></c>', "#N/A", "error"),
        ('<c r="A2" t="b"><v>1</v></c>', "TRUE", "true or false"),
        ('<c r="A2" t="d"><v>2026-11-25</v></c>', "2026-11-25", "date"),
        ('<c r="A2"><f>NOW()</f></c>', "=", "no result"),
        ('<c r="A2" t="inlineStr"><is><t>a_x0007_</t></is></c>', "a\ufffd", "unprintable"),
        (f'<c r="A2" t="inlineStr"><is><t>{"x" * 1_001}</t></is></c>', "x" * 1_000, "too long"),
        (f'<c r="A2" t="inlineStr"><is><t>{"x" * 300_000}</t></is></c>', "x" * 1_000, "too long"),
    ],
)
def test_what_is_no_text_and_no_exact_number_is_a_problem(cell: str, text: str, reason: str) -> None:
    read, problem = only(cell)
    assert read == text
    assert reason in problem


@pytest.mark.parametrize(
    ("form", "is_date"),
    [
        ('<xf numFmtId="14"/>', True),
        ('<xf numFmtId="31"/>', True),
        ('<xf numFmtId="164"/>', True),
        ('<xf numFmtId="165"/>', False),
        ('<xf numFmtId="0"/>', False),
        ('<xf numFmtId="3"/>', False),
    ],
)
def test_dates_are_told_by_their_format(form: str, is_date: bool) -> None:
    formats = '<numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>'
    formats += '<numFmt numFmtId="165" formatCode="[Red]0.00&quot;days&quot;"/>'
    styles = f'<numFmts>{formats}</numFmts><cellXfs><xf numFmtId="0"/>{form}</cellXfs>'
    text, problem = only('<c r="A2" s="1"><v>45986</v></c>', styles=styles)
    assert (text, "date" in problem) == (("2025-11-25", True) if is_date else ("45986", False))


def test_shared_texts_leave_out_how_they_are_pronounced() -> None:
    texts = "<si><t>138</t></si><si><r><t>1</t></r><r><t>39</t></r><rPh><t>yi</t></rPh></si>"
    assert only('<c r="A2" t="s"><v>1</v></c>', texts=texts) == ("139", "")


def test_prefixes_of_names_make_no_difference() -> None:
    sheet = worksheet(TITLES + '<row r="2"><c r="A2"><v>138</v></c><c r="B2"><v>50</v></c></row>')
    for name in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
        sheet = sheet.replace(f"<{name}>", f"<x:{name}>").replace(f"<{name} ", f"<x:{name} ")
        sheet = sheet.replace(f"</{name}>", f"</x:{name}>")
    sheet = sheet.replace("xmlns=", "xmlns:x=")
    assert [row.cells["mobile"] for row in rows(package(parts(sheet)), "a.xlsx")] == ["138"]


def test_rows_keep_the_numbers_of_the_spreadsheet_program() -> None:
    read = listed('<row r="7"><c r="A7"><v>1</v></c></row><row/><row r="12"><c r="B12"><v>5</v></c></row>')
    assert [row.line for row in read] == [7, 12]
    assert set(read[1].problems) == {"mobile"}


def test_a_hidden_row_is_a_problem() -> None:
    [row] = listed('<row r="2" hidden="1"><c r="A2"><v>1</v></c><c r="B2"><v>50</v></c></row>')
    assert row.problems == {WHOLE_ROW: "This row is hidden in the sheet."}


def test_remarks_beside_the_list_do_not_matter() -> None:
    [row] = listed('<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>50</v></c><c r="K2"><v>9</v></c></row>')
    assert row.problems == {}


def test_the_first_visible_sheet_with_the_header_is_read() -> None:
    def sheet(number: int) -> str:
        return worksheet(f'{TITLES}<row r="2"><c r="A2"><v>{number}</v></c><c r="B2"><v>50</v></c></row>')

    summary = worksheet('<row r="1"><c r="A1" t="inlineStr"><is><t>备注</t></is></c></row>')
    workbook = parts(sheet(1), summary, sheet(3), sheet(4), states=("hidden", "visible", "visible", "visible"))
    assert [row.cells["mobile"] for row in rows(package(workbook), "a.xlsx")] == ["3"]
