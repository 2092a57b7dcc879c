"""The portal's settings as in production, but for assets that are not collected: no benchmark is about them."""

from portal.settings import *  # noqa: F403  (the same settings, but for what follows)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SECURE_SSL_REDIRECT = False  # nothing takes the TLS off before `manage.py serve` here
