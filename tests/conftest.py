import os
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

from recharge.limits.services import restore_guard

# How long an example takes tells of what else the machine does.
hypothesis_settings.register_profile("portal", deadline=None)
hypothesis_settings.load_profile("portal")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Put SQLite's test database into a file where other processes must reach it, see TEST_DATABASE_FILE."""
    database = settings.DATABASES["default"]
    if os.environ.get("TEST_DATABASE_FILE") and "sqlite" in database["ENGINE"]:
        database["TEST"]["NAME"] = str(Path(tmp_path_factory.mktemp("database")) / "test.sqlite3")


@pytest.fixture(autouse=True)
def _generation_unseen() -> None:
    """Each test has a database of its own, which this process has not seen yet."""
    restore_guard._seen.forget()
