"""The lines of a sheet of which no orders were made: kept with the batch, so that every line's fate can be told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recharge.models import Batch, LeftOutLines

from .reading import packed, unpacked


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line as the sheet had it, by our names of its columns, and why nothing came of it."""

    line: int
    problem: str
    cells: Mapping[str, str]


def keep(batch: Batch, lines: Sequence[SkippedLine]) -> None:
    """Keep lines with a batch that was just made, encrypted like the sheet itself, in the caller's transaction."""
    if lines:
        rows = json.dumps([(line.line, line.problem, line.cells) for line in lines], ensure_ascii=False)
        LeftOutLines.objects.create(batch=batch, content=packed(rows.encode()))
        batch.left_out = len(lines)
        batch.save(update_fields=["left_out"])


def skipped_lines_of(batch: Batch) -> list[SkippedLine]:
    """Return the lines that were left out when a batch was made, in the sheet's order."""
    kept = LeftOutLines.objects.filter(batch=batch).first()
    if kept is None:
        return []
    return [SkippedLine(*row) for row in json.loads(unpacked(kept.content))]
