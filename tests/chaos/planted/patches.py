"""The planted bugs, as they lie here."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
STORM = "--orders=800 --kills=8 --seed=1"


@dataclass(frozen=True)
class Patch:
    """A bug, and what it breaks."""

    path: Path
    title: str
    breaks: str
    storm: str
    """The options of the storm that meets it, where the histories don't."""

    @property
    def name(self) -> str:
        return self.path.stem


def patches(*words: str) -> list[Patch]:
    """Return those whose names contain one of the words; all of them without any."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.patch"))]
    return [patch for patch in found if not words or any(word in patch.name for word in words)]


def _read(path: Path) -> Patch:
    head, _, _ = path.read_text(encoding="utf-8").partition("\n--- ")
    told = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return Patch(path, told["Title"], told["Breaks"], told.get("Storm", STORM))
