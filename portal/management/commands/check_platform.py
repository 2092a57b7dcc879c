"""`manage.py check_platform`: see whether the platform answers as it should; exit status 1 where a step failed."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recharge.platform.choices import Result
from recharge.platform.services import keeping
from recharge.platform.services.findings import Finding

MARKS = {Result.OK: "✓", Result.WARNING: "!", Result.FAILED: "✗", Result.NOT_TRIED: "–"}


class Command(BaseCommand):
    help = "Check whether the platform answers as it should. Spends nothing. The exit status is 1 where a step failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object for each step")

    def handle(self, *args: Any, **options: Any) -> None:
        found = keeping.check_now()
        if options["json"]:
            self.stdout.write(json.dumps([_told(one) for one in found], ensure_ascii=False, indent=1))
        else:
            for one in found:
                self._show(one)
        if any(one.result == Result.FAILED for one in found):
            raise SystemExit(1)

    def _show(self, one: Finding) -> None:
        self.stdout.write(f"{MARKS[one.result]} {one.step.label}: {one.words}")
        if one.follows:
            self.stdout.write(f"    → {one.follows}")
        if one.raw and one.result != Result.OK:
            self.stdout.write(f"    {' '.join(one.raw.split())}")


def _told(one: Finding) -> dict[str, Any]:
    label = str(one.step.label)
    return {**one.as_row(), "label": label, "words": one.words, "follows": one.follows}
