"""What is measured as it happens: how long the platform takes, and what its callbacks do."""

import os
import socket

from prometheus_client import Counter, Histogram, values


def _process() -> str:
    """Containers that share PROMETHEUS_MULTIPROC_DIR have the same process ids, but never the same host name."""
    return f"{socket.gethostname()}-{os.getpid()}"


if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    values.ValueClass = values.MultiProcessValue(_process)  # type: ignore[no-untyped-call]  # it has no types

PLATFORM_SECONDS = Histogram(
    "portal_platform_seconds",
    "How long the platform took, by call and outcome",
    ["call", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)
CALLBACKS = Counter("portal_callbacks", "Callbacks of the platform, by verdict", ["verdict"])
