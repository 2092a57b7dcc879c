"""Watching over the portal: whether it lives, what Prometheus learns, and what its log says and keeps to itself."""

import datetime as dt
import json
import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from portal import metrics
from portal.celery import app as celery_app
from recharge.batches.services import draining
from recharge.choices import BatchState, Submission
from recharge.demo import Story
from recharge.fulfilment.services import checking, products
from recharge.limits.services import emergency_stop, pacing
from recharge.models import Batch, Order
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform

PROJECT = Path(__file__).resolve().parents[3]
PHONE, SECRET, ID_NUMBER = "13800138000", "the-platforms-secret", "11010519491231002X"
pytestmark = pytest.mark.django_db


def test_healthz_needs_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", _refuse)
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_readyz_says_that_all_is_there(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


def test_readyz_says_that_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    away = connection.copy()
    monkeypatch.setattr(away, "cursor", _refuse)
    monkeypatch.setattr(connection, "copy", lambda: away)
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"not reachable: database")


def test_readyz_says_that_the_broker_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = celery_app.connection("redis://127.0.0.1:1/0")
    monkeypatch.setattr(celery_app, "connection_for_write", lambda **options: nobody)
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (503, b"not reachable: broker")


def test_metrics_are_not_for_everybody(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    client.force_login(User.objects.create_user("outsider"))
    assert client.get("/metrics").status_code == 403


def test_metrics_are_for_whoever_may_see_orders(client: Client) -> None:
    user = User.objects.create_user("auditor")
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(user)
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize("given", ["Bearer wrong", "the-token", "Bearer the-tokén"])
def test_a_wrong_token_opens_nothing(client: Client, settings: LazySettings, given: str) -> None:
    settings.METRICS_TOKEN = "the-token"
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 401


def test_metrics_tell_what_is_going_on(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "the-token"
    clerk = User.objects.create_user("clerk")
    now = dt.datetime.now(dt.UTC)
    for number, story in enumerate(
        (
            Story(1, now - dt.timedelta(minutes=5), clerk),
            Story(2, now - dt.timedelta(minutes=4), clerk).accept().report(2).confirm(),
            Story(3, now - dt.timedelta(minutes=3), clerk).accept().report(1),
        )
    ):
        assert number < 3
        story.order.save(force_insert=True)
    metrics.PLATFORM_SECONDS.labels("push", "ok").observe(0.2)
    metrics.PLATFORM_SECONDS.labels("query", "Rejected").observe(0.1)
    metrics.CALLBACKS.labels("applied").inc()
    figures = _metrics(client)
    assert figures['portal_orders{status="",submission="QUEUED"}'] == 1
    assert figures['portal_orders{status="2",submission="ACCEPTED"}'] == 1
    assert figures['portal_open_orders{status="1",submission="ACCEPTED"}'] == 1
    assert 'portal_open_orders{status="2",submission="ACCEPTED"}' not in figures
    assert 300 <= figures["portal_queue_age_seconds"] < 330
    assert figures["portal_attention_orders"] == 0
    assert figures['portal_batches{state="RUNNING"}'] == 0
    assert figures["portal_emergency_stop"] == 0
    assert figures['portal_platform_seconds_count{call="push",outcome="ok"}'] >= 1
    assert figures['portal_platform_seconds_count{call="query",outcome="Rejected"}'] >= 1
    assert figures['portal_callbacks_total{verdict="applied"}'] >= 1


def test_metrics_tell_of_batches_and_of_the_stop(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "the-token"
    clerk = User.objects.create_user("clerk")
    for state in (BatchState.AWAITING_APPROVAL, BatchState.AWAITING_APPROVAL, BatchState.HANDED_OVER):
        Batch.objects.create(nonce=uuid.uuid4(), product="MOBILE", size=1, total=50, state=state, made_by=clerk)
    emergency_stop.stop_everything(actor=clerk, reason="x")
    figures = _metrics(client)
    assert figures['portal_batches{state="AWAITING_APPROVAL"}'] == 2
    assert figures['portal_batches{state="HANDED_OVER"}'] == 1
    assert figures['portal_batches{state="PAUSED"}'] == 0
    assert figures["portal_emergency_stop"] == 1


def test_orders_of_a_batch_have_no_age_in_the_queue(
    client: Client, settings: LazySettings, platform: FakePlatform
) -> None:
    settings.METRICS_TOKEN = "the-token"
    batch_of(*mobiles(3), made_by=User.objects.create_user("clerk"))
    Order.objects.update(placed_at=timezone.now() - dt.timedelta(days=1))
    assert _metrics(client)["portal_queue_age_seconds"] == 0


def test_metrics_of_an_empty_portal_are_no_error(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "the-token"
    assert not Order.objects.exists()
    assert _metrics(client)["portal_queue_age_seconds"] == 0


def test_a_request_is_logged_without_what_was_searched_for() -> None:
    lines = _log_of(f"client.get('/orders/?q={PHONE}&placed_by=1')")
    assert {line["request"] for line in lines if line["event"] == "request_finished"} == {"GET /orders/"}
    assert all(line["request_id"] for line in lines)


def test_a_callback_is_logged_with_its_order_and_without_its_secret_address() -> None:
    lines = _log_of(
        "from recharge.fulfilment.services.products import CALLBACK_SIGNER",
        "token = CALLBACK_SIGNER.sign('26112300000000000001')",
        f"report = {{'order_no': '26112300000000000001', 'mobile': '{PHONE}', 'status': 2}}",
        "client.post(f'/callback/{token}/', report)",
        "import logging",
        "logging.getLogger('django.request').warning('Not Found: %s', '/callback/26112300000000000001.forged/')",
        "print(json.dumps({'event': 'the token', 'token': token}))",
        complete=False,
    )
    token = next(line for line in lines if line["event"] == "the token")["token"]
    log = [line for line in lines if line["event"] != "the token"]
    assert any(line["event"] == "Not Found: /callback/***/" for line in log)
    failure = next(line for line in log if line["event"] == "callback_not_stored")
    assert failure["order_no"] == "26112300000000000001"
    assert failure["request_id"]
    assert failure["exception"][0]["exc_type"] == "OperationalError"
    assert token not in json.dumps(log)
    assert "forged" not in json.dumps(log)


def test_a_traceback_shows_no_values() -> None:
    lines = _log_of(
        "import structlog",
        "def pay(mobile, secret):",
        "    raise ValueError(f'no money for {mobile}, 138 0013 8000 or 138-0013-8000')",
        "try:",
        f"    pay('{PHONE}', '{SECRET}')",
        "except ValueError:",
        "    structlog.get_logger('test').exception('failed', about={'id': ['" + ID_NUMBER + "']})",
        complete=False,
    )
    failure = next(line for line in lines if line["event"] == "failed")
    assert failure["exception"][0]["exc_value"] == "no money for ***, *** or ***"
    assert failure["about"] == {"id": ["***"]}
    assert "0013" not in json.dumps(lines)


def test_a_failing_task_is_logged_with_its_id_and_its_order() -> None:
    lines = _log_of(
        "from django_structlog.celery.receivers import CeleryReceiver",
        "receiver = CeleryReceiver()",
        "receiver.connect_worker_signals()",
        "from recharge.tasks import submit_order",
        "submit_order.apply([73])",
        complete=False,
    )
    failure = next(line for line in lines if line["event"] == "task_failed")
    assert failure["task_id"]
    assert failure["order_id"] == 73
    assert failure["exception"][0]["exc_type"] == "OperationalError"


@pytest.mark.usefixtures("sent")
def test_a_drain_names_each_order_while_it_is_busy_with_it_and_no_longer(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(*mobiles(4), made_by=User.objects.create_user("clerk"))
    during: list[tuple[str, str | None]] = []
    between: list[str | None] = []
    query = products.query

    def ask(order: Order) -> Any:
        during.append((order.order_no, _order_in_logs()))
        return query(order)

    def next_turn() -> bool:
        between.append(_order_in_logs())
        return True

    platform.on_push = lambda order_no: during.append((order_no, _order_in_logs()))
    monkeypatch.setattr(products, "query", ask)
    monkeypatch.setattr(pacing, "wait_in_drain", next_turn)
    structlog.contextvars.clear_contextvars()
    draining.submit_batches()
    batch.orders.filter(submission=Submission.ACCEPTED).update(next_check_at=Now())  # SQLite's clock tells milliseconds
    checking.check_due_orders()
    numbers = list(batch.orders.order_by("id").values_list("order_no", flat=True))
    assert [number for number, _ in during[:4]] == numbers
    assert len(during) == 8
    assert all(number == named for number, named in during)
    assert between == [None] * len(between)
    assert len(between) == 10
    assert _order_in_logs() is None


def _order_in_logs() -> str | None:
    """Return the number that a line would carry if it were logged now."""
    named: str | None = structlog.contextvars.get_contextvars().get("order_no")
    return named


def _refuse(*args: Any, **kwargs: Any) -> None:
    raise OperationalError("the database is away")


def _metrics(client: Client) -> dict[str, float]:
    response = client.get("/metrics", headers={"Authorization": "Bearer the-token"})
    assert response.status_code == 200
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def _log_of(*statements: str, complete: bool = True) -> list[dict[str, Any]]:
    """Run statements in a process with the settings of production and a database without tables; return its log.

    Whatever they log, neither the phone number, nor the ID number, nor the platform's secret may be in it.
    """
    program = "import json, django\ndjango.setup()\nfrom django.test import Client\n"
    program += "headers = {'host': 'portal.example.com', 'x-forwarded-proto': 'https'}\n"
    program += "client = Client(raise_request_exception=False, headers=headers)\n"
    program += textwrap.dedent("\n".join(statements))
    outcome = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DEBUG": "False",
            "SECRET_KEY": "k3" * 30,
            "PUBLIC_URL": "https://portal.example.com",
            "DATABASE_URL": "sqlite://:memory:",
            "CELERY_BROKER_URL": "memory://",
            "WIKEYUN_APP_KEY": "key",
            "WIKEYUN_APP_SECRET": SECRET,
            "WIKEYUN_STORE_ID": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    written = outcome.stdout + outcome.stderr
    for private in (PHONE, ID_NUMBER, SECRET):
        assert private not in written
    lines = [json.loads(line) for line in written.splitlines()]
    assert lines
    if complete:
        assert all("request_id" in line or "task_id" in line for line in lines)
    return lines
