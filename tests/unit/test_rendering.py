"""How texts of unknown origin are written on pages."""

import json

import pytest

from portal.web.rendering import in_sight, laid_out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("余额\u202e21", "余额[U+202E]21"),
        ("a\0b", "a[U+0000]b"),
        ("1\u200b2", "1[U+200B]2"),
        ("\ufeff{}", "[U+FEFF]{}"),
        ("\u2066x\u2069", "[U+2066]x[U+2069]"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("充值成功 ①", "充值成功 ①"),
    ],
)
def test_what_nobody_sees_is_named(text: str, shown: str) -> None:
    assert in_sight(text) == shown
    assert shown in laid_out(json.dumps({"msg": text}, ensure_ascii=False)) or "\n" in text or "\0" in text


def test_json_is_laid_out_and_hides_nothing() -> None:
    assert laid_out('{"status": "2"}') == '{\n  "status": "2"\n}'
    twice = '{"status": 2, "data": {"status": 3, "status": 4}}'
    assert laid_out(twice) == twice, "one of the two would be lost"
    deep = "[" * 100_000
    assert laid_out(deep) == deep
