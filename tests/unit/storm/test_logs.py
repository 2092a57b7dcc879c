"""Errors in the logs of a storm: those that nobody's death explains are seen."""

import json
from pathlib import Path

import pytest

from tests.chaos.storm.logs import unexpected_errors


def write(folder: Path, *lines: str) -> None:
    Path(folder, "worker one.log").write_text("\n".join(["celery@… ready.", *lines, '{"cut": "off by a ki']))


def line(kind: str, value: str = "", level: str = "error") -> str:
    raised = [{"exc_type": kind, "exc_value": value}, {"exc_type": "KeyError", "exc_value": "while it was handled"}]
    return json.dumps({"level": level, "event": "task_failed", "exception": raised})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("IntegrityError", "CHECK constraint failed"), ("OperationalError", "deadlock detected"), ("AttributeError", "x")],
)
def test_an_error_of_ours_is_seen(tmp_path: Path, kind: str, value: str) -> None:
    write(tmp_path, line(kind, value), line(kind, value))
    assert unexpected_errors(tmp_path) == [f"2 times {kind} in worker one: {value}"]


def test_lost_connections_and_warnings_are_not(tmp_path: Path) -> None:
    write(tmp_path, line("OperationalError", "the connection is closed"), line("KeyError", level="warning"))
    assert unexpected_errors(tmp_path) == []
