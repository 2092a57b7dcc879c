"""What an XLSX workbook says besides its rows: which sheets there are, its shared texts, which formats are dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from sys import getsizeof
from typing import IO

from portal.sheets.errors import UnreadableSheet
from portal.sheets.limits import MAX_CELL_LENGTH
from portal.sheets.markup import parse
from portal.sheets.packages import Package, damaged, too_large

MAX_TEXTS_BYTES = 96 * 1024 * 1024  # bytes of memory; the only part of a workbook that has to stay there
POINTER = 8

# Numbers of formats that are dates or times without being declared, those of Chinese and Japanese Excel among them.
_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[dmyhs年月日]", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook but for its rows."""

    sheets: tuple[str, ...]  # the parts of the visible sheets, in order
    texts: list[str]
    date_styles: frozenset[str]  # numbers, as cells name them
    struck_styles: frozenset[str]  # likewise, of what is struck out
    since_1904: bool


def open_workbook(package: Package) -> Workbook:
    """Read what stands around the sheets.

    Raises:
        UnreadableSheet: this is no workbook, or a damaged one.
    """
    path = _first(_relations(package, ""), "/officeDocument")
    if path is None or path not in package:
        raise UnreadableSheet(damaged())
    relations = _relations(package, path)
    listing = _Listing()
    with package.part(path) as file:
        _whole(file, listing)
    targets = {identity: target for identity, (kind, target) in relations.items() if kind.endswith("/worksheet")}
    sheets = tuple(targets[identity] for identity in listing.visible if identity in targets)
    texts = _Texts()
    texts_path = _first(relations, "/sharedStrings")
    if texts_path is not None and texts_path in package:
        with package.part(texts_path) as file:
            _whole(file, texts)
    styles = _Styles()
    styles_path = _first(relations, "/styles")
    if styles_path is not None and styles_path in package:
        with package.part(styles_path) as file:
            _whole(file, styles)
    return Workbook(sheets, texts.found, styles.dates(), styles.struck(), listing.since_1904)


def unescaped(text: str) -> str:
    """Return a text without XLSX's way to write characters that XML can't hold: _x000D_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class TextCollector:
    """Collects the text of an item (<si> or <is>), of its parts too, but not how it is pronounced (<rPh>)."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._in_text = False
        self._pronunciation = 0

    def start(self, name: str) -> None:
        if name == "rPh":
            self._pronunciation += 1
        self._in_text = name == "t" and not self._pronunciation

    def end(self, name: str) -> None:
        if name == "rPh":
            self._pronunciation -= 1
        self._in_text = False

    def characters(self, data: str) -> None:
        # One too long shows later, one far too long need not be kept.
        if self._in_text and self._length <= 8 * MAX_CELL_LENGTH:
            self._parts.append(data)
            self._length += len(data)

    def take(self) -> str:
        """Return what was collected, and begin anew."""
        if not self._parts:
            return ""
        text = unescaped("".join(self._parts))
        self._parts.clear()
        self._length = 0
        return text


class _Texts:
    def __init__(self) -> None:
        self.found: list[str] = []
        self._room = MAX_TEXTS_BYTES
        self._collector = TextCollector()

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._collector.start(name)

    def end(self, name: str) -> None:
        self._collector.end(name)
        if name == "si":
            text = self._collector.take()
            self._room -= getsizeof(text) + POINTER
            if self._room < 0:
                raise UnreadableSheet(too_large())
            self.found.append(text)

    def characters(self, data: str) -> None:
        self._collector.characters(data)


class _Listing:
    def __init__(self) -> None:
        self.visible: list[str] = []
        self.since_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.since_1904 = attributes.get("date1904") in ("1", "true")
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            for key, value in attributes.items():
                if key.endswith(":id"):  # r:id, whatever its prefix
                    self.visible.append(value)

    def end(self, name: str) -> None:
        pass

    def characters(self, data: str) -> None:
        pass


class _Styles:
    def __init__(self) -> None:
        self._formats: dict[int, str] = {}
        self._used: list[int] = []
        self._fonts: list[bool] = []  # whether each strikes out what it writes
        self._fonts_used: list[int] = []
        self._in_cells = False
        self._in_fonts = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "cellXfs":
            self._in_cells = True
        elif name == "numFmt":
            self._formats[whole(attributes.get("numFmtId", ""))] = attributes.get("formatCode", "")
        elif name == "xf" and self._in_cells:
            self._used.append(whole(attributes.get("numFmtId", "0")))
            self._fonts_used.append(whole(attributes.get("fontId", "0")))
        elif name == "fonts":
            self._in_fonts = True
        elif name == "font" and self._in_fonts:
            self._fonts.append(False)
        elif name == "strike" and self._in_fonts and self._fonts:
            self._fonts[-1] = attributes.get("val", "1") not in ("0", "false")

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False
        elif name == "fonts":
            self._in_fonts = False

    def characters(self, data: str) -> None:
        pass

    def dates(self) -> frozenset[str]:
        return frozenset(str(style) for style, number in enumerate(self._used) if self._is_date(number))

    def struck(self) -> frozenset[str]:
        struck = {number for number, is_struck in enumerate(self._fonts) if is_struck}
        return frozenset(str(style) for style, font in enumerate(self._fonts_used) if font in struck)

    def _is_date(self, number: int) -> bool:
        declared = self._formats.get(number)
        if declared is None:
            return number in _DATES
        return _DATE_LETTERS.search(_NO_LETTERS.sub("", declared)) is not None


class _Relations:
    def __init__(self) -> None:
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            self.found[attributes.get("Id", "")] = (attributes.get("Type", ""), attributes.get("Target", ""))

    def end(self, name: str) -> None:
        pass

    def characters(self, data: str) -> None:
        pass


def _relations(package: Package, path: str) -> dict[str, tuple[str, str]]:
    """Return kind and path of what a part relates to, by id."""
    folder, name = dirname(path), path.rpartition("/")[2]
    relations = _Relations()
    with package.part(join(folder, "_rels", f"{name}.rels")) as file:
        _whole(file, relations)
    return {
        identity: (kind, normpath(join("/", folder, target)).lstrip("/"))
        for identity, (kind, target) in relations.found.items()
    }


def _first(relations: dict[str, tuple[str, str]], kind: str) -> str | None:
    return next((path for found, path in relations.values() if found.endswith(kind)), None)


def whole(text: str) -> int:
    """Return a number that a workbook gives; -1 if it is none, or larger than any that means something."""
    return int(text) if text.isdigit() and text.isascii() and len(text) <= 9 else -1


def _whole(file: IO[bytes], handler: "_Texts | _Listing | _Styles | _Relations") -> None:
    steps: Iterator[None] = parse(file, start=handler.start, end=handler.end, characters=handler.characters)
    for _step in steps:
        pass
