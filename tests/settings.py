"""The portal's settings for tests, which never meet the credentials of somebody's shop."""

import os

os.environ["DOTENV_PATH"] = os.devnull  # for the processes that tests start, too

from portal.settings import *  # noqa: F403  (the same settings, but for what follows)

TESTING = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the others are slow on purpose
