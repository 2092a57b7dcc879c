"""Sheets for people to take away: any size, in pieces, never in memory as a whole."""

from collections.abc import Iterable, Iterator, Sequence

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language, override

from portal.sheets import csv_stream, xlsx_file

CSV, XLSX = "csv", "xlsx"
_CSV_TYPE = "text/csv; charset=utf-8"
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetKind:
    """The end of a sheet's address; for `register_converter`."""

    regex = f"{CSV}|{XLSX}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def sheet_response(name: str, kind: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponseBase:
    """Answer with a sheet.

    Args:
        name: of the file, without its end, in ASCII.
        kind: CSV, which is sent while it is made, or XLSX, which is put together in a temporary file first.
        header: the titles of its columns.
        rows: read as they are needed; what they read from, they must give back themselves.
    """
    rows = _spoken(rows, get_language() or "en")
    if kind == XLSX:
        return FileResponse(
            xlsx_file(header, rows), as_attachment=True, filename=f"{name}.{XLSX}", content_type=_XLSX_TYPE
        )
    response = StreamingHttpResponse(csv_stream(header, rows), content_type=_CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}.{CSV}"'
    return response


def _spoken(rows: Iterable[Sequence[object]], language: str) -> Iterator[Sequence[object]]:
    """Make each row in a language: a stream is written when the request's own is over."""
    remaining = iter(rows)
    while True:
        with override(language):
            row = next(remaining, None)
        if row is None:
            return
        yield row
