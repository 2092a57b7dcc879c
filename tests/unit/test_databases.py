"""No test begins with a database that other code has migrated."""

from pathlib import Path

import pytest

from tests import databases


@pytest.mark.parametrize(
    "path", ["recharge/migrations/0099_new.py", "portal/kit/append_only.py", "requirements-dev.lock"]
)
def test_whatever_is_changed_asks_for_a_database_of_its_own(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("portal/kit/append_only.py", "tests/settings.py", "requirements-dev.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    monkeypatch.setattr(databases, "ROOT", tmp_path)
    before = databases._fingerprint()
    assert databases._fingerprint() == before
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("as it is")
    assert databases._fingerprint() != before
