"""How fast lists of 100,000 rows are read, and how much memory that takes. Needs no server.

Each reading has a process of its own. Beside it stands what no reading can do without: `csv.reader` over the decoded
text, and expat over the unpacked sheet with empty handlers, in the same minute.
"""

import csv
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.parsers.expat import ParserCreate

from tests.unit.sheets.lists import large_csv, large_xlsx

ROOT = Path(__file__).resolve().parents[2]
ROWS = 100_000
ROUNDS = 5
MEBIBYTE = 1024 * 1024


def bare_csv(path: Path) -> None:
    with path.open(encoding="gb18030", newline="") as file:
        for _row in csv.reader(file):
            pass


def bare_xlsx(path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        for name in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"):
            parser = ParserCreate()
            parser.StartElementHandler = lambda name, attributes: None
            parser.EndElementHandler = lambda name: None
            parser.CharacterDataHandler = lambda data: None
            with package.open(name) as file:
                parser.ParseFile(io.BufferedReader(file))  # type: ignore[type-var]


def measured(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.reading_inside", str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return dict(json.loads(result.stdout))


def rate(read: Callable[[Path], None], path: Path) -> float:
    started = time.perf_counter()
    read(path)
    return ROWS / (time.perf_counter() - started)


def compare(path: Path, bare: Callable[[Path], None], most: int) -> None:
    ours, theirs, growths = [], [], []
    for _round in range(ROUNDS):
        result = measured(path)
        assert result["rows"] == ROWS
        ours.append(ROWS / result["seconds"])
        growths.append(result["growth"] / MEBIBYTE)
        theirs.append(rate(bare, path))
    ratio = statistics.median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
    print(f"{path.name}: {path.stat().st_size / MEBIBYTE:.1f} MiB, {ROWS:,} rows, {ROUNDS} rounds")
    print(f"  {statistics.median(ours):,.0f} rows/s ({min(ours):,.0f}-{max(ours):,.0f}), {ratio:.2f} of a bare parser")
    verdict = "ok" if max(growths) < most else "MISSED"
    print(f"  memory above idle at most {max(growths):.1f} MiB, allowed {most}: {verdict}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, make, bare, most in (
            ("list.csv", large_csv, bare_csv, 64),
            ("list.xlsx", large_xlsx, bare_xlsx, 128),
        ):
            path = Path(folder) / name
            path.write_bytes(make(ROWS))
            compare(path, bare, most)


if __name__ == "__main__":
    main()
