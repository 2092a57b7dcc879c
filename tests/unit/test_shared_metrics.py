"""Several processes share their figures in a directory, those of different containers too."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

PROJECT = Path(__file__).resolve().parents[2]
COUNT_ONE = """
import os, socket
os.getpid, socket.gethostname = lambda: 7, lambda: "{host}"
from portal.metrics import CALLBACKS
CALLBACKS.labels("applied").inc()
"""


def count_one(directory: Path, host: str) -> None:
    """Count one callback in the process 7 of a container."""
    environment = {"PATH": os.environ["PATH"], "PROMETHEUS_MULTIPROC_DIR": str(directory)}
    command = [sys.executable, "-c", COUNT_ONE.format(host=host)]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=60)


def test_processes_of_different_containers_write_into_different_files(tmp_path: Path) -> None:
    for host in ("web", "orders", "orders"):
        count_one(tmp_path, host)
    assert {path.name for path in tmp_path.glob("counter*")} == {"counter_web-7.db", "counter_orders-7.db"}
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))  # type: ignore[no-untyped-call]
    assert registry.get_sample_value("portal_callbacks_total", {"verdict": "applied"}) == 3
