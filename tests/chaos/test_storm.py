"""A storm over the whole portal, as `make chaos` has it: nothing is pushed twice, lost or forgotten, both books agree.

STORM_ORDERS, STORM_KILLS and STORM_SEED say how much; the seed is printed, and replays the plan.
"""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

pytestmark = [pytest.mark.servers, pytest.mark.postgresql]

ORDERS, KILLS, SEED = (os.environ.get(f"STORM_{name}", "") for name in ("ORDERS", "KILLS", "SEED"))


def test_the_portal_survives_a_storm() -> None:
    options = {"orders": ORDERS or "5000", "kills": KILLS or "30", "seed": SEED}
    arguments = [f"--{name}={value}" for name, value in options.items() if value]
    storm = subprocess.run(
        [sys.executable, "-m", "tests.chaos.storm", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    print(storm.stdout)
    assert storm.returncode == 0, storm.stdout[-20_000:] + storm.stderr[-5_000:]
