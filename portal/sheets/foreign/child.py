"""Reads a workbook of an older or another program with python-calamine: a script in a process of its own.

The workbook comes on the standard input, its rows leave on the standard output, one JSON array each: the number of the
visible sheet, the line, the cells. The library makes a whole sheet of it, as wide and as high as its outermost cells,
before anything can be limited: so the process is. It imports nothing of the project, and its parent trusts nothing that
it writes.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

MAX_MEMORY = 320 * 1024 * 1024  # bytes, with the program itself; 65,536 rows of 30 columns take some 100 MB
MAX_SECONDS = 20  # of the processor
MAX_WRITTEN = 256 * 1024 * 1024  # bytes
MAX_SHEETS = 20
WIDEST = 256  # cells; lists are not that wide
MAX_TEXT_LENGTH = 8_000  # characters; one too long is told as such, one far too long need not be kept


def limit() -> None:
    """Give up what this process doesn't need, for good."""
    for kind, most in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_WRITTEN),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(kind, (most, most))


def main() -> int:
    """Return the exit status: 0, or 3 where a password is in the way."""
    limit()
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read()))
    except PasswordError:
        return 3
    visible = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]
    for number, name in enumerate(visible[:MAX_SHEETS]):
        sheet = workbook.get_sheet_by_name(name)
        first_line, first_column = sheet.start or (0, 0)
        for line, row in enumerate(sheet.to_python(skip_empty_area=True), first_line + 1):
            cells = [None] * first_column + [_written(cell) for cell in row[:WIDEST]]
            if any(cell is not None for cell in cells):
                print(json.dumps([number, line, cells[:WIDEST]], ensure_ascii=True))  # noqa: T201  (how it answers)
    return 0


def _written(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell[:MAX_TEXT_LENGTH] or None
    if isinstance(cell, datetime | date | time | timedelta):
        return {"date": str(cell).removesuffix(" 00:00:00")}
    return cell  # numbers, true and false


if __name__ == "__main__":
    sys.exit(main())
