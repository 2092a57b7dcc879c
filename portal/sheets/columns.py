"""Which column of a sheet is which of ours, told by its header."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from portal.kit.digits import INVISIBLE
from portal.sheets.cells import Cell

_UNIT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|/元|:元|元$")
_BRACKETS = re.compile(r"[()\[\]【】]")
_UNSEEN = dict.fromkeys(map(ord, INVISIBLE))
_IDLE = re.compile(r"[\s_\-*:.、,;'\"“”]+")
MAX_TITLE_LENGTH = 60  # characters


def _never(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is wanted: our name for it, and the spellings of its header, the one to show first.

    The name itself is a spelling too. Case, blanks, underscores, full-width letters, a unit in brackets
    and the asterisk of a required column make no difference, nor do some of the `before` and `after` words around a
    spelling. A header without a `required` column is refused. `looks` says whether a cell may be of the column, for
    proposing one where the header doesn't tell.
    """

    name: str
    titles: tuple[str, ...]
    required: bool = False
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    looks: Callable[[str], bool] = _never
    may_span: bool = False
    """Whether a cell that is merged over several rows counts for each of them; what decides about money doesn't."""

    @property
    def title(self) -> str:
        return self.titles[0] if self.titles else self.name

    def is_named(self, title: str) -> bool:
        """Say whether a header's text names this column."""
        return _pattern(self).fullmatch(plain(title)) is not None


@cache
def _pattern(column: Column) -> re.Pattern[str]:
    def any_of(words: Iterable[str]) -> str:
        return "|".join(sorted(map(re.escape, {plain(word) for word in words}), key=len, reverse=True))

    spelling = any_of((column.name, *column.titles))
    return re.compile(rf"(?:{any_of(column.before)}){{0,2}}(?:{spelling})(?:{any_of(column.after)})?")


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """Return a title as far as it tells columns apart."""
    text = _IDLE.sub("", unicodedata.normalize("NFKC", title).translate(_UNSEEN).casefold())
    return _UNIT.sub("", text) or _BRACKETS.sub("", text)


def matching(cells: Sequence[Cell], columns: Sequence[Column]) -> dict[str, list[int]]:
    """Return the positions at which a row has a title of each column; columns that it lacks are left out."""
    titles = ((position, text) for position, (text, _problem) in enumerate(cells) if text)
    texts = [(position, text) for position, text in titles if len(text) <= MAX_TITLE_LENGTH]
    found: dict[str, list[int]] = {}
    for column in columns:
        positions = [position for position, text in texts if column.is_named(text)]
        if positions:
            found[column.name] = positions
    return found


def lacking(found: Mapping[str, object], columns: Sequence[Column]) -> list[Column]:
    """Return the required columns that are not among those found."""
    return [column for column in columns if column.required and column.name not in found]
