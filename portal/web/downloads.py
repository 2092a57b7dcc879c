"""Sheets to download: any size, streamed in pieces, never in memory as a whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language, override

from portal.sheets import csv_stream, xlsx_file

CSV, XLSX = "csv", "xlsx"
CHUNK = 256 * 1024
_CSV_TYPE = "text/csv; charset=utf-8"
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetKind:
    """The end of a sheet's address; for `register_converter`."""

    regex = f"{CSV}|{XLSX}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a sheet."""

    rows: int
    """Without the header."""
    sha256: str
    """Of all bytes that were written, in hexadecimal digits."""
    whole: bool
    """Whether that is all of it; not where the reader broke off."""


def sheet_response(
    name: str,
    kind: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    written: Callable[[Written], object] | None = None,
) -> HttpResponseBase:
    """Answer with a sheet.

    Args:
        name: of the file, without its end, in ASCII.
        kind: CSV, which is sent while it is made, or XLSX, which is put together in a temporary file first.
        header: the titles of its columns.
        rows: read as they are needed; what they read from, they must give back themselves.
        written: told once what was written: an XLSX once it is made, a CSV once it is sent or the reader is gone.
    """
    counted = _Counted(_spoken(rows, get_language() or "en"))
    if kind == XLSX:
        file = xlsx_file(header, counted)
        if written:
            written(Written(counted.rows, _sha256(file), whole=True))
        return FileResponse(file, as_attachment=True, filename=f"{name}.{XLSX}", content_type=_XLSX_TYPE)
    pieces = csv_stream(header, counted)
    stream = _Told(pieces, counted, written) if written else pieces
    response = StreamingHttpResponse(stream, content_type=_CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}.{CSV}"'
    return response


class _Counted:
    """Rows that are counted while they are read."""

    def __init__(self, rows: Iterator[Sequence[object]]) -> None:
        self._remaining = rows
        self.rows = 0

    def __iter__(self) -> Iterator[Sequence[object]]:
        return self

    def __next__(self) -> Sequence[object]:
        row = next(self._remaining)
        self.rows += 1
        return row


class _Told:
    """Pieces of a file that tell what was written once they are closed, as Django does however a response ends."""

    def __init__(self, pieces: Iterator[bytes], counted: _Counted, written: Callable[[Written], object]) -> None:
        self._pieces, self._counted, self._written = pieces, counted, written
        self._hash = hashlib.sha256()
        self._whole = self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._whole = True
            raise
        self._hash.update(piece)
        return piece

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._written(Written(self._counted.rows, self._hash.hexdigest(), whole=self._whole))


def _sha256(file: IO[bytes]) -> str:
    """Return the hash of a file from its beginning, where it stands again afterwards."""
    digest = hashlib.sha256()
    while piece := file.read(CHUNK):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _spoken(rows: Iterable[Sequence[object]], language: str) -> Iterator[Sequence[object]]:
    """Render each row in a language: a stream is written after that of the request has been reset."""
    remaining = iter(rows)
    while True:
        with override(language):
            row = next(remaining, None)
        if row is None:
            return
        yield row
