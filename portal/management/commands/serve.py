"""`manage.py serve`: web, worker and scheduler in one process, for a shop with one machine and no broker."""

import os
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

from celery.beat import Scheduler
from celery.beat import Service as SchedulerService
from celery.worker import WorkController
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from waitress.server import create_server

from portal.celery import app, closing, make_app
from recharge.alerts.services import watchdog

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WEB_THREADS = 8
BEHIND_A_PROXY = {
    "trusted_proxy": "127.0.0.1",
    "trusted_proxy_headers": {"x-forwarded-proto", "x-forwarded-for"},
    "clear_untrusted_proxy_headers": True,
}
"""A web server on this machine is believed when it says https; else every page would redirect for ever. It is believed,
too, where a request comes from: waitress makes that the address of the request."""
STOP_MARGIN = 5.0
"""Seconds beyond the deadline of an exchange; whatever takes longer is found again by its lease at the next start."""


class Command(BaseCommand):
    help = "Run the web pages, the worker and the scheduler in this process, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if settings.DEBUG and host not in LOOPBACK:
            raise CommandError("DEBUG is on: set DEBUG=False before others than this machine may reach the portal.")
        self._require_migrations()
        try:
            web = create_server(get_wsgi_application(), host=host, port=port, threads=WEB_THREADS, **BEHIND_A_PROXY)
        except (OSError, socket.gaierror) as error:
            raise CommandError(f"{host}:{port} can't be listened on: {error.strerror}") from error
        background = Background() if settings.EMBEDDED else None
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        self.stdout.write(f"The portal answers at http://{host}:{port}/")
        sys.stdout.flush()
        if background:
            background.start()
        watchdog.start()
        try:
            web.run()
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            web.close()
            if background and not background.stop():
                os._exit(0)  # an exchange outlived its deadline; its threads would keep the process for ever

    def _require_migrations(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is not up to date: run `manage.py migrate` first.")
        connection.close()


class MemoryScheduler(Scheduler):
    """Beat's scheduler without its file."""

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)


class Background:
    """A worker for each kind of work, so that none waits behind another, and the scheduler, each in its own thread."""

    def __init__(self) -> None:
        threads = {
            "orders": settings.SERVE_THREADS,
            "batches": settings.BATCH_LANES,
            "checks": settings.CHECK_LANES,
            "sweeps": 5,  # one each for judging a list, asking about its numbers, making a batch, probing a platform
            "alerts": 1,
        }
        self._workers = [_worker(name, count) for name, count in threads.items()]
        self._scheduler = SchedulerService(app, scheduler_cls=MemoryScheduler)

    def start(self) -> None:
        for worker in self._workers:
            threading.Thread(target=worker.start, name=worker.hostname, daemon=True).start()
        threading.Thread(target=self._scheduler.start, name="scheduler", daemon=True).start()
        app.send_task("recharge.tasks.refresh_balance")  # the scheduler's first one comes after a whole period

    def stop(self) -> bool:
        """Take up no more orders and let those under way finish.

        Returns:
            Whether all finished within the deadline of an exchange and a margin.
        """
        closing.set()
        self._scheduler.stop()
        stopping = [threading.Thread(target=worker.stop, daemon=True) for worker in self._workers]
        for thread in stopping:
            thread.start()
        deadline = time.monotonic() + settings.WIKEYUN_TIMEOUT + STOP_MARGIN
        for thread in stopping:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in stopping)


def _worker(name: str, threads: int) -> WorkController:
    """Make a worker that serves one queue; it needs an application of its own, which is what selects queues."""
    own_app = make_app(set_as_current=False)
    own_app.amqp.queues.select([name])
    return WorkController(
        app=own_app,
        pool_cls="threads",
        concurrency=threads,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
        hostname=f"{name}@localhost",
    )


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
