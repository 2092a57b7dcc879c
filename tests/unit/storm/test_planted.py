"""The bugs that are planted on purpose still fit into the code that they are planted in."""

import subprocess

import pytest

from tests.chaos.planted.patches import Patch, patches
from tests.processes import ROOT


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: str(patch.path.stem))
def test_a_planted_bug_can_be_planted(patch: Patch) -> None:
    check = ["git", "apply", "--check", "-p1", str(patch.path)]
    found = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
