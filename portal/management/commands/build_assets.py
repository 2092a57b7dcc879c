"""`manage.py build_assets`: take the few files that pages need out of node_modules, so that running needs no npm."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.web.icons import ICONS

MODULES = settings.BASE_DIR / "node_modules"
VENDOR = settings.BASE_DIR / "portal" / "static" / "vendor"
FILES = (
    "@tabler/core/dist/css/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js",
    "chart.js/dist/chart.umd.min.js",
)
# The maps are not served, and the manifest storage refuses a file that names one it can't find.
_SOURCE_MAP = re.compile(r"(?://[#@]\s*sourceMappingURL=\S+|/\*[#@]\s*sourceMappingURL=.*?\*/)")
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class Command(BaseCommand):
    help = "Copy the pages' assets from node_modules to portal/static/vendor."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        VENDOR.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            source = _read(MODULES / name)
            (VENDOR / Path(name).name).write_text(_SOURCE_MAP.sub("", source), encoding="utf-8")
        (VENDOR / "icons.svg").write_text(_sprite(), encoding="utf-8")
        self.stdout.write(f"{len(FILES)} files and {len(ICONS)} icons are in {VENDOR}")


def _sprite() -> str:
    symbols = "".join(f'<symbol id="{name}" viewBox="0 0 24 24">{_drawing(name)}</symbol>' for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'


def _drawing(name: str) -> str:
    match = _DRAWING.search(_read(MODULES / "@tabler/icons/icons/outline" / f"{name}.svg"))
    if match is None:
        raise CommandError(f"The icon {name} is no drawing.")
    return " ".join(match[1].split())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CommandError(f"{path} is missing: run `npm ci` first.") from None
