"""What an upload is, told by its content; a name that says something else is not believed."""

from enum import Enum
from pathlib import PurePath

from django.utils.translation import gettext as _

from portal.sheets.errors import UnreadableSheet
from portal.sheets.limits import MAX_FILE_BYTES

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_FOREIGN = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\x00",
    b"MM\x00*",
    b"Rar!",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"{\\rtf",
    b"\x7fELF",
)
_WEB_PAGE = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<meta", b"<style", b"mime-version:")


class Kind(Enum):
    TEXT = "text"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"


_NAMED_AS_SHEETS = ("", ".csv", ".txt", ".tsv", ".xlsx", ".xls", ".et", ".ods")
_NAMES = {
    Kind.TEXT: ("", ".csv", ".txt", ".tsv"),
    Kind.XLSX: ("", ".xlsx"),
    Kind.XLS: ("", ".xls", ".et"),
    Kind.ODS: ("", ".ods"),
}
_CALLED = {Kind.TEXT: "CSV", Kind.XLSX: "XLSX", Kind.XLS: "XLS", Kind.ODS: "ODS"}


def kind_of(content: bytes, file_name: str) -> Kind:
    """Return the kind of an upload, or of pasted text, whose name is "".

    Raises:
        UnreadableSheet: it is empty, too large, of a kind that isn't read, or named as what it is not.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableSheet(
            _("The file is too large: %(most)s MB at most. Divide it.") % {"most": MAX_FILE_BYTES // 1024 // 1024}
        )
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise UnreadableSheet(_("There is nothing in it.") if not file_name else _("The file is empty."))
    extension = _extension(file_name)
    if extension in (".xlsm", ".xltm", ".xlam"):
        raise UnreadableSheet(_("Workbooks with macros are not taken. Save it as .xlsx and upload that."))
    kind = _told_by_content(content)
    if extension not in _NAMED_AS_SHEETS:
        raise UnreadableSheet(_sheets_only())
    return kind


def notice_of(kind: Kind, file_name: str) -> str:
    """Say that a file is named as another kind than it is, and what can't be told in its kind; "" for neither."""
    extension = _extension(file_name)
    notices = []
    if extension not in _NAMES[kind]:
        notices.append(
            _("The file is named %(name)s, but its content is %(kind)s: it was read as that.")
            % {"name": extension, "kind": _CALLED[kind]}
        )
    if kind in (Kind.XLS, Kind.ODS):
        notices.append(
            _(
                "In this format, hidden rows and columns and struck-out cells can't be told: they are read, too. Of "
                "merged cells, only the first one has what they show."
            )
        )
    return " ".join(notices)


def _extension(file_name: str) -> str:
    return PurePath(file_name).suffix.lower()


def _told_by_content(content: bytes) -> Kind:
    if content.startswith(_ZIP):
        if _OPEN_DOCUMENT in content[:200]:
            return Kind.ODS
        return Kind.XLSX
    if content.startswith(_OLE2):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UnreadableSheet(encrypted())
        return Kind.XLS
    if content.startswith(_FOREIGN):
        raise UnreadableSheet(_sheets_only())
    if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB_PAGE):
        raise UnreadableSheet(
            _("This is a web page under the name of a sheet. Open it in the spreadsheet program and save it as .xlsx.")
        )
    return Kind.TEXT


def encrypted() -> str:
    """Say that a password is in the way."""
    return _("The workbook is protected by a password. Save it without one and upload that.")


def _sheets_only() -> str:
    return _("Only sheets are read here: workbooks (.xlsx, .xls, .et, .ods) and CSV. Save the list as one of these.")
