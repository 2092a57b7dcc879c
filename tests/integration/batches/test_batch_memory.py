"""A list of 100,000 rows goes through the whole portal as a stream: the upload, its preview, and the making."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.sheets import MAX_ROWS
from tests.benchmarks.rig import PRODUCTION, migrate
from tests.processes import ROOT
from tests.unit.sheets.lists import large_csv, large_xlsx

pytestmark = pytest.mark.servers  # it brings its own process and database, and takes a minute: once is enough
MEBIBYTE = 1024 * 1024
MAX_WHILE_MAKING = 128


@pytest.mark.parametrize(("name", "make", "most"), [("list.csv", large_csv, 64), ("list.xlsx", large_xlsx, 128)])
def test_memory_hardly_grows_while_the_largest_list_becomes_a_batch(
    tmp_path: Path, name: str, make: Callable[[int], bytes], most: int
) -> None:
    path, database = tmp_path / name, f"sqlite:///{tmp_path}/portal.sqlite3"
    path.write_bytes(make(MAX_ROWS))
    migrate(database)
    result = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.batch_inside", str(path)],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, "DATABASE_URL": database, "CELERY_BROKER_URL": "memory://"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    measured = json.loads(result.stdout)
    assert measured["rows"] == MAX_ROWS
    # What is measured includes the upload: less would mean that the measuring is broken.
    assert path.stat().st_size < measured["looking"] < most * MEBIBYTE
    assert measured["looking"] <= measured["making"] < MAX_WHILE_MAKING * MEBIBYTE
