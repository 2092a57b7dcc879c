"""`manage.py read_list FILE|-`: print what would be read in a list, line by line; nothing is kept or placed."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.sheets import UnreadableSheet
from recharge.batches.services.list_reading import ReadList
from recharge.batches.services.reading import Line, judged_pieces
from recharge.batches.services.uploading import open_remembered
from recharge.choices import Product, Speed


class Command(BaseCommand):
    help = "Print what would be read in a list, one object for each line that is about an order. Nothing is placed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("list", metavar="FILE", help="a file, or - for text from the standard input")
        parser.add_argument("--product", choices=["mobile", "oil"], default="mobile")
        parser.add_argument("--value-for-all", type=int, metavar="YUAN", help="the value of lines that have none")
        parser.add_argument("--json", action="store_true", help="one JSON object for each line")

    def handle(self, *args: Any, **options: Any) -> None:
        product, path = Product(options["product"].upper()), options["list"]
        try:
            content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as error:
            raise CommandError(str(error)) from error
        skipped = 0
        try:
            found, _chosen = open_remembered(
                content,
                file_name="" if path == "-" else Path(path).name,
                product=product,
                value_for_all=options["value_for_all"],
            )
            for notice in notices(found):
                self.stderr.write(notice)
            for piece in judged_pieces(found.entries, product):
                for line in piece:
                    if line.is_chatter:
                        skipped += 1
                    else:
                        self._print(told(line, product), as_json=options["json"])
        except UnreadableSheet as refusal:
            raise CommandError(str(refusal)) from refusal
        if skipped:
            self.stderr.write(f"{skipped} lines are about no order and were skipped.")

    def _print(self, said: dict[str, object], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(said, ensure_ascii=False))
        else:
            self.stdout.write("\t".join(f"{name}={value}" for name, value in said.items() if value not in ("", None)))


def notices(found: ReadList) -> list[str]:
    """Return what is to be known about a list as a whole."""
    ignored = found.layout.ignored if found.layout else []
    return [found.notice] * bool(found.notice) + [f"Ignored columns: {', '.join(ignored)}"] * bool(ignored)


def told(line: Line, product: str) -> dict[str, object]:
    """Return what a line says, by name; of a card no more than its last four digits."""
    order, cells = line.order, line.row.cells
    target = {"mobile": order.mobile if order else cells.get("mobile", "")}
    if product == Product.OIL:
        target = {"card": "".join(filter(str.isdigit, cells["card_number"]))[-4:]}
    return {
        "line": line.row.line,
        **target,
        "face_value": order.face_value if order else None,
        "speed": Speed(order.speed).name.lower() if order else None,
        "note": order.note if order else "",
        "problem": line.problem,
        "read_freely": line.reading is not None and line.reading.read_freely,
    }
