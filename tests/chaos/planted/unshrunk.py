"""A plugin for pytest: whoever looks for a planted bug wants to know whether there is one, not its shortest history."""

import pytest
from hypothesis import Phase, settings


def pytest_collection_finish(session: pytest.Session) -> None:
    """Come after the project's own profile."""
    settings.register_profile("hunt", settings.default, phases=[Phase.generate])
    settings.load_profile("hunt")
