"""`manage.py check_books`: check the portal's own books now; the exit status is 1 where a check is broken."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recharge.books.services import checks


class Command(BaseCommand):
    help = "Check the portal's own books. The exit status is 1 where a check is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object for each check")
        parser.add_argument("--full", action="store_true", help="look at every order, however many there are")

    def handle(self, *args: Any, full: bool, **options: Any) -> None:
        results = checks.check_all(full=full)
        if options["json"]:
            self.stdout.write(json.dumps([self._told(result) for result in results], ensure_ascii=False, indent=1))
        else:
            for result in results:
                verdict = f"BROKEN: {', '.join(result.broken[:10])}" if result.broken else "ok"
                self.stdout.write(f"{result.check.label}: {verdict} ({result.seconds:.2f} s)")
        if any(result.broken for result in results):
            raise SystemExit(1)

    def _told(self, result: checks.Result) -> dict[str, object]:
        return {
            "check": result.check.name,
            "label": str(result.check.label),
            "ok": not result.broken,
            "broken": len(result.broken),
            "rows": result.broken,
            "seconds": round(result.seconds, 3),
        }
