"""Dates and times in a line: when a message was sent, and figures that could be a day or a value."""

import re

_YEAR = r"(?:19|20)[0-9]{2}"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_WEEKDAY = r"(?:星期|周|礼拜)[一二三四五六日天]"
_HALF_DAY = r"(?:上午|下午|凌晨|中午|晚上|早上|傍晚|[AaPp][Mm])"
_CLOCK = r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9]"

_FULL_DAY = (
    rf"{_YEAR}\s?[年/.\-]\s?{_MONTH}\s?[月/.\-]\s?{_DAY}\s?[日号]?"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    rf"|{_MONTH}月{_DAY}[日号]"
)
_SHORT_DAY = rf"{_MONTH}[/.\-]{_DAY}|昨天|今天|前天"
_SURE_CLOCK = rf"{_HALF_DAY}\s*{_CLOCK}(?::[0-5][0-9])?|{_CLOCK}:[0-5][0-9](?:\s*[AaPp][Mm])?|{_CLOCK}\s*[AaPp][Mm]"
_TIME = rf"(?:{_SURE_CLOCK}|{_CLOCK})"
_APART = r"(?<![0-9A-Za-z:/.\-])"
_END = r"(?![0-9A-Za-z:/\-]|\.[0-9])"

MOMENT = re.compile(rf"{_APART}[\[(]?(?:{_FULL_DAY}|{_MONTH}[/\-]{_DAY})[\s,T]*(?:{_WEEKDAY}\s*)?{_TIME}[\])]?{_END}")
"""A day and a time: no person means anything else."""
DAY = re.compile(rf"{_APART}(?:{_FULL_DAY})(?:\s*{_WEEKDAY})?{_END}")
SURE_TIME = re.compile(rf"{_APART}{_SURE_CLOCK}{_END}")
TIME = re.compile(rf"{_APART}{_CLOCK}{_END}")
"""Hours and minutes, which could also be two other numbers."""
MAYBE_DAY = re.compile(rf"{_APART}(?:{_MONTH}\s?[/.\-月]\s?{_DAY}|{_DAY}[/.\-]{_MONTH}){_END}")
"""A month and a day, which could also be two values, or one with a fraction."""

_ANY_DAY = rf"(?<![0-9])(?:{_FULL_DAY}|{_SHORT_DAY}|{_WEEKDAY})"
_ANY_TIME = rf"(?<![0-9]){_TIME}"
_RULER = r"[\s—–\-=_*·.]*"
_HEADS = (
    re.compile(rf"(?P<name>.{{0,80}}?)(?:{_ANY_DAY}[\s,]*){{0,2}}{_ANY_TIME}\s*:?"),
    re.compile(rf"{_RULER}[\[(]?{_ANY_DAY}[\s,]*(?:{_WEEKDAY})?\s*(?:{_ANY_TIME})?[\])]?{_RULER}(?P<name>)"),
    re.compile(rf"[\[(]?(?:{_ANY_DAY}[\s,]*){{0,2}}{_ANY_TIME}[\])]?\s+(?P<name>[^:]{{1,80}}?):?"),
)
_ACCOUNT = re.compile(r"\([0-9]{4,12}\)|<[^<>]*>")
_NUMBER = re.compile(r"(?:[0-9][\s\-.]{0,2}){6}[0-9]")


def message_head(text: str) -> str | None:
    """Return the name in a line that is the head of a message, "" where it has none; None for any other line.

    Heads are "name, day, time" in the ways in which chat programs write them, or a day alone. What has a long number
    is none, unless it is the sender's account in brackets.
    """
    text = text.strip()
    for head in _HEADS:
        match = head.fullmatch(text)
        if match and not _NUMBER.search(_ACCOUNT.sub("", match["name"])):
            return match["name"].strip()
    return None
