"""What the portal's processes wrote down as errors, without those that a killed database or broker explains."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXPLAINED = {"OperationalError", "InterfaceError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError"}
EXPLAINED |= {"BrokenPipeError", "TimeoutError"}
LOST_BROKER = (
    ("SchedulingError", "Connection refused"),
    ("AttributeError", "'NoneType' object has no attribute 'hostname'"),
)
"""What Celery makes of a broker that has just gone: its scheduler wraps it, a worker looks at what it has lost."""

UNEXPLAINED = "deadlock"
"""An OperationalError, but a mistake of ours."""

LINES_READ = 2_000_000


def unexpected_errors(folder: Path) -> list[str]:
    """Return each kind of error that should not have been, with how often it was, from all logs in a folder."""
    counted = Counter(error for path in sorted(folder.glob("*.log")) for error in _errors(path))
    return [f"{number} times {error}" for error, number in counted.most_common()]


def _errors(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as log:
        for _, line in zip(range(LINES_READ), log, strict=False):
            if line.startswith("{") and '"exception"' in line:
                yield from _unexpected(path.stem, line)


def _unexpected(name: str, line: str) -> Iterator[str]:
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:  # cut off by a kill
        return
    raised = told.get("exception")
    if not isinstance(raised, list) or not raised or told.get("level") not in ("error", "critical"):
        return
    kind, value = raised[0]["exc_type"], raised[0]["exc_value"]
    is_lost_broker = any(kind == known and words in value for known, words in LOST_BROKER)
    if (kind not in EXPLAINED and not is_lost_broker) or UNEXPLAINED in value:
        yield f"{kind} in {name}: {value[:200]}"
