"""The zip file around a workbook. Its directory is looked at before anything in it is unpacked."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from portal.sheets.errors import UnreadableSheet
from portal.sheets.kinds import encrypted

MAX_UNPACKED_BYTES = 150 * 1024 * 1024
MAX_PARTS = 2_000
# Real sheets shrink to a tenth or a thirtieth; deflate can do a thousandth, and small parts prove nothing.
MAX_RATIO = 150
RATIO_COUNTS_FROM = 1024 * 1024

_ENCRYPTED = 0x1
_OTHERS = ("word/", "ppt/", "visio/")


class Package:
    """The parts of a workbook by name. Opening one checks nothing any more: the directory was checked as a whole.

    A part whose directory entry lies about its size ends at that size, with an error.
    """

    def __init__(self, content: bytes) -> None:
        with damage_told():
            self._file = ZipFile(BytesIO(content))
            entries = self._file.infolist()
        _check(entries)
        self._names = {entry.filename.lower(): entry.filename for entry in entries}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    @contextmanager
    def part(self, name: str) -> Iterator[IO[bytes]]:
        """Open a part.

        Raises:
            UnreadableSheet: it is missing or damaged.
        """
        with damage_told(), self._file.open(self._names[name.lower()]) as file:
            yield file


@contextmanager
def damage_told() -> Iterator[None]:
    """Turn everything that a broken zip file makes Python raise into one refusal."""
    try:
        yield
    except UnreadableSheet:
        raise
    except (BadZipFile, zlib.error, struct.error, EOFError, LookupError, RuntimeError, OSError, ValueError) as error:
        raise UnreadableSheet(damaged()) from error


def damaged() -> str:
    """Say that a workbook is broken."""
    return _("The workbook is damaged. Open it in the spreadsheet program, save it as .xlsx anew and upload that.")


def too_large() -> str:
    """Say that a workbook is small only as long as it is packed."""
    return _("The workbook is too large once unpacked. Copy the list into a new, empty workbook.")


def _check(entries: list[ZipInfo]) -> None:
    names = Counter(entry.filename.lower() for entry in entries)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableSheet(encrypted())
    if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
        raise UnreadableSheet(_("Workbooks with macros are not taken. Save it as .xlsx and upload that."))
    if "[content_types].xml" not in names or "xl/workbook.bin" in names or any(map(_is_foreign, names)):
        raise UnreadableSheet(_("This is no .xlsx workbook. Save the list as .xlsx or CSV and upload that."))
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise UnreadableSheet(too_large())
    if any(map(_is_bomb, entries)):
        raise UnreadableSheet(_("The workbook unpacks to far more than it holds. Copy the list into a new workbook."))
    if max(names.values()) > 1 or any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries):
        raise UnreadableSheet(damaged())


def _is_foreign(name: str) -> bool:
    return name.startswith(_OTHERS)


def _is_bomb(entry: ZipInfo) -> bool:
    return entry.file_size > RATIO_COUNTS_FROM and entry.file_size > MAX_RATIO * entry.compress_size
