"""`manage.py reset_factors`: for the last administrator, who has lost his telephone and his recovery codes."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts.services import reset_factors


class Command(BaseCommand):
    help = (
        "Takes all second factors from somebody and ends his sign-ins. He sets up new ones at his next sign-in, for "
        "which his password is needed. It is written down in the portal's history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"Nobody is called {username}.")
        reset_factors(user, actor=None)
        self.stdout.write(f"{username} has no second factor any more and is signed out everywhere.")
