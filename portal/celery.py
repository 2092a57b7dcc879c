"""The Celery application: `celery -A portal worker -P threads` and `celery -A portal beat`."""

import os
import sys
import threading
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import celeryd_init, worker_shutting_down
from django.conf import settings
from django.dispatch import receiver
from django_structlog.celery.signals import bind_extra_task_metadata
from django_structlog.celery.steps import DjangoStructLogInitStep

TURN = 0.0005
"""Seconds that a thread may keep the interpreter while others want it; Python's own 5 ms cost some orders a second."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


def make_app(**options: Any) -> Celery:
    """Return an application with the portal's settings and tasks."""
    made = Celery("portal", **options)
    made.config_from_object("django.conf:settings", namespace="CELERY")
    made.autodiscover_tasks()
    made.steps["worker"].add(DjangoStructLogInitStep)  # a task's log lines carry its id
    return made


app = make_app()

closing = threading.Event()
"""Set when this process is told to stop: whoever works through what is due ends after the order that it is at."""


def refuse_memory_broker() -> None:
    """Refuse to start a web or worker process with a broker that works within one process only.

    Raises:
        RuntimeError: CELERY_BROKER_URL is memory://, which only `manage.py serve` can use.
    """
    if settings.EMBEDDED:
        raise RuntimeError(
            "CELERY_BROKER_URL=memory:// joins nothing but the threads of `manage.py serve`; "
            "gunicorn and celery workers need Redis or RabbitMQ."
        )


@celeryd_init.connect
def _refuse_memory_broker(**kwargs: object) -> None:
    """`celery worker` with the embedded broker would wait for ever for messages that never arrive."""
    try:
        refuse_memory_broker()
    except RuntimeError as error:
        raise SystemExit(str(error)) from None  # Celery only logs any lesser exception of a handler


@celeryd_init.connect
def _take_short_turns(**kwargs: object) -> None:
    """Worker threads mostly wait for the platform: with short turns, one that wakes up runs soon."""
    sys.setswitchinterval(TURN)


@worker_shutting_down.connect
def _end_drains(**kwargs: object) -> None:
    """On shutdown a worker finishes the tasks in progress; drains end after their current order."""
    closing.set()


@receiver(bind_extra_task_metadata)
def _name_the_order(task: Task, **kwargs: object) -> None:
    """The log lines of a task that was given an order's id carry it."""
    if task.request.args:
        structlog.contextvars.bind_contextvars(order_id=task.request.args[0])
