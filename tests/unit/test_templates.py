"""What no template may hold, since the policy for contents forbids it, or since it would show words as markup."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PYTHON = [path for folder in ("portal", "recharge", "oilcards") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    "forbidden",
    [
        r"\sstyle=",
        r"<style",
        r"<script(?![^>]*(?:src=|type=\"application/json\"))",
        r"\son(?!ly=)\w+\s*=",
        r"hx-on",
        r"javascript:",
        r"\|\s*safe\b",
        r"autoescape\s+off",
        r"(?:src|href)=\"(?:https?:)?//",
    ],
)
def test_no_template_holds(forbidden: str) -> None:
    assert len(TEMPLATES) > 100
    found = [path.name for path in TEMPLATES if re.search(forbidden, path.read_text())]
    assert not found


def test_nothing_is_declared_to_be_markup_but_by_format_html() -> None:
    forbidden = re.compile(r"\bmark_safe\b|SafeString\((?!\"\"\))|\b(?:eval|exec)\(|pickle|yaml\.load")
    found = [path.name for path in PYTHON if forbidden.search(path.read_text())]
    assert not found
