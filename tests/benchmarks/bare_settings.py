"""The same database settings, and nothing of the portal between the server and the bare views."""

from .settings import *  # noqa: F403

MIDDLEWARE = []
ROOT_URLCONF = "tests.benchmarks.bare"
