"""Digests that were noted outside of the database: who takes links off the chain's end can't take these back."""

import re
from collections.abc import Iterable, Iterator

from recharge.models import Seal

DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)
SAID_BY = ("history_sealed", "adds up to")
"""What stands in the lines that tell a digest: the log's of each sealing, and those of the commands."""

AT_ONCE = 500


def digests_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield the digests that stand alone on a line, or in one about the chain; other lines hold other hashes."""
    for line in lines:
        if DIGEST.fullmatch(line.strip()) or any(words in line for words in SAID_BY):
            yield from (found.lower() for found in DIGEST.findall(line))


def missing(digests: Iterable[str]) -> list[str]:
    """Return those that no link adds up to, in the order given.

    They were taken off the end, or the chain was made anew; or the database is a backup that is older than they are.
    """
    every = list(dict.fromkeys(digests))
    there: set[str] = set()
    for at in range(0, len(every), AT_ONCE):
        there.update(Seal.objects.filter(digest__in=every[at : at + AT_ONCE]).values_list("digest", flat=True))
    return [digest for digest in every if digest not in there]
