"""The Celery application: `celery -A portal worker -P threads` and `celery -A portal beat`."""

import os

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def _refuse_memory_broker(**kwargs: object) -> None:
    """`celery worker` with the embedded broker would wait for ever for what never comes."""
    from .checks import refuse_memory_broker

    refuse_memory_broker()
