"""What belongs to no product: health, metrics and the pages for errors."""

import os
import secrets

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from portal.kit.postgres import answering_within
from portal.kit.wording import person
from recharge.limits.services import restore_guard
from recharge.metrics import ORDERS
from recharge.operations.services.standstill import standstills

from . import __version__
from .celery import app as celery_app

BACKEND = "django.contrib.auth.backends.ModelBackend"
ADMINISTRATORS_NAMED = 5
PATIENCE = 1
"""Seconds that database and broker get to answer whoever asks whether they can be reached."""
IMPATIENT = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE} if not settings.EMBEDDED else {}


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process is alive; its version is in a header, since programs compare the body."""
    response = _plain("ok")
    response["Portal-Version"] = __version__
    return response


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether database and broker can be reached: 200, or 503 and which one can't.

    A worker that stands still is told in the answer, too, and is no reason to take the pages out of service: they are
    where people read it, and the platform's callbacks come in by the same door.
    """
    failures = [name for name, works in (("database", _database_works), ("broker", _broker_works)) if not works()]
    if failures:
        return _plain(f"not reachable: {', '.join(failures)}", 503)
    if restored := restore_guard.closed():
        return _plain(f"restore guard closed: {restored.closed_because}", 503)
    undone = [f"standstill: {one.work} since {one.since:%Y-%m-%dT%H:%M:%SZ}" for one in standstills()]
    return _plain("\n".join(["ok", *undone]))


@require_safe
@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Show Prometheus the metrics: to the bearer of METRICS_TOKEN, or to who may see orders."""
    if not (_bears_token(request) or request.user.has_perm("recharge.view_order")):
        return _plain("a bearer token or a login is needed", 401 if request.user.is_anonymous else 403)
    return HttpResponse(generate_latest(_registry()) + generate_latest(ORDERS), content_type=CONTENT_TYPE_LATEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: nothing was done, and the page says how to go on."""
    return render(request, "403_csrf.html", status=403)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What somebody may not do; whoever may do nothing at all yet reads whom to ask."""
    if request.user.is_anonymous or request.user.get_all_permissions():
        return render(request, "403.html", status=403)
    administrators = User.objects.with_perm("auth.change_user", backend=BACKEND, include_superusers=True)
    names = [person(user) for user in administrators.order_by("pk")[:ADMINISTRATORS_NAMED]]
    return render(request, "no_group.html", {"administrators": names}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What can't be understood (400), or is too large to be read (413): nothing was done."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def _bears_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(
        given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
    )


def _registry() -> CollectorRegistry:
    """Several web processes share their figures in PROMETHEUS_MULTIPROC_DIR; see prometheus_client."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client gives it no types
    return registry


def _database_works() -> bool:
    """Ask by a connection of its own: those of the pool may all be waiting for a database that hangs."""
    own = connection.copy()
    if own.settings_dict["OPTIONS"].pop("pool", None):
        own.settings_dict["OPTIONS"]["connect_timeout"] = 2 * PATIENCE
    try:
        with answering_within(PATIENCE), own.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    finally:
        own.close()
    return True


def _broker_works() -> bool:
    try:
        with celery_app.connection_for_write(connect_timeout=PATIENCE, transport_options=IMPATIENT) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0.1, timeout=PATIENCE)
    except Exception:
        return False
    return True


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
