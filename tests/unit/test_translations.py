"""Chinese first: every word of the screens has its translation, and nobody forgot to extract one."""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "portal/locale/zh_Hans/LC_MESSAGES/django.po"
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)\w|\{\w*\}")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    assert value is not None
    return [value] if isinstance(value, str) else list(value)


def test_every_message_is_translated(catalogue: Catalog) -> None:
    missing = [message.id for message in catalogue if message.id and not all(texts(message.string))]
    assert not missing
    assert not [message.id for message in catalogue if message.id and message.fuzzy]


def test_placeholders_survive_translation(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            wanted = set(PLACEHOLDER.findall(texts(message.id)[0]))
            for text in texts(message.string):
                assert set(PLACEHOLDER.findall(text)) == wanted, message.id


def test_every_marked_text_is_in_the_catalogue(catalogue: Catalog) -> None:
    known = {text for message in catalogue if message.id for text in texts(message.id)}
    marked = set()
    for folder in ("portal", "recharge", "oilcards"):
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=KEYWORDS):
            marked |= set(texts(message))
    for path in (ROOT / "templates").rglob("*.html"):
        code = templatize(path.read_text())  # what makemessages does, too
        lines = BytesIO("\n".join(line.strip() for line in code.splitlines()).encode())
        for _, message, _, _ in extract("python", lines, keywords=KEYWORDS):
            marked |= set(texts(message))
    assert len(marked) > 150
    assert sorted(marked - known) == []


def test_compiled_catalogue_is_what_people_see() -> None:
    script = (
        "import django; django.setup();"
        "from django.utils import translation; translation.activate('zh-hans');"
        "from recharge.status import Status; print(Status.SUCCEEDED.label)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={"DJANGO_SETTINGS_MODULE": "portal.settings", "PATH": "", "PYTHONIOENCODING": "utf-8"},
    )
    assert result.stdout.strip() == "充值成功", result.stderr
