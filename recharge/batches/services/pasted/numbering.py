"""The number in front of a line that only counts the lines: 1、 2. (3) ④."""

import re
from dataclasses import dataclass, replace

from .targets import targets

_LEAD = re.compile(
    r"\s*(?:(?P<circled>[①-⑳⑴-⒇⒈-⒛㉑-㉟㊱-㊿❶-❿➀-➉➊-➓]|[一二三四五六七八九十]{1,3}、|\([一二三四五六七八九十]{1,3}\))"
    r"|\((?P<bracketed>[0-9]{1,4})\)|\[(?P<squared>[0-9]{1,4})\]|【(?P<hollow>[0-9]{1,4})】"
    r"|(?P<called>No\.?\s?|#|第)?(?P<plain>[0-9]{1,5})"
    r"(?P<mark>\u20e3|[个号](?=[\s、.:,]|$)|[、)\]]|\.(?![0-9])|\.(?=(?:\+?86)?1[3-9][0-9])|))"
    r"[\s、,，.:：)\-]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Lead:
    """A number in front of a line. `marked` says whether it stands as numbers do that count lines."""

    number: int | None
    marked: bool
    end: int
    could_be_either: bool = False
    """It is a value that may be sold, with a mark behind it that counts lines and divides nothing."""

    @property
    def could_be_money(self) -> bool:
        return self.number is not None and self.number >= 10 and self.number % 5 == 0


def lead_of(line: str, product: str) -> Lead | None:
    """Return the number in front of a folded line that has a number to be recharged, None where there is none."""
    match = _LEAD.match(line)
    if match is None:
        return None
    if match["circled"]:
        return Lead(None, marked=True, end=match.end())
    digits = match["bracketed"] or match["squared"] or match["hollow"] or match["plain"]
    rest = line[match.end() :]
    if not rest or any(target.start < match.end() for target in targets(line, product)):
        return None
    if rest[0].isdigit() and match.end() == match.end("plain"):
        return None
    lead = Lead(int(digits), marked=not match["plain"] or bool(match["mark"] or match["called"]), end=match.end())
    return replace(lead, could_be_either=lead.could_be_money and match["mark"] in (".", ")", "\u20e3"))


def is_numbering(lead: Lead, before: Lead | None, after: Lead | None) -> bool:
    """Say whether a lead counts the lines, by those of the lines before and after it that have numbers.

    A bare number must be one more or less than its neighbours'; so must one that could be money, whatever its marks.
    """
    if lead.number is None:
        return True
    steps = [
        *([lead.number - before.number] if before and before.number is not None else []),
        *([after.number - lead.number] if after and after.number is not None else []),
    ]
    return 1 in steps or -1 in steps or (lead.marked and not lead.could_be_money)
