"""The portal's settings as in production, on a machine that has neither TLS nor another platform than the stand-in.

Nobody there has a second factor either, see MFA_REQUIRED in `shop.py`.
"""

from tests.benchmarks.settings import *  # noqa: F403  (production's settings, without collected assets)
from tests.benchmarks.settings import SILENCED_SYSTEM_CHECKS as _SILENCED

SILENCED_SYSTEM_CHECKS = [*_SILENCED, "portal.E004", "portal.E005", "portal.E018"]
