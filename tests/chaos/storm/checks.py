"""The portal's own checks of its books, by `manage.py check_books`."""

import json
from typing import Any

from .shop import Shop
from .verdict import Verdict

NAME = "checks broken"


def run_checks(shop: Shop, verdict: Verdict) -> None:
    """Let the portal check its books, and note which checks are broken."""
    done = shop.try_to_run("check_books", "--json")
    if "Unknown command" in done.stderr:
        verdict.figures[NAME] = "not run"
        return
    verdict.broken[NAME] = list(_broken(done.stdout))
    if done.returncode and not verdict.broken[NAME]:
        verdict.broken[NAME] = [f"check_books ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}"]


def _broken(text: str) -> list[str]:
    try:
        told: Any = json.loads(text)
    except ValueError:
        return []
    checks = told.get("checks", []) if isinstance(told, dict) else told
    return [json.dumps(check, ensure_ascii=False) for check in checks if check.get("broken")]
