"""Both forges run all steps of .ci/run, and none that it doesn't have."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def steps_of_ci() -> set[str]:
    (names,) = re.findall(r"^ALL=\((.+)\)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    return set(names.split())


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".gitlab-ci.yml"])
def test_a_forge_runs_every_step(path: str) -> None:
    lists = re.findall(r"step: \[(.+)\]", (ROOT / path).read_text(encoding="utf-8"), re.IGNORECASE)
    assert {name for names in lists for name in names.replace(",", " ").split()} == steps_of_ci()


def test_every_step_is_there() -> None:
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert [name for name in steps_of_ci() if f"\n{name}() {{\n" not in text] == []
