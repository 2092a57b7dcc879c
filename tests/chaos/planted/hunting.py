"""Looking for a bug in a copy of the project: by the histories first, then by a storm."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .patches import Patch

ROOT = Path(__file__).resolve().parents[3]
HISTORIES = (
    *("-m", "pytest", "-q", "-x", "-n", "2", "-p", "no:cacheprovider", "-p", "tests.chaos.planted.unshrunk"),
    *("--hypothesis-seed=0", "tests/integration/fulfilment/test_order_histories.py"),
)
STORM = ("-m", "tests.chaos.storm")
FAILED = 1
"""The exit status of both where they have found something; any other says that they could not look."""
INTERRUPTED = 2
"""That of pytest where several processes found something at once, and where it could not even begin."""

GRACE = 60.0


@dataclass(frozen=True)
class Budget:
    """How much may be looked."""

    histories: int = 400
    seconds: float = 600.0
    """Of each of the two."""


@dataclass(frozen=True)
class Find:
    """What came of looking for a bug."""

    by: str
    """"" where it survived."""
    seconds: float
    told: str = ""
    """The last lines of who found it, or of who could not look."""


class CouldNotLook(Exception):
    """The patch doesn't apply, or a test could not run; the message says what was seen."""


def hunt(patch: Patch | None, budget: Budget) -> Find:
    """Look for a bug in a copy of the project.

    Args:
        patch: the bug; None looks through the project as it is, where nothing may be found.
        budget: how much may be looked.

    Raises:
        CouldNotLook: neither found nor survived.
    """
    began = time.monotonic()
    with copy_of_project() as copy:
        if patch:
            plant(patch, copy)
        for by, command, environment in _hunters(patch, budget):
            status, told = _run(command, copy, environment, budget.seconds)
            found = status == FAILED or (status == INTERRUPTED and "\nFAILED " in told)
            if not found and status not in (0, None):
                raise CouldNotLook(f"{by} ended with {status}: {told}")
            if found:
                return Find(by, time.monotonic() - began, told)
    return Find("", time.monotonic() - began)


@contextmanager
def copy_of_project() -> Iterator[Path]:
    """Give a folder with all files that git keeps or would keep, as they are now; delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        known = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
        for name in filter(None, known.stdout.split("\0")):
            source, target = ROOT / name, Path(folder, name)
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        Path(folder).chmod(0o755)
        yield Path(folder)


def plant(patch: Patch, copy: Path) -> None:
    """Apply a patch.

    Raises:
        CouldNotLook: it doesn't apply.
    """
    done = subprocess.run(["git", "apply", "-p1", str(patch.path)], cwd=copy, capture_output=True, text=True)
    if done.returncode:
        raise CouldNotLook(f"doesn't apply: {done.stderr.strip()}")


def _hunters(patch: Patch | None, budget: Budget) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, str]]]:
    yield "histories", HISTORIES, {"HISTORIES": str(budget.histories)}
    if patch:
        yield "storm", (*STORM, *shlex.split(patch.storm)), {}


def _run(
    command: tuple[str, ...], copy: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int | None, str]:
    """Run a test until it ends or its time is up; return its exit status, None in the latter case, and last words."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=copy,
        env={**_clean_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return None, ""
    except BaseException:
        _end(process)
        raise
    return process.returncode, told[-3000:]


def _clean_environment() -> dict[str, str]:
    """Leave out what would lead the copy to a database that others use."""
    ours = ("DATABASE_URL", "CELERY_BROKER_URL", "PYTHONPATH", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
