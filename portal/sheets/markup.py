"""A stream of XML's tags and texts, with bounds on everything a hostile file could make large."""

from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

from portal.sheets.errors import UnreadableSheet
from portal.sheets.packages import damaged

# A sheet of 100,000 rows and 30 columns has some seven million.
MAX_ELEMENTS = 10_000_000
DEEPEST = 100
# Bytes that may wait for the end of one tag or comment: the parser begins each time from its start again.
MAX_TAG_LENGTH = 1_048_576
CHUNK = 65_536

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Characters = Callable[[str], None]


def parse(file: IO[bytes], *, start: Start, end: End, characters: Characters) -> Iterator[None]:
    """Parse XML and call back for its tags, by names without their prefixes; yield after every piece of the file.

    Raises:
        UnreadableSheet: it is not well-formed, declares a document type (and so entities), or exceeds the bounds.
    """
    parser = ParserCreate()
    parser.buffer_text = True
    depth, elements = 0, 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > DEEPEST or elements > MAX_ELEMENTS:
            raise UnreadableSheet(damaged())
        start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2] if ":" in name else name)

    def on_document_type(*_ignored: object) -> None:
        raise UnreadableSheet(damaged())

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = on_document_type
    fed = 0
    try:
        while chunk := file.read(CHUNK):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > MAX_TAG_LENGTH:
                raise UnreadableSheet(damaged())
            yield
        parser.Parse(b"", True)
    except (ExpatError, LookupError, UnicodeError) as error:
        raise UnreadableSheet(damaged()) from error
    yield
