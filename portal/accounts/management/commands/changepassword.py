"""`manage.py changepassword`: Django's, written down in the audit trail."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User

from portal.accounts.management.telling import told_of
from portal.kit.audit import COMMAND_LINE, tell


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        with told_of(_tell):
            return super().handle(*args, **options)


def _tell(user: User) -> None:
    tell("PASSWORD_SET", actor=None, about=f"user:{user.pk}", by=COMMAND_LINE)
