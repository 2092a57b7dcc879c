"""`manage.py confirm_account_change`: where there is no second administrator, whoever owns the server confirms."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recharge.core.errors import ServiceError
from recharge.models import AccountChange
from recharge.staff import wording
from recharge.staff.services import changes, concerned


class Command(BaseCommand):
    help = (
        "Confirm a change of somebody's rights that waits for a second administrator; without a number, list what "
        "waits. What is confirmed here stands in the audit trail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="?", type=int, help="of the change, as the list shows it")
        parser.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, number: int | None, yes: bool, **options: Any) -> None:
        waiting = AccountChange.objects.waiting().select_related("user", "group", "asked_by")
        if number is None:
            for change in waiting.order_by("id"):
                self._show(change)
            if not waiting.exists():
                self.stdout.write("Nothing is waiting.")
            return
        found = waiting.filter(pk=number).first()
        if found is None:
            raise CommandError(f"No change {number} waits for confirmation.")
        seen = changes.seen(found)  # before it is shown: what changes in between is noticed
        self._show(found)
        if not yes and input("Confirm it? Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was changed.")
        try:
            changes.confirm(change_id=number, was_seen=seen, actor=None)
        except ServiceError as error:
            raise CommandError(f"Nothing was changed: {error}") from None
        self.stdout.write("Confirmed: it is in effect now.")

    def _show(self, change: AccountChange) -> None:
        whom = change.user.get_username() if change.user else str(change.group)
        asked = f"asked for by {change.asked_by.get_username()}: {change.reason}"
        self.stdout.write(f"{change.pk}: {change.get_kind_display()}, {whom}, {asked}")
        for line in wording.added(change):
            self.stdout.write(f"    {line}")
        for heading, lines in concerned.told(change):
            self.stdout.write(f"    {heading}:")
            for line in lines:
                self.stdout.write(f"        {line}")
