"""Reads one line: a number, a value, a speed, and what remains is the note."""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from portal.kit.digits import FOLDED, INVISIBLE, why_no_number
from portal.kit.lists import listed

from . import moments
from .figures import TAKEN, Figure, Sort, figures, odd_digit
from .readings import Kind, Reading
from .targets import Target, targets
from .words import (
    AROUND_VALUE,
    HEADING_TAKEN_BACK,
    HOW_OFTEN_IN_WORDS,
    LABELS,
    NUMBER_OF_ANOTHER,
    NUMBER_OF_OTHERS,
    OF_EARLIER_ONES,
    OF_THE_PROGRAM,
    OTHER_GOODS,
    OTHER_MONEY,
    SIMPLIFIED,
    SPEED_WORDS,
    TAKEN_BACK,
    TAKEN_BACK_ABOVE,
    VALUE_IN_WORDS,
    WRITER,
)

MAX_LINE_LENGTH = 1_000  # characters
MOBILE_DIGITS = 11
SMALLEST_MONEY = 10  # yuan

_SPEED = re.compile(rf"(?<![^\W_])(?:{SPEED_WORDS})(?![^\W_])", re.IGNORECASE)
# The letters that are taken for 0 and 1.
_ALIKE = re.compile(r"(?<!\w)(?=[0-9OoIl]*[OoIl])(?=[0-9OoIl]*[0-9])[0-9OoIl]{2,}(?![A-Za-z])")
_MONEY_WITHOUT_VALUE = re.compile(r"(?<=[0-9A-Za-z])\s?(?:元|块|圆)|[￥¥]|(?<![A-Za-z])(?:RMB|CNY)", re.IGNORECASE)
_FROM_TO = re.compile(r"\s*(?:[~至到…]|\.{2,6})\s*")
_DASH = re.compile(r"\s*[-‐-―−]{1,2}\s*")
MAX_RANGE = 1_000  # numbers
_LONG_NUMBER = re.compile(r"[0-9](?:[\s\-.·_()]{0,2}[0-9]){6,}")
_GROUPED_OTHERWISE = re.compile(r"(?<![0-9])(?=1[3-9])[0-9]{3,8}(?:[\s\-.·_]{1,2}[0-9]{3,8}){1,2}(?![0-9])")
_IN_OTHER_DIGITS = re.compile(r"(?:\d|[〇零幺一二三四五六七八九壹贰叁肆伍陆柒捌玖⓪①-⑨]){11,}")
_ROUNDED = re.compile(r"(?<![0-9A-Za-z])[1-9](?:\.[0-9]{1,14})?[eE]\+?[0-9]{2}(?![0-9A-Za-z])")
_HEADING = re.compile(r"\W*【[^】]{1,20}】\W*|[^:]{1,20}:\s*")
_EDGES = " \t\r\n,，、;；:：|/\\-–—−_.。~～+=>→⇒•●!！?？*\"'“”‘’" + INVISIBLE + TAKEN
_PLAIN = SIMPLIFIED | FOLDED
_BRACKETS = {"(": ")", "（": "）", "[": "]", "【": "】", "<": ">", "《": "》"}


@dataclass(slots=True)
class Line:
    """A line while it is read. `open` is what of it is not accounted for yet, with `TAKEN` for the rest."""

    typed: str
    folded: str
    places: list[int]  # of the folded characters in what was typed
    open: str = ""
    worded: str = ""  # the same before its values were accounted for
    spent: set[int] = field(default_factory=set)  # places in the folded line that belong into no note
    targets: list[Target] = field(default_factory=list)
    values: list[Figure] = field(default_factory=list)
    others: list[Figure] = field(default_factory=list)
    speeds: list[str] = field(default_factory=list)
    is_dated: bool = False
    maybe_day: str = ""
    maybe_time: str = ""

    def take(self, start: int, end: int, *, spend: bool) -> None:
        """Account for some characters; what is spent doesn't go into the note."""
        self.open = self.open[:start] + TAKEN * (end - start) + self.open[end:]
        if spend:
            self.spent.update(range(start, end))


def folded(typed: str, plain_ones: dict[int, Any] = _PLAIN) -> tuple[str, list[int]]:
    """Return a line in plain characters, without invisible ones, and where each comes from."""
    kept, places = [], []
    for place, character in enumerate(typed.replace(TAKEN, "\ufffd")):
        plain = "|" if character == "\t" else character.translate(plain_ones)  # cells are never parts of one number
        if plain:
            kept.append(plain)
            places.append(place)
    return "".join(kept), places


def read_line(
    number: int, typed: str, *, product: str, offered: frozenset[int], numbering: int = 0, for_all: int | None = None
) -> list[Reading]:
    """Read a line: one reading for each number in it, or one that says what it is instead.

    Args:
        number: of the line, from 1.
        typed: the line.
        product: what its numbers are.
        offered: the values that may be ordered.
        numbering: how many characters of the folded line only count the lines.
        for_all: the value of numbers that have none.
    """
    if len(typed) > MAX_LINE_LENGTH:
        problem = _("This text is too long: %(most)s characters at most.") % {"most": MAX_LINE_LENGTH}
        return [Reading(number, typed[:MAX_LINE_LENGTH], Kind.BAD, problem=problem)]
    line = _taken_apart(typed, product, offered, numbering)
    if not line.targets:
        return [_without_number(number, line, offered, for_all)]
    problem = _problem(line, offered, for_all)
    found = line.targets if len(line.targets) == 1 or not problem else [Target("", 0, 0)]
    value, speed, note = _value(line, for_all), next(iter(line.speeds), ""), note_of(line)
    numbers = tuple(target.text for target in line.targets)
    takes_back = bool(problem) and TAKEN_BACK.search(line.worded) is not None  # which makes one at the latest
    return [
        Reading(
            *(number, typed, Kind.ORDER, target.text, value, bool(line.values), speed, note, problem),
            numbers=numbers,
            takes_back=takes_back,
        )
        for target in found
    ]


def _value(line: Line, for_all: int | None) -> str:
    if len(line.values) == 1:
        whole = line.values[0].value
        return line.values[0].digits if whole is None else str(whole)
    return "" if line.values or for_all is None else str(for_all)


def _taken_apart(typed: str, product: str, offered: frozenset[int], numbering: int) -> Line:
    text, places = folded(typed)
    line = Line(typed, text, places, open=text)
    line.take(0, numbering, spend=True)
    line.targets = targets(line.open, product)
    for target in line.targets:
        line.take(target.start, target.end, spend=True)
    _take_moments(line)
    line.worded = line.open
    for figure in figures(line.open, offered):
        (line.values if figure.sort is Sort.VALUE else line.others).append(figure)
    for figure in line.values:
        line.take(figure.start, figure.end, spend=True)
    for found in _SPEED.finditer(line.open):
        line.speeds.append(found[0])
        line.spent.update(range(*found.span()))
    return line


def _take_moments(line: Line) -> None:
    for pattern in (moments.MOMENT, moments.SURE_TIME, moments.DAY):
        for found in list(pattern.finditer(line.open)):
            line.is_dated = True
            line.take(*found.span(), spend=pattern is moments.MOMENT)
    if day := moments.MAYBE_DAY.search(line.open):
        line.maybe_day = day[0]
    for found in list(moments.TIME.finditer(line.open)):
        line.maybe_time = found[0]
        line.take(*found.span(), spend=False)


def _problem(line: Line, offered: frozenset[int], for_all: int | None) -> str:
    """Say why a line with numbers can't be placed, "" where it can; what is only a value too many comes last."""
    for check in (_how_many, _odd, _taken_back, _other_numbers, _of_others, _range, _ambiguous_day, _how_often, _stray):
        if problem := check(line):
            return problem
    return _value_problem(line, offered, for_all)


def _odd(line: Line) -> str:
    if alike := _ALIKE.search(line.open):
        return _("“%(text)s” has letters among its digits: type it again.") % {"text": alike[0]}
    odd = odd_digit(line.open)
    return _("“%(odd)s” is no plain digit: type the number again.") % {"odd": odd} if odd else ""


def _taken_back(line: Line) -> str:
    found = TAKEN_BACK.search(line.worded) or OTHER_MONEY.search(line.worded) or OTHER_GOODS.search(line.worded)
    return (
        _("“%(words)s” may mean that nothing is to be placed here.") % {"words": found[0].rstrip("0123456789")}
        if found
        else ""
    )


def _other_numbers(line: Line) -> str:
    found = _LONG_NUMBER.search(line.open)
    if found is None:
        return ""
    return _("There is another long number in this line: “%(number)s”.") % {"number": _shortened(found[0])}


def _of_others(line: Line) -> str:
    heads = [line.worded[: target.start] for target in line.targets]
    others = [found for head in heads if (found := NUMBER_OF_OTHERS.search(head))]
    beside = [found for head in heads if (found := NUMBER_OF_ANOTHER.search(head))]
    found = next(iter(others or (beside if len(beside) < len(heads) else [])), None)
    return (
        _("“%(words)s” may say that this number is not the one to be topped up.") % {"words": found[0].strip(" :(")}
        if found
        else ""
    )


def _range(line: Line) -> str:
    for first, last in itertools.pairwise(line.targets):
        between = line.open[first.end : last.start]
        is_near = len(line.targets) == 2 and 1 < int(last.text) - int(first.text) <= MAX_RANGE
        if _FROM_TO.fullmatch(between) or (is_near and _DASH.fullmatch(between)):
            return _("These may be the first and the last of many numbers: write each on a line of its own.")
    return ""


def _ambiguous_day(line: Line) -> str:
    if line.maybe_day:
        return _("“%(text)s” could be a date or a value.") % {"text": line.maybe_day}
    if line.maybe_time and not line.values:
        return _("“%(text)s” could be a time or a value.") % {"text": line.maybe_time}
    return ""


def _how_often(line: Line) -> str:
    often = next((figure.digits for figure in reversed(line.others) if figure.sort is Sort.HOW_OFTEN), "")
    words = HOW_OFTEN_IN_WORDS.search(line.worded)
    said = f"× {often}" if often else words[0] if words else ""
    return (
        _("“%(said)s” may ask for more than one order: write each on a line of its own.") % {"said": said}
        if said
        else ""
    )


def _how_many(line: Line) -> str:
    if len({target.text for target in line.targets}) < len(line.targets):
        return _("The same number stands twice in this line.")
    if len(line.targets) > 1 and line.values:
        return _("There are %(count)d numbers beside a value: write each on a line of its own, with its value.") % {
            "count": len(line.targets)
        }
    if len({speed.upper().replace("充", "") for speed in line.speeds}) > 1:
        return _("There are two speeds in this line.")
    return ""


def _stray(line: Line) -> str:
    stray = next((figure.digits for figure in line.others if figure.sort is Sort.STRAY), "")
    if stray:
        return _("What is “%(number)s” in this line? A value stands apart from other words, or has 元 behind it.") % {
            "number": stray
        }
    words = VALUE_IN_WORDS.search(line.open)
    return _("Write the value in figures: “%(words)s” is not read.") % {"words": words[0]} if words else ""


def _value_problem(line: Line, offered: frozenset[int], for_all: int | None) -> str:
    sold = [figure for figure in line.values if figure.value in offered]
    if len(sold) > 1:
        return _("There are two values in this line: %(values)s.") % {
            "values": listed(figure.digits for figure in sold)
        }
    if len(line.values) > 1:
        other = next(figure for figure in line.values if figure.value not in offered)
        return _("There is another number in this line: “%(number)s”.") % {"number": other.digits}
    if line.values and not sold:
        return _("The face value must be one of %(listed)s.") % {"listed": listed(sorted(offered))}
    if line.values:
        return ""
    if for_all is None or _MONEY_WITHOUT_VALUE.search(line.open):
        return _("There is no face value in this line.")
    if line.is_dated:
        return _("There is no value in this line, but a date or time: is it the head of a message?")
    return ""


def _without_number(place: int, line: Line, offered: frozenset[int], for_all: int | None) -> Reading:
    """Say what a line is that has no number to be recharged: bad where it was to be one, or is about one."""
    reading = Reading(place, line.typed, Kind.CHATTER)
    is_of_others = OF_THE_PROGRAM.search(line.open) or OF_EARLIER_ONES.search(line.open)
    says_so = _HEADING.fullmatch(line.open) is not None and HEADING_TAKEN_BACK.fullmatch(line.open) is not None
    is_taken_back = says_so or (TAKEN_BACK_ABOVE.search(line.open) is not None and not is_of_others)
    if moments.message_head(line.folded) is not None and not is_taken_back and not _has_money(line):
        return reading
    reading.takes_back = is_taken_back
    if why := _unread_number(line):
        reading.kind, reading.problem = Kind.BAD, why
        return reading
    if number := _LONG_NUMBER.search(line.open):
        reading.problem = _odd(line) or why_no_number(number[0]) or _("No number in this line could be recharged.")
    elif _ROUNDED.search(line.folded):
        reading.problem = _(
            "The spreadsheet program has rounded this number, its digits are gone: format the column as text, "
            "then enter the number again."
        )
    elif is_taken_back:
        reading.problem = _("This line may take back what stands above it.")
    elif _is_value_alone(line, offered):
        reading.is_value_alone = True
        reading.value = next((figure.digits for figure in _offered(line, offered)), "")
        reading.problem = _("There is a value in this line, but no number to be recharged.")
    elif _names_other_value(line, offered, for_all):
        reading.problem = _("This line names another value than the one chosen for all.")
    reading.names_other_value = bool(reading.problem) and _names_other_value(line, offered, for_all)
    if reading.problem:
        reading.kind = Kind.BAD
    return reading


def _unread_number(line: Line) -> str:
    """Say what is wrong with a mobile number in other digits, or in groups that could be values; "" where none is."""
    if (other := _IN_OTHER_DIGITS.search(line.worded)) and not other[0].isascii():
        odd = next(character for character in other[0] if not character.isascii())
        return _("“%(odd)s” is no plain digit: type the number again.") % {"odd": odd}
    grouped = _GROUPED_OTHERWISE.search(line.worded)
    return why_no_number(grouped[0]) if grouped and sum(map(str.isdigit, grouped[0])) == MOBILE_DIGITS else ""


def _names_other_value(line: Line, offered: frozenset[int], for_all: int | None) -> bool:
    if for_all is None:
        return False
    named = [figure for figure in line.values + line.others if figure.value != for_all]
    is_offered = any(figure.value in offered and figure.sort is not Sort.COUNT for figure in named)
    return is_offered or (bool(named) and not _rest(line) and _may_be_money(named[0]))


def _may_be_money(figure: Figure) -> bool:
    """Say whether a figure that stands alone may be a value, sold or not: small ones count lines or answer."""
    has_words = figure.end - figure.start > len(figure.digits)
    return figure.sort is not Sort.HOW_OFTEN and (has_words or bool(figure.value and figure.value >= SMALLEST_MONEY))


def _rest(line: Line) -> bool:
    """Say whether anything is left of a line but figures, words around values, and the name of the writer."""
    rest = AROUND_VALUE.sub("", re.sub(r"[0-9]", "", WRITER.sub("", line.open)))
    return re.search(r"[^\W_]", rest) is not None


def _has_money(line: Line) -> bool:
    """Say whether a value stands with words of money, not just as a number."""
    return any(figure.end - figure.start > len(figure.digits) for figure in line.values)


def _offered(line: Line, offered: frozenset[int]) -> list[Figure]:
    sorts = (Sort.VALUE, Sort.STRAY)
    return [figure for figure in line.values + line.others if figure.sort in sorts and figure.value in offered]


def _is_value_alone(line: Line, offered: frozenset[int]) -> bool:
    """Say whether a line is about nothing but a value, whoever writes it: whose it is, another line says."""
    return bool(_offered(line, offered)) and not _rest(line)


def note_of(line: Line) -> str:
    """Return what remains of a line, as it was typed, without the separators around it."""
    pieces: list[list[int]] = [[]]
    for place in range(len(line.folded)):
        if place in line.spent:
            pieces.append([])
        else:
            pieces[-1].append(place)
    texts = (_piece(line, piece) for piece in pieces if piece)
    return " ".join(text for text in texts if text)


def _piece(line: Line, piece: list[int]) -> str:
    start, following = line.places[piece[0]], piece[-1] + 1
    end = line.places[following] if following < len(line.places) else len(line.typed)  # emojis have invisible parts
    text = _without_edges("".join(_visible(line.typed[start:end])))
    return "" if LABELS.fullmatch(text.translate(SIMPLIFIED)) else " ".join(text.split())


def _visible(text: str) -> Iterable[str]:
    """Yield the characters of a note; of the invisible ones only those that join the parts of an emoji."""
    previous = ""
    for character in text:
        if character not in INVISIBLE or (previous and unicodedata.category(previous) in ("So", "Sk", "Mn", "Cf")):
            yield character
            previous = character


def _without_edges(text: str) -> str:
    """Return a piece without separators around it, and without brackets that have lost their other half."""
    while True:
        stripped = text.strip(_EDGES)
        first, last = stripped[:1], stripped[-1:]
        if first in _BRACKETS and _BRACKETS[first] not in stripped:
            stripped = stripped[1:]
        elif (
            last in _BRACKETS.values()
            and not any(opening in stripped for opening, end in _BRACKETS.items() if end == last)
        ) or last in _BRACKETS:
            stripped = stripped[:-1]
        elif first in _BRACKETS and _BRACKETS[first] == last and stripped.count(first) == 1:
            stripped = stripped[1:-1]
        if stripped == text:
            return text
        text = stripped


def _shortened(number: str) -> str:
    digits = re.sub(r"[^0-9]", "", number)
    return number.strip() if len(digits) < 12 else f"··· {digits[-4:]}"
