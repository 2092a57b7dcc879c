"""The rows of workbooks of older and other programs: .xls (97-2003), WPS' .et, .ods."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils.translation import gettext as _

from portal.sheets import cells
from portal.sheets.cells import EMPTY, Cell
from portal.sheets.errors import UnreadableSheet
from portal.sheets.kinds import encrypted
from portal.sheets.limits import MAX_SHEET_ROWS
from portal.sheets.packages import damaged, too_large
from portal.sheets.rows import RawRow
from portal.sheets.worksheet import is_date

MAX_SECONDS = 60  # that a person waits; the process may use fewer of the processor's
_CHILD = Path(__file__).with_name("child.py")
_PASSWORD = 3
_OUT_OF_MEMORY = (-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGXFSZ)
_OUT_OF_TIME = -signal.SIGXCPU


class _Number(str):
    """A number as it is written."""


def foreign_sheets(content: bytes) -> Iterator[Iterator[RawRow]]:
    """Yield the rows of each visible sheet that has any, read by a process that can take no more than its limits.

    Raises:
        UnreadableSheet: the workbook is damaged, protected, or needs more than the limits.
    """
    with TemporaryFile() as given, TemporaryFile() as found:
        given.write(content)
        given.seek(0)
        _run(given, found)
        for number in _numbers(found):
            yield _rows(found, number)


def _run(given: IO[bytes], found: IO[bytes]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a script of ours; the workbook is only its input
            [sys.executable, "-I", str(_CHILD)],
            stdin=given,
            stdout=found,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableSheet(_too_slow()) from None
    if done.returncode == _PASSWORD:
        raise UnreadableSheet(encrypted())
    if done.returncode == _OUT_OF_TIME:
        raise UnreadableSheet(_too_slow())
    if done.returncode in _OUT_OF_MEMORY:
        raise UnreadableSheet(too_large())
    if done.returncode:
        raise UnreadableSheet(
            _(
                "The workbook is damaged, or far too large. "
                "Copy the list into a new one, save it as .xlsx and upload that."
            )
        )


def _too_slow() -> str:
    return _("The workbook takes too long to read. Save it as .xlsx and upload that.")


def _numbers(found: IO[bytes]) -> list[int]:
    """Return the numbers of the sheets that have rows; most workbooks have one."""
    numbers: list[int] = []
    for number, _line, _cells in _written(found):
        if not numbers or numbers[-1] != number:
            numbers.append(number)
    return numbers


def _rows(found: IO[bytes], wanted: int) -> Iterator[RawRow]:
    for number, line, row in _written(found):
        if number == wanted:
            yield RawRow(line, [_cell(value) for value in row])


def _written(found: IO[bytes]) -> Iterator[tuple[int, int, list[Any]]]:
    place = 0
    while True:
        found.seek(place)  # several may read at once
        text = found.readline()
        if not text:
            return
        place = found.tell()
        number, line, row = json.loads(text, parse_float=_Number, parse_constant=_Number)
        if not 0 < line <= MAX_SHEET_ROWS:
            raise UnreadableSheet(damaged())
        yield number, line, row


def _cell(value: Any) -> Cell:
    if value is None:
        return EMPTY
    if isinstance(value, _Number):
        return cells.from_number(value)
    if isinstance(value, str):
        return cells.from_string(value)
    if isinstance(value, bool):
        return cells.from_truth(value)
    if isinstance(value, int):
        return cells.from_number(str(value))
    return str(value["date"]), is_date()
