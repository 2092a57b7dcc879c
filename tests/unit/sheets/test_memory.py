"""A list of 100,000 rows is a stream: reading it takes little more memory than the upload itself."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.sheets import MAX_ROWS
from tests.unit.sheets.lists import large_csv, large_xlsx

ROOT = Path(__file__).resolve().parents[3]
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(("name", "make", "most"), [("list.csv", large_csv, 64), ("list.xlsx", large_xlsx, 128)])
def test_memory_hardly_grows_for_the_largest_list(
    tmp_path: Path, name: str, make: Callable[[int], bytes], most: int
) -> None:
    path = tmp_path / name
    path.write_bytes(make(MAX_ROWS))
    command = [sys.executable, "-m", "tests.benchmarks.reading_inside", str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    measured: Any = json.loads(result.stdout) if result.returncode == 0 else result.stderr
    assert measured["rows"] == MAX_ROWS
    # What is measured includes the upload: less would mean that the measuring is broken.
    assert path.stat().st_size * 0.9 < measured["growth"] < most * MEBIBYTE
