"""The same database settings, and nothing of the portal between the server and the bare views."""

from .settings import *  # noqa: F403  (the same settings, but for what follows)

MIDDLEWARE = []
SILENCED_SYSTEM_CHECKS = ["models.W040", "admin.E408", "admin.E409", "admin.E410"]  # no admin without middleware
ROOT_URLCONF = "tests.benchmarks.bare"
