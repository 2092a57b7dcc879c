"""What is read of XLSX workbooks, cell by cell."""

import pytest

from portal.sheets import WHOLE_ROW, Row, UnreadableSheet, open_sheet
from tests.unit.sheets.lists import COLUMNS, TITLES, listed, package, parts, rows, worksheet


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


def test_a_hidden_column_is_a_problem_where_it_is_read() -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>50</v></c><c r="K2"><v>9</v></c></row>'
    sheet = worksheet(TITLES + row)
    for columns, problems in (('<col min="2" max="2" hidden="1"/>', 1), ('<col min="11" max="11" hidden="1"/>', 0)):
        hidden = sheet.replace("<sheetData>", f'<cols><col min="1" max="1"/>{columns}</cols><sheetData>')
        [read] = rows(package(parts(hidden)), "a.xlsx")
        assert read.problems == dict([("face_value", "This column is hidden in the sheet.")][:problems])


@pytest.mark.parametrize(("strike", "is_struck"), [("<strike/>", True), ('<strike val="0"/>', False), ("", False)])
def test_what_is_struck_out_is_a_problem(strike: str, is_struck: bool) -> None:
    styles = f'<fonts><font/><font>{strike}</font></fonts><cellXfs><xf fontId="0"/><xf fontId="1"/></cellXfs>'
    [row] = listed('<row r="2"><c r="A2" s="1"><v>1</v></c><c r="B2"><v>50</v></c></row>', styles=styles)
    assert row.problems == ({"mobile": "This is struck out in the sheet."} if is_struck else {})


def merged(*references: str, sheet_rows: str, prefix: str = "") -> list[Row]:
    """Return what is read of rows below the titles of which some cells are merged."""
    declared = "".join(f'<{prefix}mergeCell ref="{reference}"/>' for reference in references)
    sheet = worksheet(TITLES + sheet_rows)
    sheet = sheet.replace("</sheetData>", f"</sheetData><{prefix}mergeCells>{declared}</{prefix}mergeCells>")
    return rows(package(parts(sheet.replace("<worksheet", '<worksheet xmlns:x="x"'))), "a.xlsx")


def row_of(line: int, **cells: str) -> str:
    texts = "".join(f'<c r="{at}{line}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in cells.items())
    return f'<row r="{line}">{texts}</row>'


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_a_merged_value_is_never_taken_for_an_empty_one(prefix: str) -> None:
    lines = row_of(2, A="1", B="50", C="甲") + row_of(3, A="2") + row_of(4, A="3") + row_of(5, A="4", B="100")
    read = merged("B2:B4", "C2:C3", sheet_rows=lines, prefix=prefix)
    assert [(row.cells["face_value"], row.cells["note"]) for row in read] == [
        *(("50", "甲"), ("50", "甲"), ("50", ""), ("100", ""))
    ]
    assert [row.problems for row in read] == [
        {},
        *[{"face_value": "This cell is merged with one above: write “50” into each row."}] * 2,
        {},
    ]


def test_what_merged_cells_hide_is_not_read() -> None:
    lines = row_of(2, A="1", B="50", C="甲") + row_of(3, A="2", B="100", C="乙") + row_of(4, A="3", B="50")
    read = merged("B2:B3", "C2:C3", "D2:D3", sheet_rows=lines)
    assert [(row.cells["face_value"], row.cells["note"]) for row in read] == [("50", "甲"), ("50", "甲"), ("50", "")]
    assert [set(row.problems) for row in read] == [set(), {"face_value"}, set()]


def test_a_merged_number_is_ordered_once() -> None:
    read = merged("A2:A3", sheet_rows=row_of(2, A="1", B="50") + row_of(3, B="100"))
    assert [set(row.problems) for row in read] == [set(), {"mobile"}]


def test_rows_that_have_nothing_but_merged_cells_are_none() -> None:
    read = merged("B2:B9", "A3:C3", sheet_rows=row_of(2, A="1", B="50") + '<row r="3"/>')
    assert [row.line for row in read] == [2]


def test_what_is_merged_with_a_struck_cell_is_struck_out_too() -> None:
    styles = "<fonts><font/><font><strike/></font></fonts><cellXfs><xf fontId='0'/><xf fontId='1'/></cellXfs>"
    sheet = worksheet(
        TITLES + '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>50</v></c><c r="C2" s="1"><v>9</v></c></row>'
    )
    sheet = sheet.replace("</sheetData>", row_of(3, A="2", B="50") + '</sheetData><mergeCell ref="C2:C3"/>')
    read = rows(package(parts(sheet, styles=styles)), "a.xlsx")
    assert [set(row.problems) for row in read] == [{"note"}, {"note"}]


def test_merged_titles_belong_to_both_rows_of_a_header() -> None:
    titles = row_of(1, A="手机号", B="充值") + row_of(2, B="面值", C="备注") + row_of(3, A="1", B="50")
    sheet = worksheet(titles).replace("</sheetData>", '</sheetData><mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/>')
    [row] = rows(package(parts(sheet)), "a.xlsx")
    assert (row.line, row.cells["mobile"], row.cells["face_value"], row.problems) == (3, "1", "50", {})


def test_merged_cells_are_found_wherever_the_pieces_of_a_file_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = row_of(2, A="1", B="50") + row_of(13, A="2")
    for size in range(301, 340):
        monkeypatch.setattr("portal.sheets.merged.CHUNK", size)
        assert [bool(row.problems) for row in merged("B2:B13", "D2:D3", sheet_rows=lines)] == [False, True]


def test_more_merged_cells_than_any_list_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.sheets.merged.MAX_MERGED", 1)
    with pytest.raises(UnreadableSheet, match="too large"):
        merged("B2:B3", "C2:C3", sheet_rows=row_of(2, A="1", B="50"))


def test_remarks_beside_the_list_do_not_matter() -> None:
    [row] = listed('<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>50</v></c><c r="K2"><v>9</v></c></row>')
    assert row.problems == {}


def test_the_first_visible_sheet_with_the_header_is_read() -> None:
    def sheet(number: int) -> str:
        return worksheet(f'{TITLES}<row r="2"><c r="A2"><v>{number}</v></c><c r="B2"><v>50</v></c></row>')

    summary = worksheet('<row r="1"><c r="A1" t="inlineStr"><is><t>备注</t></is></c></row>')
    workbook = parts(sheet(1), summary, sheet(3), sheet(4), states=("hidden", "visible", "visible", "visible"))
    assert [row.cells["mobile"] for row in rows(package(workbook), "a.xlsx")] == ["3"]


@pytest.mark.parametrize(
    ("others", "count"),
    [(("list",), 1), (("list", "list"), 2), (("note", "list"), 1), (("note",), 0), (("titles",), 0), (("damaged",), 0)],
)
def test_lists_on_further_sheets_are_not_left_out_without_a_word(others: tuple[str, ...], count: int) -> None:
    row = '<row r="2"><c r="A2"><v>13800138000</v></c><c r="B2"><v>50</v></c></row>'
    sheets = {
        "list": worksheet(TITLES + row),
        "titles": worksheet(TITLES),
        "note": worksheet('<row r="1"><c r="A1" t="inlineStr"><is><t>说明</t></is></c></row>'),
        "damaged": "<worksheet><sheetData>",
    }
    content = package(parts(sheets["list"], *(sheets[other] for other in others)))
    opened = open_sheet(content, file_name="a.xlsx", columns=COLUMNS)
    assert len(list(opened.rows)) == 1
    assert opened.notice == (
        f"Only one sheet is read, and {count} more have a list: upload each of them by itself." if count else ""
    )
