"""Rows of CSV, of Excel's "Unicode text" and of pasted lines, decoded and divided as a stream."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from itertools import islice

from django.utils.translation import gettext as _

from portal.sheets import cells
from portal.sheets.columns import Column, lacking, matching
from portal.sheets.errors import UnreadableSheet
from portal.sheets.limits import HEADER_WITHIN, MAX_COLUMNS, MAX_SHEET_ROWS
from portal.sheets.rows import RawRow

MAX_LINE_LENGTH = 262_144  # characters
BEGINNING = 65_536  # bytes in which a text shows its encoding
MAX_RECORD_LENGTH = 1_048_576  # characters of one row, over all its lines

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Between the cells. Blanks are what people type, so they count in pasted text only.
_SEPARATORS = ("\t", ",", ";", "|", "，", "；", "｜")
_TYPED_SEPARATORS = (" ",)
_FOLDS = {"，": ",", "；": ";", "｜": "|"}
_SOME_NUMBER = re.compile(r"[0-9０-９]{4}")
_ANNOUNCED = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def text_rows(content: bytes, *, pasted: bool, columns: Sequence[Column]) -> Iterator[RawRow]:
    """Yield the rows of a text, numbered as a spreadsheet program numbers them when it opens the text.

    Raises:
        UnreadableSheet: it is no text, or quotation marks or lines are such that rows can't be told apart.
    """
    encoding = _encoding(content)
    separator = _separator(content, encoding, pasted=pasted, columns=columns)
    # Excel's line "sep=;" is no row, so it isn't counted.
    skipped = 1 if _announced(content, encoding) else 0
    for number, record in enumerate(_records(content, encoding, separator)):
        if number >= skipped:
            yield RawRow(number + 1 - skipped, [cells.from_text(cell) for cell in record])


def decoded(content: bytes) -> str:
    """Return a text, whatever encoding it is in.

    Raises:
        UnreadableSheet: it is no text.
    """
    return content.decode(_encoding(content))


def is_table(content: bytes, *, columns: Sequence[Column]) -> bool:
    """Say whether a text has a header that says what its cells are: one that names the first required column.

    Words divided by blanks are one only where a required column is missing among them: lines below a header may have
    blanks within their numbers, and a header that names something else instead says that no value is there.
    """
    key = next((column for column in columns if column.required), columns[0])
    encoding = _encoding(content)
    separator = _separator(content, encoding, pasted=True, columns=columns)
    for record in _beginning(content, encoding, separator):
        found = matching([(cell, "") for cell in record], columns)
        if key.name in found and len(record) > 1:
            return separator != " " or bool(lacking(found, columns))
        if any(_SOME_NUMBER.search(cell) for cell in record):
            return False
    return False


def _encoding(content: bytes) -> str:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _proven(content, encoding)
    if b"\0" in content[:BEGINNING] and (encoding := _byte_order(content[:BEGINNING])):
        return _proven(content, encoding)
    if b"\0" in content[:1024]:
        raise UnreadableSheet(_no_text())
    return _proven(content, "utf-8", "gb18030")


def _byte_order(beginning: bytes) -> str:
    """Return the UTF-16 without a mark that a text is in, "" for neither: the one in which it has numbers.

    In the other order digits are Chinese characters, and a few of these, blanks among them, are digits.
    """
    little, big = (
        len(_SOME_NUMBER.findall(beginning.decode(encoding, "replace"))) for encoding in ("utf-16-le", "utf-16-be")
    )
    if little > 4 * big:
        return "utf-16-le"
    if big > 4 * little:
        return "utf-16-be"
    return ""


def _proven(content: bytes, *encodings: str) -> str:
    """Return the first of some encodings in which the whole content is valid."""
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(content), 65_536):
                decoder.decode(content[start : start + 65_536])
            decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        return encoding
    raise UnreadableSheet(_no_text())


def _no_text() -> str:
    return _("The characters can't be read. Save the sheet as .xlsx, or as CSV in UTF-8, and upload that.")


class _Lines:
    """The lines of a text; refuses those that would not end."""

    def __init__(self, content: bytes, encoding: str) -> None:
        self._text = TextIOWrapper(BytesIO(content), encoding=encoding, newline="")
        self.since_record = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(MAX_LINE_LENGTH + 1):
            self.since_record += len(line)
            if len(line) > MAX_LINE_LENGTH or self.since_record > MAX_RECORD_LENGTH:
                raise UnreadableSheet(_("A line is too long: this is no list, or a quotation mark is left open."))
            yield line


def _records(content: bytes, encoding: str, separator: str) -> Iterator[list[str]]:
    lines = _Lines(content, encoding)
    number = 0
    try:
        for number, record in enumerate(_divided(lines, separator), 1):
            lines.since_record = 0
            if number > MAX_SHEET_ROWS:
                raise UnreadableSheet(_("The sheet has more lines than a sheet can have, empty ones too: delete them."))
            if len(record) > MAX_COLUMNS:
                raise UnreadableSheet(_("Line %(line)s has too many cells.") % {"line": number})
            yield record
    except csv.Error:
        raise UnreadableSheet(
            _("From line %(line)s on, quotation marks don't match: complete or remove them.") % {"line": number + 1}
        ) from None


def _divided(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator == " ":
        return (line.split() for line in lines)
    fold = _FOLDS.get(separator)
    if fold:
        lines = (line.replace(separator, fold) for line in lines)
    return csv.reader(lines, delimiter=fold or separator, strict=True)


def _announced(content: bytes, encoding: str) -> str:
    first = next(iter(_Lines(content, encoding)), "")
    announced = _ANNOUNCED.fullmatch(first)
    return announced[1] if announced and announced[1] in _SEPARATORS else ""


def _separator(content: bytes, encoding: str, *, pasted: bool, columns: Sequence[Column]) -> str:
    """Return what stands between cells: what finds the most titles in the header, then what divides the most rows."""
    announced = _announced(content, encoding)
    if announced:
        return announced

    def worth(separator: str) -> tuple[int, int]:
        titles, divided = 0, 0
        for record in _beginning(content, encoding, separator):
            titles = max(titles, len(matching([(cell, "") for cell in record[:MAX_COLUMNS]], columns)))
            divided += len(record) > 1
        return titles, divided

    return max(_SEPARATORS + (_TYPED_SEPARATORS if pasted else ()), key=worth)


def _beginning(content: bytes, encoding: str, separator: str) -> list[list[str]]:
    found: list[list[str]] = []
    with suppress(UnreadableSheet):  # to be told with the right separator
        for record in islice(filter(any, _records(content, encoding, separator)), HEADER_WITHIN):
            found.append(record)
    return found
