"""Which column of a sheet is which of ours, told by its header."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.sheets.cells import Cell
from portal.sheets.errors import UnreadableSheet

_UNIT = re.compile(r"\([^()]*\)$")
_IDLE = re.compile(r"[\s_\-*:.]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is wanted: our name for it, and the spellings of its header, the one to show first.

    The name itself is a spelling too. Case, blanks, underscores, full-width letters, a unit in brackets
    and the asterisk of a required column make no difference. A header without a `required` column is refused.
    """

    name: str
    titles: tuple[str, ...]
    required: bool = False

    @property
    def title(self) -> str:
        return self.titles[0] if self.titles else self.name

    def spellings(self) -> frozenset[str]:
        return frozenset(_plain(title) for title in (self.name, *self.titles))


def _plain(title: str) -> str:
    text = _IDLE.sub("", unicodedata.normalize("NFKC", title).casefold())
    return _UNIT.sub("", text)


def matching(cells: Sequence[Cell], columns: Sequence[Column]) -> dict[str, list[int]]:
    """Return the positions at which a row has a title of each column; columns that it lacks are left out."""
    titles = [_plain(text) for text, _problem in cells]
    found: dict[str, list[int]] = {}
    for column in columns:
        spellings = column.spellings()
        positions = [position for position, title in enumerate(titles) if title in spellings]
        if positions:
            found[column.name] = positions
    return found


def lacking(found: Mapping[str, object], columns: Sequence[Column]) -> list[Column]:
    """Return the required columns that are not among those found."""
    return [column for column in columns if column.required and column.name not in found]


def placed(cells: Sequence[Cell], columns: Sequence[Column]) -> dict[str, int]:
    """Return the position of each column under a header.

    Raises:
        UnreadableSheet: two of them could be the same column.
    """
    found = matching(cells, columns)
    for column in columns:
        positions = found.get(column.name, [])
        if len(positions) > 1:
            named = ", ".join(cells[position][0] for position in positions)
            raise UnreadableSheet(
                _("Several columns could be %(wanted)s: %(named)s. Delete or rename all but one.")
                % {"wanted": column.title, "named": named}
            )
    return {name: positions[0] for name, positions in found.items()}
