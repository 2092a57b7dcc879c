"""`manage.py verify_trail`: compare all history with its seals; the exit status is 1 where a row does not fit."""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recharge.models import Seal
from recharge.trail.services import noted, sealing, verifying

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compare the histories of orders, batches, cards and the portal with the chain of their seals, from the first "
        "link on. Names the first row that does not fit, and others after it; the exit status is 1 where there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seal", action="store_true", help="seal first what is due, which else happens by itself")
        parser.add_argument(
            "--digest",
            action="append",
            default=[],
            metavar="HEX",
            help="a digest that was noted earlier and must still be in the chain; may be given again; "
            "- reads digests, or the log, from standard input",
        )

    def handle(self, *args: Any, seal: bool, digest: list[str], **options: Any) -> None:
        digests = list(dict.fromkeys(found for given in digest for found in self._digests(given)))
        while seal and sealing.seal_what_is_due():
            pass
        wrong = list(islice(verifying.verify_all(), SHOWN))
        for sentence in wrong:
            self.stdout.write(sentence)
        missing = noted.missing(digests)
        self._tell(digests, missing)
        newest = Seal.objects.order_by("-pk").first()
        if newest:
            self.stdout.write(f"{Seal.objects.count()} links; the newest, {newest.pk}, adds up to {newest.digest}.")
        for table, rows in verifying.unsealed().items():
            self.stdout.write(f"{table}: {rows} rows are not sealed yet.")
        if wrong or missing:
            raise SystemExit(1)

    def _digests(self, given: str) -> Iterator[str]:
        found = list(noted.digests_in(sys.stdin if given == "-" else [given]))
        if not found:
            raise CommandError(f"There is no digest in {'standard input' if given == '-' else given}.")
        yield from found

    def _tell(self, digests: list[str], missing: list[str]) -> None:
        for digest in missing[:SHOWN]:
            self.stdout.write(f"No link adds up to {digest}, which was noted: links were taken off the chain.")
        if missing:
            self.stdout.write(f"{len(missing):,} of {len(digests):,} noted digests are not in the chain.")
        elif digests:
            self.stdout.write(f"All {len(digests):,} noted digests are in the chain.")
