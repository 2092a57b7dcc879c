"""Writes sheets for people: CSV as a stream, XLSX as a file. No cell can ever be a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.sheets.cells import is_marked_number, tidy
from portal.sheets.limits import MAX_SHEET_ROWS

CHUNK = 65_536  # characters
MAX_TEXT_LENGTH = 32_767  # characters that Excel takes in a cell; the rest is left out

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,11}(?:\.[0-9]{1,4})?", re.ASCII)
# Numbers to a spreadsheet program, which would drop zeros in front and digits after the 15th, or write 1.38E+11.
_LONG_NUMBER = re.compile(r"[0-9]{12,}|0[0-9]+|[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+", re.ASCII)
_EXECUTABLE = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'", "\t", "\r", "\n")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def csv_stream(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a CSV file piece by piece: UTF-8 with BOM, commas, CRLF, as Chinese Excel opens it with a double click.

    Numbers are `int` or `Decimal`, times are written as they are in Shanghai, `None` is an empty cell.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    for row in chain([header], rows):
        writer.writerow([_csv_cell(value) for value in row])
        if buffer.tell() >= CHUNK:
            yield _taken(buffer)
    yield _taken(buffer)


def xlsx_file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> IO[bytes]:
    """Return an XLSX workbook as a temporary file at its beginning; closing it deletes it.

    Texts are written as texts, so phone numbers keep every digit; numbers and times as in `csv_stream`. What
    doesn't fit on one sheet goes on in the next, under the same header.
    """
    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        workbook = Workbook(file, {"constant_memory": True})
        workbook.use_zip64()
        try:
            remaining = iter(rows)
            _fill(workbook.add_worksheet(), header, islice(remaining, MAX_SHEET_ROWS - 1))
            for row in remaining:
                following = chain([row], islice(remaining, MAX_SHEET_ROWS - 2))
                _fill(workbook.add_worksheet(), header, following)
        finally:
            workbook.close()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _plain(value: object) -> str | int | Decimal:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = value.astimezone(_SHANGHAI) if value.tzinfo else value
        return f"{local:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return value if value.is_finite() else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _UNWRITABLE.sub("\ufffd", str(value))


def _csv_cell(value: object) -> str:
    """Return the text of a cell.

    An apostrophe in front defuses what would be a formula. A number that must not become one gets a tab behind it:
    Excel then takes it for text and shows nothing of it, while the apostrophe would be seen, and ="…" would be a
    formula. Reading takes both off again.
    """
    plain = _plain(value)
    if not isinstance(plain, str):
        return f"{plain:f}" if isinstance(plain, Decimal) else str(plain)
    if _PLAIN_NUMBER.fullmatch(plain) and not _LONG_NUMBER.fullmatch(plain):
        return plain
    if plain.startswith(_EXECUTABLE) or tidy(plain).startswith(_EXECUTABLE):
        return f"'{plain}"
    return f"{plain}\t" if _LONG_NUMBER.fullmatch(plain) else plain


def _fill(sheet: Worksheet, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MAX_SHEET_ROWS}"})
    for line, row in enumerate(chain([header], rows)):
        for column, value in enumerate(row):
            _write(sheet, line, column, _plain(value))


def _write(sheet: Worksheet, line: int, column: int, plain: str | int | Decimal) -> None:
    if isinstance(plain, str):
        seen = tidy(plain)
        marked = f"'{seen}" if is_marked_number(seen) else plain
        sheet.write_string(line, column, marked[:MAX_TEXT_LENGTH])
    elif len(Decimal(plain).as_tuple().digits) <= 15:
        sheet.write_number(line, column, plain)
    else:
        sheet.write_string(line, column, f"{plain:f}" if isinstance(plain, Decimal) else str(plain))
