"""Words in a sentence are listed as the reader's language lists them."""

from pathlib import Path

import pytest
from django.utils.translation import override

from portal.kit.lists import listed

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


@pytest.mark.parametrize(("language", "expected"), [("zh-hans", "50、100、200"), ("en", "50, 100, 200")])
def test_the_reader_s_language_has_its_own_comma(language: str, expected: str) -> None:
    with override(language):
        assert listed([50, 100, 200]) == expected
        assert listed([]) == ""


def test_no_template_joins_words_by_the_comma_of_one_language() -> None:
    texts = {template: template.read_text(encoding="utf-8") for template in TEMPLATES.rglob("*.html")}
    assert len(texts) > 100
    assert [template.name for template, text in texts.items() if 'join:"' in text] == []
