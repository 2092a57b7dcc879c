"""Reads a text line by line, each of them beside those around it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from .line import folded, read_line
from .numbering import Lead, is_numbering, lead_of
from .plain import read_plain
from .readings import Kind, Reading

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
        found = iter(_without_contradiction(list(found)))
    pending: list[Reading] = []  # from the last order on: what follows may take it back
    for readings in found:
        if readings[0].kind is Kind.ORDER:
            yield from pending
            pending = readings
        else:
            _below(readings[0], pending)
            pending = [*pending, *readings]
    yield from pending


def _readings(
    text: str, *, product: str, offered: frozenset[int], speeds: Collection[str], for_all: int | None
) -> Iterator[list[Reading]]:
    lines = [(number, typed) for number, typed in enumerate(_ENDS.split(text), 1) if folded(typed)[0].strip()]
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


def _without_contradiction(found: list[list[Reading]]) -> list[list[Reading]]:
    """Doubt the value for all where a line without a number names another one: whose that is, only a person knows."""
    other = next((reading for readings in found for reading in readings if reading.names_other_value), None)
    if other:
        words = _("Line %(line)d names another value than the one chosen for all.") % {"line": other.line}
        for readings in found:
            _refuse([reading for reading in readings if reading.target and not reading.has_own_value], words)
    return found


def _below(reading: Reading, above: list[Reading]) -> None:
    """Doubt the last order above a line that may be about it."""
    orders = [order for order in above if order.kind is Kind.ORDER]
    named = {"line": reading.line}
    if reading.takes_back:
        _refuse(orders, _("Line %(line)d may take this back.") % named)
    elif reading.is_value_alone and not any(other.kind is Kind.BAD for other in above):
        words = _("Line %(line)d below has a value: is it the one of this number?") % named
        _refuse([order for order in orders if order.has_own_value and order.value != reading.value], words)


def _refuse(orders: list[Reading], problem: str) -> None:
    for order in orders:
        order.problem = order.problem or problem
