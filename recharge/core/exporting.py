"""Sheets that leave the portal: who downloaded which rows is written down, with the hash of the very file."""

from collections.abc import Iterable, Mapping, Sequence

import structlog
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpResponseBase, QueryDict

from portal.web.downloads import Written, sheet_response
from recharge.choices import PortalEventKind

from .events import record_of_portal
from .masking import hide_numbers, hide_typed

Filter = Mapping[str, str | list[str]]
TYPED = "q"
"""The filter into which people type whatever they have."""
MAX_LISTED = 20
"""How many values of one filter are recorded."""

log = structlog.get_logger(__name__)


def export(
    name: str,
    kind: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    by: User,
    filters: Filter | None = None,
    about: Model | str = "",
) -> HttpResponseBase:
    """Answer with a sheet, as `sheet_response` does, and write down what was exported.

    Args:
        name: of the file, without its end, in ASCII.
        kind: CSV or XLSX.
        header: the titles of its columns.
        rows: read as they are needed.
        by: who downloads it.
        filters: by which its rows were found, see `filters_of`.
        about: what all of its rows belong to, such as a batch.
    """

    def written(file: Written) -> None:
        try:
            note_export(f"{name}.{kind}", file, columns=header, by=by, filters=filters, about=about)
        except Exception:  # Django drops what fails while a response is closed
            log.exception("export_not_written_down", file=f"{name}.{kind}", rows=file.rows, sha256=file.sha256)
            raise

    return sheet_response(name, kind, header, rows, written=written)


def note_export(
    file_name: str,
    file: Written,
    *,
    columns: Sequence[str],
    by: User,
    filters: Filter | None = None,
    about: Model | str = "",
) -> None:
    """Write down what was exported, in whatever form; the arguments are those of `export`."""
    details = {
        "file": file_name,
        "filter": dict(filters or {}),
        "rows": file.rows,
        "columns": [str(title) for title in columns],
        "sha256": file.sha256,
        "whole": file.whole,
    }
    record_of_portal(PortalEventKind.EXPORTED, actor=by, about=about, details=details)


def filters_of(asked: QueryDict, names: Iterable[str]) -> Filter:
    """Return what an address says of some filters, with the numbers in it masked.

    Args:
        asked: the address.
        names: the filters that the list knows; whatever else is in the address makes no difference to its rows.
    """
    found = {name: [value for value in asked.getlist(name) if value][:MAX_LISTED] for name in names}
    return {
        name: [hide_typed(value) if name == TYPED else hide_numbers(value) for value in values]
        for name, values in found.items()
        if values
    }
