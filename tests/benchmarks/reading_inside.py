"""The process in which a list is read, and nothing else: `python -m tests.benchmarks.reading_inside FILE`.

Prints as JSON how many rows there were, how long it took, and by how much memory rose above that of the idle process,
the upload itself counted, at its highest.
"""

import json
import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


def memory(what: str) -> int:
    """Return VmRSS (now) or VmHWM (at its highest) in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(what)


def main(path: Path) -> None:
    django.setup()
    from portal.sheets import read
    from tests.unit.sheets.lists import COLUMNS

    assert [row.line for row in read(b"mobile,amount\n1,2\n", file_name="", columns=COLUMNS)] == [2]
    idle = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets what was the highest while starting
    content = path.read_bytes()
    started = time.perf_counter()
    good = sum(not row.problems for row in read(content, file_name=path.name, columns=COLUMNS))
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": good, "seconds": seconds, "growth": memory("VmHWM") - idle}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
