"""Runs what rides on private points of a package against other versions of that package than the one that is installed.

    .venv/bin/python -m tests.versions [--few] [django | urllib3 | requests]

Each version is put into a folder of its own in front of the installed one; nothing that is installed changes. Ends with
status 1 where a test fails. Whoever raises one of these packages, or its lower bound, adds the version here.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ridden:
    """A package, the versions of it that are tried, and the tests of what stands on its inside."""

    versions: tuple[str, ...]
    tests: tuple[str, ...]


GATEWAY = ("tests/unit/gateway",)
RIDDEN = {
    "django": Ridden(("5.2", "5.2.9"), ("tests/integration/portal/test_compiled_queries.py",)),
    "urllib3": Ridden(("2.2.3", "2.3.0", "2.4.0", "2.5.0", "2.6.3", "2.7.0"), GATEWAY),
    "requests": Ridden(("2.32.5", "2.33.1"), GATEWAY),
}
"""For each minor version its last one; of Django, whose 5.2 is the only one that the portal runs on, its first, too."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="name", help=", ".join(RIDDEN))
    options.add_argument("--few", action="store_true", help="only the oldest and the newest of each")
    said = options.parse_args()
    failed = []
    for name in said.names or RIDDEN:
        versions = RIDDEN[name].versions
        chosen = dict.fromkeys((versions[0], versions[-1])) if said.few else versions
        failed += [f"{name} {version}" for version in chosen if not passes(name, version)]
    print(f"Failed: {', '.join(failed)}." if failed else "All passed.")
    sys.exit(bool(failed))


def passes(name: str, version: str) -> bool:
    """Say whether the tests of `name` pass with this version of it."""
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"]
        subprocess.run([*install, "--target", folder, f"{name}=={version}"], check=True)
        imported = f"import {name}; print({name}.__version__, {name}.__file__)"
        used = run(["-c", imported], folder).stdout.split()
        assert used[1].startswith(folder), f"{name} {version} is not what would be tested, but {used}"
        pytest = ["-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-m", "not servers"]
        tests = run([*pytest, *RIDDEN[name].tests], folder)
        print(f"{name} {used[0]}: {tests.stdout.strip().splitlines()[-1]}", flush=True)
        if tests.returncode:
            print(tests.stdout)
        return not tests.returncode


def run(arguments: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": folder}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    main()
