"""The one table that a run ends with."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .books import Row
from .verdict import MUST_BE_ZERO, Verdict

CASES_SHOWN = 20
OUTCOMES = {2: "succeeded", 4: "refunded", 9: "cancelled", 10: "reversed", 11: "partly arrived"}


def table(verdict: Verdict, figures: dict[str, Any]) -> str:
    """Return the table: what was done, and what must be 0.

    Args:
        verdict: what the comparison of both books gave.
        figures: what was done, by name.
    """
    rows = {**figures, **{name: value for name, value in verdict.figures.items() if name not in MUST_BE_ZERO}}
    rows |= {f"**{name}**": _figure(verdict, name) for name in MUST_BE_ZERO}
    lines = [f"| {name} | {_shown(value)} |" for name, value in rows.items()]
    return "\n".join(["| what | |", "| --- | ---: |", *lines])


def cases(verdict: Verdict) -> Iterator[str]:
    """Yield what doesn't hold, in words."""
    for name, told in verdict.broken.items():
        yield from (f"{name}: {case}" for case in told[:CASES_SHOWN])
        if len(told) > CASES_SHOWN:
            yield f"{name}: … and {len(told) - CASES_SHOWN} more"


def fates(booked: list[Row]) -> dict[str, str]:
    """Return what befell the orders that the platform has: by which faults, and which statuses they came to."""
    faults = Counter(entry["fault"] for entry in booked if entry["fault"])
    ends = Counter(str(status) for entry in booked for status in set(entry["history"]) & set(OUTCOMES))
    named = Counter({OUTCOMES[int(status)]: number for status, number in ends.items()})
    return {"orders that the platform took, with faults": counted(faults), "their fates": counted(named)}


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))


def _figure(verdict: Verdict, name: str) -> Any:
    return verdict.figures.get(name) or len(verdict.broken.get(name, ()))


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
