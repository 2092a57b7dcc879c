"""What one step of the check found, as it is kept and shown."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from portal.kit.digits import MOBILE_FORMS, digits_of
from recharge.core.events import clean
from recharge.platform import wording
from recharge.platform.choices import Cause, Result, Step
from recharge.platform.wording import Look

RAW_SHOWN = 600
"""Characters of an answer; nobody reads more of it on a page."""
THEIR_WORDS = ("words", "why")
"""Facts that quote what came over the wire; the others are the portal's own."""
WORDS_SHOWN = 200

_SIGNATURE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
_LONG_NUMBER = re.compile(r"(?<!\d)(\d{3})\d{4,}(\d{4})(?!\d)")
_MOBILE = re.compile(rf"(?<![0-9])(?:{MOBILE_FORMS})(?![0-9])", re.ASCII | re.VERBOSE)
_UNIX_SECONDS = re.compile(r"1\d{9}")


@dataclass(frozen=True, slots=True)
class Finding:
    """How a step ended. `facts` fill the words of the cause; `raw` is the answer, shortened, without secrets."""

    step: Step
    result: Result
    cause: Cause
    facts: dict[str, str] = field(default_factory=dict)
    raw: str = ""

    @classmethod
    def kept(cls, row: dict[str, Any]) -> "Finding | None":
        """Return what `as_row` made a row of; None where another version did, which has other words."""
        try:
            found = cls(Step(row["step"]), Result(row["result"]), Cause(row["cause"]), row["facts"], row["raw"])
            return found if found.words or found.follows else None
        except (ValueError, KeyError):
            return None

    def as_row(self) -> dict[str, Any]:
        """Return what is kept of it: no words, so that everybody reads it in his language."""
        return {
            "step": self.step.value,
            "result": self.result.value,
            "cause": self.cause.value,
            "facts": self.facts,
            "raw": self.raw,
        }

    @property
    def words(self) -> str:
        return wording.found(self.cause, self.facts)

    @property
    def follows(self) -> str:
        return wording.follows(self.cause, self.facts)

    @property
    def look(self) -> Look:
        return wording.LOOKS[self.result]


def finding(step: Step, result: Result, cause: Cause, raw: str = "", **facts: object) -> Finding:
    """Make a finding; in what came over the wire, whatever could be a secret or somebody's number is hidden.

    Args:
        step: what was tried.
        result: how it ended.
        cause: what was found.
        raw: the answer as it came.
        facts: what fills the words of the cause; those named in THEIR_WORDS quote the answer.
    """
    shown = {name: _quoted(str(value)) if name in THEIR_WORDS else str(value) for name, value in facts.items()}
    return Finding(step, result, cause, shown, clean(hidden(raw), RAW_SHOWN))


def holds_secret(text: str) -> bool:
    """Say whether a text holds our secret or a signature, which is another one each time."""
    secret = settings.WIKEYUN_APP_SECRET
    return bool((secret and secret in text) or _SIGNATURE.search(text))


def _quoted(text: str) -> str:
    return clean(hidden(text), WORDS_SHOWN)


def hidden(text: str) -> str:
    """Hide the secret, signatures that a platform may quote in a refusal, and the middle of long numbers.

    Phone numbers are found as people write them, too: 138 0013 8000, +86-138-0013-8000.
    """
    if settings.WIKEYUN_APP_SECRET:
        text = text.replace(settings.WIKEYUN_APP_SECRET, "[hidden]")
    text = _SIGNATURE.sub("[hidden]", text)
    text = _MOBILE.sub(lambda found: digits_of(found), text)
    return _LONG_NUMBER.sub(_without_middle, text)


def _without_middle(number: re.Match[str]) -> str:
    """Keep moments in unix seconds, which have a digit less than a phone number."""
    return number[0] if _UNIX_SECONDS.fullmatch(number[0]) else f"{number[1]}****{number[2]}"
