"""`manage.py backup --to DIR`: back the database up, read the backup back, and keep the latest ones."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal import backups
from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal
from recharge.limits.services import restore_guard
from recharge.models import Seal


class Command(BaseCommand):
    help = "Back the database up into a directory, read the backup back, and keep the latest ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, metavar="DIR")
        parser.add_argument("--keep", type=int, default=14, metavar="N", help="how many backups stay (default: 14)")

    def handle(self, *args: Any, to: str, keep: int, **options: Any) -> None:
        if keep < 1:
            raise CommandError("--keep must be 1 at least.")
        sealed = Seal.objects.order_by("-pk").values_list("digest", flat=True).first()
        try:
            path = backups.make(Path(to), now=timezone.localtime(), keep=keep)
        except backups.BackupFailed as failed:
            raise CommandError(f"No backup was made: {failed}") from None
        restore_guard.advance()  # from here on the backup is known to be older than the database
        record_of_portal(PortalEventKind.BACKED_UP, note=f"{path.name}, {path.stat().st_size:,} bytes")
        self.stdout.write(f"{path} ({path.stat().st_size:,} bytes) was made and read back.")
        if sealed:
            self.stdout.write(f"The newest link of the histories in it adds up to {sealed}.")
