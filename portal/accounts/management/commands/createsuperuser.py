"""`manage.py createsuperuser`: Django's, written down in the audit trail."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User

from portal.accounts.management.telling import told_of
from portal.kit.audit import COMMAND_LINE, tell


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        with told_of(_tell):
            return super().handle(*args, **options)


def _tell(user: User) -> None:
    flags = [flag for flag in ("is_active", "is_staff", "is_superuser") if getattr(user, flag)]
    tell("USER_ADDED", actor=None, about=f"user:{user.pk}", flags=flags, by=COMMAND_LINE)
