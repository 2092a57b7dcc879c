"""`manage.py after_restore`: let a restored database push orders again, without paying anything twice."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError

from recharge.limits.services import restore_guard
from recharge.operations.services import restoring

WORDS = {
    "unknown": "orders that waited become unknown and are asked about: {}",
    "asked": "orders that the platform has are asked about at once: {}",
    "doubted": "dead orders that may have been placed again can no longer be placed again by a click: {}",
    "batches": "batches are ended: {}",
    "drafts": "uploads are forgotten: {}",
    "cards": "oil cards are in doubt, a person has to look them up: {}",
    "sessions": "sessions end, everybody signs in again: {}",
}


class Command(BaseCommand):
    help = "Put a restored database in order, and let orders be pushed from it again. Stop web, workers and beat first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be done, in numbers")
        parser.add_argument(
            "--belong-together",
            metavar="REASON",
            help="change no order: this database was not restored, only what stood beside it was lost",
        )

    def handle(self, *args: Any, dry_run: bool, belong_together: str | None, **options: Any) -> None:
        try:
            if belong_together:
                if dry_run:
                    raise CommandError("--belong-together changes no order: there is nothing to try out.")
                restore_guard.belong_together(actor=None, reason=belong_together)
            else:
                self._put_in_order(dry_run=dry_run)
        except (OSError, OperationalError) as error:
            raise CommandError(f"Nothing was done: the place beside the database can't be reached ({error}).") from None
        if not dry_run:
            self.stdout.write("Orders may be pushed from this database again.")

    def _put_in_order(self, *, dry_run: bool) -> None:
        numbers = restoring.put_in_order(dry_run=dry_run)
        for name, words in WORDS.items():
            self.stdout.write(("would: " if dry_run else "") + words.format(f"{numbers[name]:,}"))
