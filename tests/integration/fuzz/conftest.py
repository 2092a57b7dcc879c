import os
from typing import Any

import pytest

from .canaries import lines
from .running import Tally

__all__ = ["lines"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what was put in and what came of it, where FUZZ asked for more than the ordinary few."""
    if "FUZZ" not in os.environ:
        return
    found: dict[str, Tally] = {}
    for report in terminalreporter.getreports("passed"):
        for name, said in report.user_properties:
            if name == "fuzz":
                tally = found.setdefault(said["what"], Tally(said["what"], seeds=[]))
                tally.add(said)
    for tally in found.values():
        terminalreporter.write_line(str(tally))


@pytest.fixture
def keep(record_property: Any) -> Any:
    """Take a tally to the summary."""
    return lambda tally: record_property("fuzz", tally.told())
