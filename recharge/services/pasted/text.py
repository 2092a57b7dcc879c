"""Reads a text line by line, each of them beside those around it."""

import re
from collections.abc import Collection, Iterator

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
    pending: list[Reading] = []  # from the last order on: what follows may take it back
    for readings in _readings(text, product=product, offered=values, speeds=speeds, for_all=for_all):
        if readings[0].kind is Kind.ORDER:
            _beside(readings, pending, for_all)
            yield from pending
            pending = readings
        else:
            _below(readings[0], pending, for_all)
            pending = [*pending, *readings]
    yield from pending


def _readings(
    text: str, *, product: str, offered: frozenset[int], speeds: Collection[str], for_all: int | None
) -> Iterator[list[Reading]]:
    lines = [(number, typed) for number, typed in enumerate(_ENDS.split(text), 1) if folded(typed)[0].strip()]
    for (number, typed), numbering in zip(lines, _numbering([typed for _number, typed in lines], product), strict=True):
        plain = None
        if not numbering:
            plain = read_plain(number, typed, product=product, offered=offered, speeds=speeds)
        yield (
            [plain]
            if plain
            else read_line(number, typed, product=product, offered=offered, numbering=numbering, for_all=for_all)
        )


def _numbering(lines: list[str], product: str) -> Iterator[int]:
    """Yield for each line how many of its folded characters only count the lines."""
    leads: list[Lead | None] = []
    places: list[int] = []
    for place, typed in enumerate(lines):
        if _LONG_ENOUGH.search(typed):  # has a number, perhaps
            leads.append(lead_of(folded(typed)[0], product))
            places.append(place)
    ends = [0] * len(lines)
    for index, (place, lead) in enumerate(zip(places, leads, strict=True)):
        before = leads[index - 1] if index else None
        after = leads[index + 1] if index + 1 < len(leads) else None
        if lead and is_numbering(lead, before, after):
            ends[place] = lead.end
    yield from ends


def _beside(orders: list[Reading], above: list[Reading], for_all: int | None) -> None:
    """Doubt numbers without a value of their own below a line that is a value alone."""
    seen = [reading for reading in above if reading.kind is not Kind.SKIPPED]
    if seen and seen[-1].is_value_alone and for_all is not None:
        words = _("Line %(line)d above has a value: is it the one of this number?") % {"line": seen[-1].line}
        _refuse([order for order in orders if not order.has_own_value], words)


def _below(reading: Reading, above: list[Reading], for_all: int | None) -> None:
    """Doubt the last order above a line that may be about it."""
    orders = [order for order in above if order.kind is Kind.ORDER]
    named = {"line": reading.line}
    if reading.takes_back:
        _refuse(orders, _("Line %(line)d may take this back.") % named)
    elif reading.is_value_alone and not any(other.kind is Kind.BAD for other in above):
        words = _("Line %(line)d below has a value: is it the one of this number?") % named
        _refuse([order for order in orders if not order.has_own_value or order.value != reading.value], words)


def _refuse(orders: list[Reading], problem: str) -> None:
    for order in orders:
        order.problem = order.problem or problem
