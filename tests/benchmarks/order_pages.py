"""The list and the page of an order, with 10,000 orders and with 1,000,000: `python -m tests.benchmarks.order_pages`.

Two databases alike but for their size, and a process for each that asks for pages through Django's test client; they
take turns, page by page. Every filter finds a full page in both, so that nothing but the size differs. Then PostgreSQL
explains every statement about orders: none may read a whole table.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any, Self

from . import rig

SMALL, LARGE = 10_000, 1_000_000
WANTED = 1.2
WARM_UPS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--orders", type=int, default=LARGE, help="in the large database")
    parser.add_argument("--only", default="", help="the pages whose names begin so, such as 'desk'")
    parser.add_argument("--answer", action="store_true", help="be the process that asks for pages")
    options = parser.parse_args()
    if options.answer:
        answer()
        return
    rig.begin("order pages")
    with ExitStack() as stack:
        sizes = (SMALL, options.orders)
        reader_of = {}
        for size in sizes:
            started = time.monotonic()
            database = stack.enter_context(rig.postgresql(f"pages_{size}"))
            reader_of[size] = stack.enter_context(Reader(database, size))
            print(f"  {size:,} orders are there after {time.monotonic() - started:.0f} s", flush=True)
        small, large = (reader_of[size] for size in sizes)
        slow = 0
        print(f"  {'':32} {'small':>8} {'large':>8}   large : small (quartiles)   database only")
        for name in filter(lambda name: name.startswith(options.only), small.ask("names")):
            slow += measure(name, small, large, options.rounds)
        print(f"  {slow} pages are slower than {WANTED} times")
        scans = [f"{name}: {plan}" for reader in (small, large) for name, plan in reader.ask("explain")]
        print(f"  {len(scans)} statements read a whole table", *scans, sep="\n    ")


def measure(name: str, small: "Reader", large: "Reader", rounds: int) -> bool:
    """Ask for a page in turns, print what it took, and say whether the large database is too slow."""
    took: dict[Reader, list[float]] = {small: [], large: []}
    statements: dict[Reader, list[float]] = {small: [], large: []}
    for number in range(WARM_UPS + rounds):
        for reader in (small, large) if number % 2 else (large, small):
            page, database = reader.ask(name)
            if number >= WARM_UPS:
                took[reader].append(page)
                statements[reader].append(database)
    ratio = median(took[large]) / median(took[small])
    low, _, high = quartiles([one / other for one, other in zip(took[large], took[small], strict=True)])
    mark = "  SLOW" if ratio > WANTED else ""
    print(
        f"  {name:32} {median(took[small]):6.1f}ms {median(took[large]):6.1f}ms   {ratio:.2f} ({low:.2f}-{high:.2f})"
        f"      {median(statements[small]):6.2f} -> {median(statements[large]):.2f} ms{mark}",
        flush=True,
    )
    return ratio > WANTED


def quartiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], median(ordered), ordered[len(ordered) * 3 // 4]


class Reader:
    """The process that has one of the databases."""

    def __init__(self, database: str, size: int) -> None:
        environment = {**os.environ, **rig.PRODUCTION, "DATABASE_URL": database, "BENCH_ORDERS": str(size)}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.order_pages", "--answer"],
            cwd=rig.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.ask("fill") == "filled"
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def ask(self, question: str) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(question, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"no answer to {question}"
        return json.loads(line)


def answer() -> None:
    """Be the process that has a database: answer one question a line."""
    rig.enter({name: os.environ[name] for name in ("DATABASE_URL",)})
    from . import order_pages_inside

    inside = order_pages_inside.Inside(int(os.environ["BENCH_ORDERS"]))
    questions: dict[str, Callable[[], object]] = {
        "fill": inside.fill,
        "names": lambda: list(inside.pages()),
        "explain": inside.whole_scans,
    }
    for line in sys.stdin:
        question = line.strip()
        result = questions[question]() if question in questions else inside.ask_for(question)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
