"""The portal's settings for tests, which never meet the credentials of somebody's shop."""

import os

os.environ["DOTENV_PATH"] = os.devnull  # for the processes that tests start, too

# Tests that run side by side have a database each; where the broker is Redis, they get one of its databases each, too.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    server, _, number = os.environ.get("CELERY_BROKER_URL", "").rpartition("/")
    if server.startswith("redis:"):
        os.environ["CELERY_BROKER_URL"] = f"{server}/{int(number) + int(worker)}"

from portal.settings import *  # noqa: F403  (the same settings, but for what follows)

TESTING = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the others are slow on purpose
WHITENOISE_AUTOREFRESH = True  # else every test client lists all static files
MFA_REQUIRED = (
    "none"  # personas are signed in by force; tests about second factors ask for the fixture `factors_required`
)
