"""Lines that say something about others: they take back or correct what stands above or below them, or repeat it.

A line rarely says which one it means. It may be what it names, the last order above it, or the last one of whoever
writes it: each of them is doubted, since what was not meant costs money and what was meant is only written once more.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

from django.utils.translation import gettext as _

from . import moments
from .line import folded
from .readings import Kind, Reading
from .words import LABELS

Readings = list[Reading]

_SEVERAL = re.compile(
    r"都|全|所有|以上|(?:上面|上述|前面)(?!的?[这那一]个)|这些|那些|[几两三四五六七八九十0-9]+\s?(?:个|条|位|单|笔|家|号码)|第\s?[0-9一二三四五六七八九十]"
)
_CORRECTS = re.compile(r"错|^\W*不[对是]|改成|改为|换成|更正|应该是")
_BELOW = re.compile(r"以下|下面|下列|如下")
_HERE = re.compile(r":\s*$|这些|这[几两三四五六七八九十0-9]")
_HEADING = re.compile(r"\W*【[^】]*】\W*|\s*[#=\-—*]+[^#=\-—*]+[#=\-—*]*\s*|.*:\s*")
_EXAMPLE = re.compile(r"(?:示例|例如|比如|样例|举例|例子|范例|例)\W*$")
_TAIL = re.compile(r"(?<![0-9])[0-9]{3,8}(?![0-9])")
_WORD = re.compile(r"[^\W\d_]{2,}")
_WRITTEN_BY = re.compile(
    r"\s*(?:[\[(【][^\])】]{0,40}[\])】]|[0-9][0-9:/\-.\s]{2,20})?\s*([^\s:0-9\[\]【】「」|]{1,20}):\s*[^\s:|]"
)
_NAME_ALONE = re.compile(r"\s*([^:0-9]{1,20}):\s*")
MAX_NAME_LENGTH = 20  # characters of a line above a time that may be a name
MAX_UNNAMED = 100  # lines that are about others without naming them; with more, nobody knows what is meant
MAX_REPEATED = 100  # lines about one number; what repeats it more often is no order of people


class _Said:
    """The readings of a line with who wrote it, "" where that isn't known."""

    def __init__(self, readings: Readings, writer: str) -> None:
        self.readings = readings
        self.writer = writer

    @cached_property
    def text(self) -> str:
        return folded(self.first.typed)[0]

    @cached_property
    def words(self) -> set[str]:
        return set(_WORD.findall(folded(f"{self.first.note} {self.writer}")[0]))

    @property
    def first(self) -> Reading:
        return self.readings[0]

    @property
    def is_order(self) -> bool:
        return self.first.kind is Kind.ORDER

    @property
    def is_about_others(self) -> bool:
        """Whether it may be about any line of the text."""
        is_correction = self.first.takes_back and not self.numbers
        return (
            is_correction or self.is_before_example or (self.first.is_value_alone and bool(_SEVERAL.search(self.text)))
        )

    @property
    def is_before_example(self) -> bool:
        return self.first.kind is Kind.CHATTER and _EXAMPLE.search(self.text) is not None

    @property
    def numbers(self) -> set[str]:
        return {*self.first.numbers, *(reading.target for reading in self.readings)} - {""}


class _Above:
    """The lines with orders above a place in a text."""

    def __init__(self) -> None:
        self.orders: list[_Said] = []
        self.is_bad_since = False
        self._of_number: dict[str, deque[_Said]] = {}
        self._last_of: dict[str, _Said] = {}

    def add(self, line: _Said) -> None:
        self.is_bad_since = line.first.kind is Kind.BAD or (self.is_bad_since and not line.is_order)
        if line.is_order:
            self.orders.append(line)
            self._last_of[line.writer] = line
            for number in line.numbers:
                self._of_number.setdefault(number, deque(maxlen=MAX_REPEATED)).append(line)

    def has_any_of(self, writer: str) -> bool:
        return writer in self._last_of

    def with_numbers_of(self, *lines: _Said) -> list[_Said]:
        """Return the latest orders with the numbers of some lines."""
        numbers = {number for line in lines for number in line.numbers}
        return [line for number in numbers for line in self._of_number.get(number, ())]

    def meant_by(self, line: _Said) -> list[_Said]:
        """Return the orders that a line without a number may be about: the last one, and the last one of its writer."""
        own = self._last_of.get(line.writer)
        return [*self.orders[-1:], *([own] if own else [])]

    def named_in(self, line: _Said) -> list[_Said]:
        """Return the orders whose number ends as a line says, or whose note or writer it names."""
        tails = _TAIL.findall(line.text)
        return [
            other
            for other in self.orders
            if any(number.endswith(tail) for number in other.numbers for tail in tails)
            or any(word in line.text for word in other.words)
        ]


def doubt_corrected(found: list[Readings]) -> None:
    """Give a problem to the orders of a text that other lines of it may take back, correct, or call an example.

    Args:
        found: what was read in its lines, in their order.
    """
    if not any(_may_be_about_others(readings[0]) for readings in found):
        return
    said = [_Said(readings, writer) for readings, writer in zip(found, _writers(found), strict=True)]
    unnamed = [line for line in said if line.is_about_others]
    if len(unnamed) > MAX_UNNAMED:
        _refuse((line for line in said if line.is_order), _taken_back_by(unnamed[0]))
        return
    above = _Above()
    for place, line in enumerate(said):
        following = (said[later] for later in range(place + 1, len(said)))
        if line.first.takes_back:
            _doubt_taken_back(line, above, following)
        elif line.first.is_value_alone:
            _doubt_other_value(line, above)
        elif line.is_before_example:
            words = _("Line %(line)d may say that this is only an example.") % {"line": line.first.line}
            _refuse(islice((other for other in _until_next_head(following) if other.is_order), 1), words)
        elif _lacks_value(line.first):
            _refuse(above.with_numbers_of(line), _taken_back_by(line))
        above.add(line)


def _may_be_about_others(reading: Reading) -> bool:
    """Say whether a line may be about another one; so may one that has a number, no value, and more to say."""
    is_example = reading.kind is Kind.CHATTER and _EXAMPLE.search(reading.typed) is not None
    return reading.takes_back or reading.is_value_alone or is_example or _lacks_value(reading)


def _lacks_value(reading: Reading) -> bool:
    return reading.kind is Kind.ORDER and bool(reading.problem) and not reading.value and not reading.has_own_value


def _doubt_taken_back(line: _Said, above: _Above, following: Iterator[_Said]) -> None:
    words = _taken_back_by(line)
    if line.numbers and (above.with_numbers_of(line) or not _CORRECTS.search(line.text)):
        _refuse(above.with_numbers_of(line), words)
        return
    is_heading = _HEADING.fullmatch(line.text) is not None or not (above.orders or line.writer)
    if not line.is_order and (is_heading or _BELOW.search(line.text) or _HERE.search(line.text)):
        _refuse((other for other in _until_next_head(following) if other.is_order), words)
        if _BELOW.search(line.text):
            return
    is_of_others = bool(line.writer) and not above.has_any_of(line.writer)
    if is_of_others or _SEVERAL.search(line.text):
        _refuse(above.orders, words)
    else:
        meant = above.meant_by(line)
        _refuse([*meant, *above.with_numbers_of(*meant), *above.named_in(line)], words)


def _doubt_other_value(line: _Said, above: _Above) -> None:
    """Doubt the orders that a value alone may correct; it may belong to a line above it that lacks a number instead."""
    if above.is_bad_since:
        return
    words = _("Line %(line)d below has a value: is it the one of this number? Then write both on one line.")
    meant = above.meant_by(line)
    meant = above.orders if _SEVERAL.search(line.text) else [*meant, *above.with_numbers_of(*meant)]
    others = [order for order in meant if order.first.has_own_value and order.first.value != line.first.value]
    _refuse(others, words % {"line": line.first.line})


def _taken_back_by(line: _Said) -> str:
    return _("Line %(line)d may take this back.") % {"line": line.first.line}


def _refuse(orders: Iterable[_Said], problem: str) -> None:
    for order in orders:
        for reading in order.readings:
            reading.problem = reading.problem or problem


def _until_next_head(said: Iterable[_Said]) -> Iterator[_Said]:
    """Yield lines up to the head of the next message, or of the next part of a list."""
    has_order = False
    for line in said:
        if line.first.kind is Kind.CHATTER:
            is_label = has_order and _HEADING.fullmatch(line.text) is not None
            if is_label or moments.message_head(line.text) is not None:
                return
        has_order = has_order or line.is_order
        yield line


def _writers(found: list[Readings]) -> Iterator[str]:
    """Yield for each line who wrote it, as the heads of messages say: names with a time, or else names alone."""
    texts = [folded(readings[0].typed)[0] for readings in found]
    kinds = [readings[0].kind for readings in found]
    heads = [_head(text) if kind is Kind.CHATTER else None for text, kind in zip(texts, kinds, strict=True)]
    if not any(heads):
        heads = [_name_alone(text) if kind is Kind.CHATTER else None for text, kind in zip(texts, kinds, strict=True)]
    writer, previous = "", ""
    for text, kind, head in zip(texts, kinds, heads, strict=True):
        if head is not None:
            writer = head or previous
        previous = text.strip() if kind is Kind.CHATTER and len(text) <= MAX_NAME_LENGTH else ""
        yield _writer_within(text) or writer


def _writer_within(text: str) -> str:
    """Return the name in front of what somebody writes, "" where there is none."""
    match = _WRITTEN_BY.match(text)
    return match[1] if match and not LABELS.fullmatch(match[1]) else ""


def _head(text: str) -> str | None:
    """Return the name in the head of a message, "" where only a time stands in it."""
    return moments.message_head(text) if ":" in text else None


def _name_alone(text: str) -> str | None:
    match = _NAME_ALONE.fullmatch(text)
    return match[1].strip() if match else None
