"""What the platform's codes and words mean: as taught where that was taught, else as the gateway reads them.

Asked for in the moment in which something is judged, and read from the database then: every process goes by a change at
once, and whatever is judged in one go is judged by one set of readings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from portal.gateway import OrderReport, Rejected, heuristics
from recharge.choices import RefusalMeaning
from recharge.models import REFUSAL_CODE_LENGTH, Reading
from recharge.status import Status

MAX_LENGTH = 200
"""Characters of a refusal that can be taught: what is longer might differ where nobody looked."""

# What differs from order to order, whatever the refusal says: moments, masked numbers, amounts, and numbers as long as
# those of orders and persons. Any other number may be the very thing that is said: an error's, a rule's, a version's;
# what is called a code is kept even where it is as long as a short number of an order.
_OF_ONE_ORDER = re.compile(
    r"""(?P<kept>(?:错误码|代码|code|err(?:or|no)?)\W{0,3}\d{1,9}(?!\d))
    |(?<!\d)(?:19|20)\d{2}[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:3[01]|[12]\d|0?[1-9])日?
        (?:[\sT]*\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?
    |(?<!\d)\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?
    |\d+(?:[*＊•●]{2,}|[x×]{3,})\d*|[*＊•●]{2,}\d+
    |(?<!\d)1[3-9]\d[\s-]\d{4}[\s-]\d{4}(?!\d)
    |(?<=尾号)\s*[:：为是]?\s*\d{3,4}(?!\d)
    |[¥￥]\s*\d+(?:,\d{3})*(?:\.\d+)?(?:\s*元)?|(?<![\d.])\d+(?:,\d{3})*(?:\.\d+)?\s*(?:元|yuan|rmb|cny)
    |\d{7,}""",
    re.IGNORECASE | re.VERBOSE,
)
_BLANKS = re.compile(r"\s+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_ANY_NUMBER = re.compile(r"\d+")

ANY = "#"
"""Stands in words that are compared for whatever number of an order, a person, an amount or a moment."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What was taught, at one moment: codes by number, meanings of refusals by their own code and words.

    `coarse` has what was taught by words in which any number stood for all.
    """

    codes: Mapping[int, int]
    words: Mapping[tuple[str, str], str]
    coarse: Mapping[str, str] = field(default_factory=dict)

    def read(self, report: OrderReport) -> OrderReport:
        """Return a report with the code that its own one means, where that was taught."""
        return replace(report, status=self.codes.get(report.status, report.status)) if report.status else report

    def is_definite_no(self, rejected: Rejected) -> bool:
        """Say whether the refusal of a push says for certain that the order was not taken.

        What was taught makes a definite no only of words that are unclear by default, never of such as may say that
        the order exists; any other meaning that was taught takes precedence over the default.
        """
        taught = self.taught(rejected)
        if taught == RefusalMeaning.DEFINITE_NO:
            return not heuristics.may_mean_duplicate(rejected)
        return not taught and heuristics.is_definite_no(rejected)

    def means_no_such_order(self, rejected: Rejected) -> bool:
        """Say whether the refusal of a query says that the platform has never heard of the order."""
        taught = self.taught(rejected)
        if taught == RefusalMeaning.NO_SUCH_ORDER:
            return not heuristics.may_mean_duplicate(rejected)
        return not taught and heuristics.means_no_such_order(rejected)

    def means_no_such_call(self, rejected: Rejected) -> bool:
        """Say whether the platform does not know the interface that was called."""
        taught = self.taught(rejected)
        return taught == RefusalMeaning.NO_SUCH_CALL if taught else heuristics.means_no_such_call(rejected)

    def taught(self, rejected: Rejected) -> str:
        """Return the meaning of a refusal that was taught, "" where none was.

        What was taught about its code and words comes first, then what holds for its words whatever the code.
        """
        if not (self.words or self.coarse):
            return ""
        words = key_of(rejected.message)
        found = self.words.get((rejected.code, words)) or self.words.get(("", words))
        return found or self.coarse.get(_coarse(rejected.message), "")

    def with_one_more(self, reading: Reading) -> "Readings":
        """Return what it would be with a reading that is not in force yet."""
        if reading.code is not None:
            return replace(self, codes={**self.codes, reading.code: reading.means_status or 0})
        if reading.is_exact:
            return replace(self, words={**self.words, **dict.fromkeys(_places_of(reading), reading.means)})
        return self if reading.is_void else replace(self, coarse={**self.coarse, reading.words: reading.means})


def in_force() -> Readings:
    """Return what was taught and holds now."""
    found = Readings({}, {})
    for reading in sorted(Reading.objects.in_force(), key=lambda reading: reading.is_harmless):
        found = found.with_one_more(reading)
    return found


def is_about(reading: Reading, rejected: Rejected) -> bool:
    """Say whether a refusal is one that the reading is about: by its words, and by its code where that counts."""
    if not reading.is_exact:
        return not reading.is_void and _coarse(rejected.message) == reading.words
    words = key_of(rejected.message)
    return not _places_of(reading).isdisjoint({(rejected.code, words), ("", words)})


def read(report: OrderReport) -> OrderReport:
    """Return a report with the code that its own one means; nothing is looked up for a code that is known."""
    return report if report.status is None or report.status in Status.values else in_force().read(report)


def key_of(message: str) -> str:
    """Return the words of a refusal in the form in which they are compared; "" where they can't be taught.

    ANY stands for a number that is an order's or a person's, an amount or a moment; every other number is kept, since
    it may be what the refusal says. Blanks and cases make no difference.
    """
    if len(message) > MAX_LENGTH:
        return ""
    return _plain(_OF_ONE_ORDER.sub(lambda found: found["kept"] or ANY, message.strip()))


def place_of(rejected: Rejected) -> tuple[str, str] | None:
    """Return by which code and words a refusal is taught; None where it can't be."""
    words = key_of(rejected.message)
    return (rejected.code, words) if words and len(rejected.code) <= REFUSAL_CODE_LENGTH else None


def refusal_of(note: str) -> Rejected:
    """Return the refusal that an entry of the history holds: its code, then its words."""
    code, _, message = note.partition(" ")
    return Rejected(code.removesuffix(":"), message)


def _coarse(message: str) -> str:
    """Return the words as they were compared when any number in them stood for all."""
    return _ANY_NUMBER.sub("0", _plain(message.strip())) if len(message) <= MAX_LENGTH else ""


def _plain(message: str) -> str:
    return _BLANKS.sub("" if _HAN.search(message) else " ", message).casefold()[:MAX_LENGTH]


def _places_of(reading: Reading) -> set[tuple[str, str]]:
    """Return by which codes and words a reading is found; "" is any code."""
    codes = {reading.refusal_code, ""} if reading.is_harmless else {reading.refusal_code}
    return {(code, reading.words) for code in codes}


def default_meaning(message: str) -> str:
    """Return what the gateway makes of the words of a refusal by itself, "" where it takes them for unclear."""
    rejected = Rejected("", message)
    if heuristics.may_mean_duplicate(rejected):
        return RefusalMeaning.DUPLICATE
    readers = {
        RefusalMeaning.NO_SUCH_ORDER: heuristics.means_no_such_order,
        RefusalMeaning.NO_SUCH_CALL: heuristics.means_no_such_call,
        RefusalMeaning.DEFINITE_NO: heuristics.is_definite_no,
    }
    return next((meaning for meaning, says in readers.items() if says(rejected)), "")
