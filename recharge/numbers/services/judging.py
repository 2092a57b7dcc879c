"""Judging phone numbers by the rules that an administrator keeps: refused, doubtful, or fine."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from django.utils.translation import gettext as _

from recharge.choices import NumberVerdict
from recharge.models import NumberRule

KEPT_SECONDS = 10.0
"""How long a process goes by the rules that it has read: a list of 100,000 lines asks for them a few times."""

MAX_PREFIX_LENGTH = 11


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a number; `key` names the rule, so that a person confirms what was shown."""

    verdict: NumberVerdict
    key: str = ""
    message: str = ""


FINE = Judgement(NumberVerdict.ALLOW)

_reading = Lock()
_kept: tuple[float, Mapping[str, tuple[str, str]]] | None = None


def judge(mobile: str) -> Judgement:
    """Say what the rules make of a number: the longest prefix decides, a whole number before any prefix.

    Where there are rules, a prefix that none of them knows is doubtful; where there are none, nothing is judged.

    Args:
        mobile: its 11 digits.
    """
    rules = _rules()
    for length in range(MAX_PREFIX_LENGTH, 0, -1):
        if rule := rules.get(mobile[:length]):
            return _judgement(mobile[:length], *rule)
    if not rules:
        return FINE
    message = _("%(prefix)s is a prefix that nobody knows. Is the number right?") % {"prefix": mobile[:3]}
    return Judgement(NumberVerdict.WARN, mobile[:3], message)


def forget() -> None:
    """Read the rules anew when they are asked for next: they have changed."""
    global _kept
    _kept = None


def _judgement(prefix: str, verdict: str, reason: str) -> Judgement:
    if verdict == NumberVerdict.ALLOW:
        return FINE
    what = {"prefix": prefix, "reason": reason or _("no reason is given")}
    if verdict == NumberVerdict.REFUSE:
        message = _("Numbers with %(prefix)s can't be topped up: %(reason)s") % what
    else:
        message = _("Numbers with %(prefix)s need a second look: %(reason)s") % what
    return Judgement(NumberVerdict(verdict), prefix, message)


def _rules() -> Mapping[str, tuple[str, str]]:
    global _kept
    kept = _kept
    if kept is None or kept[0] < time.monotonic():
        with _reading:
            active = NumberRule.objects.filter(active=True).values_list("prefix", "verdict", "reason")
            kept = _kept = (
                time.monotonic() + KEPT_SECONDS,
                {prefix: (verdict, reason) for prefix, verdict, reason in active},
            )
    return kept[1]
