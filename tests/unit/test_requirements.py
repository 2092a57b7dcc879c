"""What is installed is locked: versions and hashes of everything, made from the short lists that people edit.

Whether a lock is complete pip finds out itself at every installation, with --require-hashes. What it can't know is
whether somebody edited a list and forgot `make lock`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("requirements", "requirements-dev", "requirements-node")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Locked(NamedTuple):
    version: str
    hashes: frozenset[str]
    named_in: frozenset[str]
    """The short lists that name it; those that only others need are in none."""


def wanted(name: str) -> Iterator[tuple[str, Requirement]]:
    """Yield (list, requirement) of each line of a short list, and of the lists that it includes."""
    for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from wanted(text.removeprefix("-r ").removesuffix(".txt"))
        elif text:
            yield name, Requirement(text)


def locked(name: str) -> dict[str, Locked]:
    """Return what a lock pins, by the packages' canonical names."""
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    pins: dict[str, Locked] = {}
    for block in re.split(r"\n(?=[a-z0-9])", "\n" + text)[1:]:
        requirement = Requirement(block.splitlines()[0].rstrip(" \\"))
        (pin,) = requirement.specifier
        assert pin.operator == "==", requirement
        named_in = re.findall(r"-r (\S+)\.txt", block)
        pins[canonicalize_name(requirement.name)] = Locked(
            pin.version, frozenset(HASH.findall(block)), frozenset(named_in)
        )
    return pins


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_fits_the_short_list(name: str) -> None:
    pins = locked(name)
    unfit = [
        str(requirement)
        for _, requirement in wanted(name)
        if canonicalize_name(requirement.name) not in pins
        or not requirement.specifier.contains(pins[canonicalize_name(requirement.name)].version)
    ]
    assert unfit == [], "run `make lock`"


@pytest.mark.parametrize("name", LISTS)
def test_nothing_stays_locked_that_was_taken_off_the_list(name: str) -> None:
    listed = {(source, canonicalize_name(requirement.name)) for source, requirement in wanted(name)}
    pinned = {(source, package) for package, pin in locked(name).items() for source in pin.named_in}
    assert pinned == listed, "run `make lock`"


@pytest.mark.parametrize("name", LISTS)
def test_everything_locked_has_its_hashes(name: str) -> None:
    pins = locked(name)
    assert pins
    assert [package for package, pin in pins.items() if not pin.hashes] == []


def test_tests_run_with_what_production_runs_with() -> None:
    development = locked("requirements-dev")
    for package, pin in locked("requirements").items():
        assert development[package][:2] == pin[:2], package


@pytest.mark.parametrize("name", LISTS)
def test_a_lock_names_no_place_to_install_from(name: str) -> None:
    """Where packages come from is a matter of the machine; the hashes say which ones are right."""
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    assert re.findall(r"://|^ *--(?!hash)\S+", text, re.MULTILINE) == []
