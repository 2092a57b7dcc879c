"""Reads the sheets that people make and writes sheets for people, with nothing in them that runs.

Read are CSV and XLSX, and .xls, .et and .ods by a process that has limits; written are CSV and XLSX.

    from portal.sheets import Column, UnreadableSheet, read

    columns = (Column("mobile", ("手机号",), required=True), Column("face_value", ("面值",), required=True))
    try:
        for row in read(upload.read(), file_name=upload.name, columns=columns):
            row.line, row.cells["mobile"], row.problems
    except UnreadableSheet as refusal:      # may come after rows have come: act on none before the end
        print(refusal)

    response.streaming_content = csv_stream(("手机号", "面值"), rows)

Nothing is loaded whole but the upload itself. Of Django only the translations are needed.
"""

from portal.sheets.columns import Column
from portal.sheets.errors import UnreadableSheet
from portal.sheets.kinds import kind_of
from portal.sheets.layout import WIDEST_PROPOSED, ColumnsUnsure, Layout, letter_of
from portal.sheets.limits import MAX_FILE_BYTES, MAX_ROWS
from portal.sheets.reading import WHOLE_ROW, Row, Sheet, open_sheet, read
from portal.sheets.text import decoded, is_table
from portal.sheets.writing import csv_stream, xlsx_file

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_ROWS",
    "WHOLE_ROW",
    "WIDEST_PROPOSED",
    "Column",
    "ColumnsUnsure",
    "Layout",
    "Row",
    "Sheet",
    "UnreadableSheet",
    "csv_stream",
    "decoded",
    "is_table",
    "kind_of",
    "letter_of",
    "open_sheet",
    "read",
    "xlsx_file",
]
