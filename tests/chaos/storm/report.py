"""The one table that a run ends with."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .verdict import MUST_BE_ZERO, Verdict

CASES_SHOWN = 20


def table(verdict: Verdict, figures: dict[str, Any]) -> str:
    """Return the table: what was done, and what must be 0.

    Args:
        verdict: what the comparison of both books gave.
        figures: what was done, by name.
    """
    rows = {**figures, **verdict.figures}
    rows |= {f"**{name}**": _figure(verdict, name) for name in MUST_BE_ZERO}
    lines = [f"| {name} | {_shown(value)} |" for name, value in rows.items()]
    return "\n".join(["| what | |", "| --- | ---: |", *lines])


def cases(verdict: Verdict) -> Iterator[str]:
    """Yield what doesn't hold, in words."""
    for name, told in verdict.broken.items():
        yield from (f"{name}: {case}" for case in told[:CASES_SHOWN])
        if len(told) > CASES_SHOWN:
            yield f"{name}: … and {len(told) - CASES_SHOWN} more"


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))


def _figure(verdict: Verdict, name: str) -> Any:
    return verdict.figures.get(name) or len(verdict.broken.get(name, ()))


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
