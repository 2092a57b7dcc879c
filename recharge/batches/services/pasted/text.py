"""Reads a text line by line, each of them beside those around it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from .alternating import Lines, joined
from .corrections import doubt_corrected
from .line import folded, read_line
from .numbering import Lead, is_numbering, lead_of
from .plain import read_plain
from .quotes import doubt_quoted
from .readings import Reading

_ENDS = re.compile(r"\r\n|[\r\n\u2028\u2029]")
_LONG_ENOUGH = re.compile(r"(?:[0-9０-９].{0,3}?){10}[0-9０-９]")


def read_text(
    text: str, *, product: str, offered: Collection[int], speeds: Collection[str], for_all: int | None = None
) -> Iterator[Reading]:
    """Yield what the lines of a text say, in their order; a line with several numbers comes once for each.

    Args:
        text: as it was typed or copied.
        product: what its numbers are.
        offered: the values that may be ordered, in yuan.
        speeds: the words for speeds, in capitals.
        for_all: the value of numbers that have none; without it, these have a problem.
    """
    values = frozenset(offered)
    found = _readings(text, product=product, offered=values, speeds=speeds, for_all=for_all)
    if for_all is not None:
        _doubt_value_for_all(found)
    doubt_quoted(found, product)
    doubt_corrected(found)
    for readings in found:
        yield from readings


def _readings(
    text: str, *, product: str, offered: frozenset[int], speeds: Collection[str], for_all: int | None
) -> list[list[Reading]]:
    lines = [(number, typed) for number, typed in enumerate(_ENDS.split(text), 1) if folded(typed)[0].strip()]
    if paired := joined(lines, product=product, offered=offered):
        found = list(_read(paired, product=product, offered=offered, speeds=speeds, for_all=for_all))
        if all(_is_clear(reading, for_all) for readings in found for reading in readings):
            return found
    return list(_read(lines, product=product, offered=offered, speeds=speeds, for_all=for_all))


def _is_clear(reading: Reading, for_all: int | None) -> bool:
    """Say whether what was read of a number and the value below it leaves no question."""
    return not reading.problem and (for_all is None or reading.value in ("", str(for_all)))


def _read(
    lines: Lines, *, product: str, offered: frozenset[int], speeds: Collection[str], for_all: int | None
) -> Iterator[list[Reading]]:
    for (number, typed), lead in zip(lines, _leads([typed for _number, typed in lines], product), strict=True):
        plain = None
        if lead is None:
            plain = read_plain(number, typed, product=product, offered=offered, speeds=speeds)
        if plain:
            yield [plain]
            continue
        end = lead.end if lead and not lead.could_be_either else 0
        readings = read_line(number, typed, product=product, offered=offered, numbering=end, for_all=for_all)
        if lead and lead.could_be_either:
            words = _("“%(number)s” in front could be a value, or count the lines.") % {"number": lead.number}
            _refuse(readings, words)
        yield readings


def _leads(lines: list[str], product: str) -> Iterator[Lead | None]:
    """Yield for each line what in front of it counts the lines, or could."""
    leads: list[Lead | None] = [None] * len(lines)
    places = [place for place, typed in enumerate(lines) if _LONG_ENOUGH.search(typed)]  # with numbers, perhaps
    for place in places:
        leads[place] = lead_of(folded(lines[place])[0], product)
    around = dict(zip(places, zip([None, *places], [*places[1:], None], strict=False), strict=False))
    for place, lead in enumerate(leads):
        if lead is None:
            yield None
            continue
        before, after = (leads[other] if other is not None else None for other in around[place])
        if is_numbering(lead, before, after):
            yield replace(lead, could_be_either=False)
        else:
            yield lead if lead.could_be_either else None


def _doubt_value_for_all(found: list[list[Reading]]) -> None:
    """Doubt the value for all where a line without a number names another one: whose that is, only a person knows."""
    other = next((reading for readings in found for reading in readings if reading.names_other_value), None)
    if other:
        words = _("Line %(line)d names another value than the one chosen for all.") % {"line": other.line}
        for readings in found:
            _refuse([reading for reading in readings if reading.target and not reading.has_own_value], words)


def _refuse(orders: list[Reading], problem: str) -> None:
    for order in orders:
        order.problem = order.problem or problem
