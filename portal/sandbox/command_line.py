"""The command line, the same for `manage.py sandbox` and for `python -m portal.sandbox`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import Sandbox
from .lives import LIVES, MIX
from .settings import DUPLICATE_POLICIES, ORDER_NO_QUERIES, Settings

OPTIONS = (
    *("host", "port", "books", "fresh", "balance", "app_key", "app_secret", "store_id"),
    *("pace", "latency", "life", "duplicates", "seed", "suffixes", "callbacks"),
    *("order_no_queries", "clock_offset", "unsigned", "missing_calls", "quirks"),
)
"""Of the command line, by the names that Sandbox knows them by."""
PROJECT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add, default = parser.add_argument, Settings()
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=9000, help="0: any free port")
    add("--books", default=str(PROJECT / "sandbox.sqlite3"), metavar="PATH", help="SQLite file, kept over a restart")
    add("--fresh", action="store_true", help="empty the books first")
    add("--balance", default="100000.00", metavar="YUAN", help="what new books begin with")
    add("--pace", type=float, default=default.pace, metavar="SECONDS", help="between two steps of an order's life")
    add("--latency", type=float, default=default.latency, metavar="SECONDS", help="before a call is acted on")
    add("--app-key", default=default.app_key)
    add("--app-secret", default=default.app_secret)
    add("--store-id", default=default.store_id)
    add("--life", default=default.life, choices=[*LIVES, MIX], help="of ordinary orders")
    add("--duplicates", default=default.duplicates, choices=DUPLICATE_POLICIES, help="what an order_no sent twice does")
    add("--seed", default=default.seed, help="fixes what looks random")
    add("--no-suffixes", dest="suffixes", action="store_false", help="last digits of a target mean nothing")
    add("--no-callbacks", dest="callbacks", action="store_false", help="every callback gets lost")
    add("--order-no-queries", default=default.order_no_queries, choices=ORDER_NO_QUERIES)
    add("--clock-offset", type=float, default=default.clock_offset, metavar="SECONDS", help="its clock is ahead")
    add("--unsigned", default=default.unsigned, metavar="NAMES", help="its signature leaves out client, format or both")
    add("--missing-calls", default=default.missing_calls, metavar="CALLS", help="such as Recharge/verify,Oil/query")
    add("--quirks", action="store_true", help="a byte order mark before answers, 1,234.50 as balance")


def serve(options: Mapping[str, Any]) -> None:
    """Run until SIGTERM or SIGINT. Signals reach the main thread only, so this must be it."""
    # Hundreds of threads that mostly wait: hand the interpreter over sooner than every 5 ms.
    sys.setswitchinterval(0.001)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with Sandbox(**{name: options[name] for name in OPTIONS}) as sandbox:
        sys.stdout.write(f"listening on {sandbox.root_url.rstrip('/')}\n")
        sys.stdout.flush()
        stopped.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description="A stand-in for the platform.")
    add_arguments(parser)
    serve(vars(parser.parse_args()))
