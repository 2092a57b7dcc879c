"""WSGI entry point for gunicorn; `manage.py serve` makes its own.

gunicorn runs none of Django's system checks, so they run here: a portal with unsafe settings must not start.
"""

import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

from portal.celery import refuse_memory_broker  # noqa: E402  (needs the apps to be ready)
from recharge.alerts.services import watchdog  # noqa: E402  (it needs what get_wsgi_application sets up)

refuse_memory_broker()
BaseCommand().check()
watchdog.start()
