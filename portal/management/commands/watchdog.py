"""`manage.py watchdog`: for cron or systemd, where web and workers may both be dead; exit status 1 for trouble."""

import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext as _

from recharge.alerts.services import sending, watchdog

AGAIN_AFTER = 3600
"""Seconds after which it tells once more that the database is away, where it can remember that it told."""


class Command(BaseCommand):
    help = "Look whether database, web, worker and scheduler are alive, and ring where not. Exit status 1 for trouble."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            troubles = watchdog.look_at_all()
        except (DatabaseError, InterfaceError) as error:
            troubles = [_("The database can't be reached: %(why)s") % {"why": type(error).__name__}]
            self._tell_without_database(troubles[0])
        else:
            _forget(_told())
        for trouble in troubles:
            self.stdout.write(trouble)
        if troubles:
            raise SystemExit(1)
        self.stdout.write("ok")

    def _tell_without_database(self, trouble: str) -> None:
        """Alerts and their messages are rows; where there are none, a file remembers that it was told."""
        told = _told()
        if told and told.exists() and time.time() - told.stat().st_mtime < AGAIN_AFTER:
            return
        for address in settings.ALERT_URLS:
            try:
                sending.send(address, sending.Letter(trouble, f"{settings.PUBLIC_URL}/"))
            except sending.Undeliverable as error:
                self.stderr.write(str(error))
            else:
                _remember(told)


def _told() -> Path | None:
    """Return the file whose age says when the database was told to be away; None where no folder was named for it."""
    folder = os.environ.get("STATE_DIRECTORY")
    return Path(folder) / "database-away" if folder else None


def _remember(told: Path | None) -> None:
    if told:
        told.touch()


def _forget(told: Path | None) -> None:
    if told:
        told.unlink(missing_ok=True)
