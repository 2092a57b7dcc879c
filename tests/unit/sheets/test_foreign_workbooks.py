"""Workbooks of older and other programs: .xls, WPS' .et, .ods, read in a process that has limits."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZIP_STORED, ZipFile

import pytest
import xlwt

from portal.sheets import UnreadableSheet, foreign, open_sheet
from tests.unit.sheets.lists import COLUMNS

LIST: list[list[object]] = [["手机号", "面值", "备注"], ["13800138000", 50, "老客户"], [13800138001, "100", None]]
A_DAY = 45000
# Of a process of its own, since a child begins with the memory of who started it.
LAUNCHER = f"""
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run([sys.executable, "-I", {str(foreign._CHILD)!r}], stdin=sys.stdin, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, used.ru_maxrss, used.ru_utime + used.ru_stime, time.monotonic() - began)
"""
MEBIBYTE = 1024 * 1024


def xls(rows: Sequence[Sequence[object]], *, hidden_before: bool = False, top: int = 0, left: int = 0) -> bytes:
    """Return a workbook as Excel 97 to 2003 saves it, and WPS as .et."""
    book = xlwt.Workbook()
    if hidden_before:
        other = book.add_sheet("hidden")
        other.visibility = 1
        other.write(0, 0, "手机号")
    sheet = book.add_sheet("list")
    for y, row in enumerate(rows, top):
        for x, cell in enumerate(row, left):
            if cell is not None:
                style = xlwt.easyxf(num_format_str="YYYY-MM-DD" if cell == A_DAY else "General")
                sheet.write(y, x, cell, style)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods(rows: str) -> bytes:
    """Return an OpenDocument workbook with one sheet, whose rows are given as XML."""
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    content = (
        f'<office:document-content xmlns:office="{office}" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="a">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    buffer = BytesIO()
    with ZipFile(buffer, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", ZIP_STORED)
        file.writestr("META-INF/manifest.xml", manifest)
        file.writestr("content.xml", content)
    return buffer.getvalue()


def ods_row(*cells: str, repeated: int = 1) -> str:
    written = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{written}</table:table-row>'


HEADER = ods_row("手机号", "面值")


def repeated(rows: int, columns: int) -> bytes:
    """Return an OpenDocument that says of one cell how often it is repeated."""
    cell = f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="string"><text:p>x</text:p>'
    return ods(
        f'{HEADER}<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-cell></table:table-row>'
    )


def cells(content: bytes, file_name: str) -> list[tuple[int, str, str, str]]:
    rows = open_sheet(content, file_name=file_name, columns=COLUMNS).rows
    return [(row.line, row.cells["mobile"], row.cells["face_value"], row.cells["note"]) for row in rows]


def refusal(content: bytes, file_name: str = "list.xls") -> str:
    with pytest.raises(UnreadableSheet) as caught:
        cells(content, file_name)
    return str(caught.value)


@pytest.mark.parametrize("file_name", ["list.xls", "list.et", "list"])
def test_an_old_workbook_is_read_as_others_are(file_name: str) -> None:
    assert cells(xls(LIST), file_name) == [(2, "13800138000", "50", "老客户"), (3, "13800138001", "100", "")]


def test_rows_and_columns_keep_their_places() -> None:
    assert cells(xls(LIST, top=3, left=2), "list.xls")[0] == (5, "13800138000", "50", "老客户")


def test_hidden_sheets_are_not_looked_at() -> None:
    assert len(cells(xls(LIST, hidden_before=True), "list.xls")) == 2


def test_an_open_document_is_read_too() -> None:
    content = ods(HEADER + ods_row("13800138000", "50"))
    assert cells(content, "list.ods") == [(2, "13800138000", "50", "")]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [(1380013800.5, ""), (True, "true or false"), (A_DAY, "made a date"), (1.38e17, "digits are gone")],
)
def test_cells_are_judged_as_those_of_other_workbooks(cell: object, reason: str) -> None:
    [row] = open_sheet(xls([LIST[0], [cell, 50]]), file_name="list.xls", columns=COLUMNS).rows
    assert reason in row.problems.get("mobile", "")
    assert bool(reason) == bool(row.problems)
    if not reason:
        assert row.cells["mobile"] == "1380013800.5"


def test_a_person_is_told_what_the_format_hides() -> None:
    assert "hidden rows" in open_sheet(xls(LIST), file_name="list.xls", columns=COLUMNS).notice
    assert "named .xls" in open_sheet(ods(HEADER + HEADER), file_name="list.xls", columns=COLUMNS).notice


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (repeated(1_048_574, 16_384), "far too large"),
        (repeated(65_536, 200), "too large once unpacked"),
        (xls([LIST[0], LIST[1], *[[None]] * 65_530, [None] * 255 + ["x"]]), "too large once unpacked"),
    ],
)
def test_a_small_file_that_asks_for_much_costs_next_to_nothing(content: bytes, reason: str) -> None:
    """The first asks for 512 GiB in 5 kB."""
    assert len(content) < 4 * MEBIBYTE
    launched = subprocess.run(
        [sys.executable, "-c", LAUNCHER], input=content, capture_output=True, timeout=60, check=True
    )
    status, memory, processor, elapsed = map(float, launched.stdout.split())
    assert status
    assert memory * 1024 < 330 * MEBIBYTE
    assert processor < 5
    assert elapsed < 20
    assert reason in refusal(content, "list.xls")


def test_noise_is_damage() -> None:
    noise, good = Random(1), xls(LIST)
    assert "damaged" in refusal(good[:512])
    for _round in range(8):
        place = noise.randrange(512, len(good) - 600)
        with suppress(UnreadableSheet):  # any other error is one of ours
            cells(good[:place] + noise.randbytes(512) + good[place + 512 :], "list.xls")


def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(foreign, "_CHILD", slow)
    monkeypatch.setattr(foreign, "MAX_SECONDS", 0.2)
    assert "too long" in refusal(xls(LIST))


def test_a_process_that_computes_for_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    busy = tmp_path / "busy.py"
    limits = "resource.setrlimit(resource.RLIMIT_CPU, (1, 1)); resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    busy.write_text(f"import resource; {limits}\nwhile True:\n    pass\n")
    monkeypatch.setattr(foreign, "_CHILD", busy)
    assert refusal(xls(LIST))


def test_the_limits_are_set_before_anything_is_read() -> None:
    script = (
        "import runpy, resource; child = runpy.run_path('portal/sheets/foreign/child.py'); child['limit']();"
        "print(resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_CPU)[1],"
        "resource.getrlimit(resource.RLIMIT_FSIZE)[1], resource.getrlimit(resource.RLIMIT_CORE)[1])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [str(320 * MEBIBYTE), "20", str(256 * MEBIBYTE), "0"]
