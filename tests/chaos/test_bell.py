"""The bell end to end: real processes, a platform that stands still, and people at a messenger and at a mailbox.

OUTAGE_SECONDS and DOWN_SECONDS play the outage at its real length: 600 and 120, as docs/reliability.md has it.
"""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_string, policy
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.utils.translation import override

from portal.kit.database import from_now
from recharge.batches.services import managing
from recharge.choices import AlertKind, BatchState, Submission
from recharge.limits.services import balance
from recharge.models import AlertChannel, AlertMessage, Batch, Heartbeat, Order, Outage
from recharge.operations.services.heartbeats import PATIENCE
from recharge.orders.services import placing
from tests.actions import resume
from tests.batches import batch_of, mobiles
from tests.processes import Processes, answers, books, database_url, free_port, spoken_to, wait_for
from tests.receivers import MailReceiver, WebReceiver, serving

pytestmark = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True),
    pytest.mark.books_broken("trail"),
]
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "20"))
DOWN_SECONDS = os.environ.get("DOWN_SECONDS", "6")
NEVER = "0"
SETTINGS = {
    "DEBUG": "True",
    "WIKEYUN_TIMEOUT": "2",
    "SWEEP_SECONDS": "0.5",
    "ALERT_SECONDS": "1",
    "ALERT_PLATFORM_DOWN_SECONDS": DOWN_SECONDS,
    "ALERT_CALLBACKS_SILENT": "2",
    "ALERT_CALLBACKS_OF": "3",
    "ALERT_BALANCE_YUAN": "1000",
    "ALERT_RUNWAY_HOURS": NEVER,
    "ALERT_CASES": "1000",
    "BALANCE_FLOOR": "500",
    "BALANCE_MAX_AGE": "15",
    "BATCH_CANARY": "2",
}


@dataclass
class Shop:
    """A portal that rings at two channels, and the platform that it speaks to."""

    processes: Processes
    platform: subprocess.Popen[bytes]
    root: str
    messenger: WebReceiver
    mailbox: MailReceiver
    rung: int = 0

    def set(self, **values: object) -> None:
        requests.post(f"{self.root}/sandbox/settings", json=values, timeout=5).raise_for_status()

    @property
    def told(self) -> list[str]:
        """The headings that came to the messenger."""
        return [str(body["title"]) for _path, body in self.messenger.got]

    @property
    def mailed(self) -> list[str]:
        mails = [message_from_string(mail, policy=policy.default) for mail in self.mailbox.mails]
        return [str(mail["Subject"]) for mail in mails]

    def ring(self, kind: AlertKind, *, over: bool = False) -> None:
        """Wait for one message to each channel, which is to be the next one."""
        patience = 90 + OUTAGE_SECONDS / 5
        wait_for(lambda: len(self.told) > self.rung, f"{kind} rings, over: {over}", patience=patience)
        assert self.told[self.rung :] == [heading(kind, over=over)]
        self.rung += 1


def heading(kind: AlertKind, *, over: bool = False) -> str:
    with override("zh-hans"):
        return f"已恢复：{kind.label}" if over else str(kind.label)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    port, platform_port = free_port(), free_port()
    root, messenger, mailbox = f"http://127.0.0.1:{platform_port}", WebReceiver(), MailReceiver()
    mail = (
        f"mailto://127.0.0.1:{mailbox.port}/?smtp=127.0.0.1&from=portal@example.com&to=boss@example.com&mode=insecure"
    )
    environment = {
        **SETTINGS,
        "WIKEYUN_BASE_URL": f"{root}/rest/",
        "WIKEYUN_APP_KEY": "sandbox",
        "WIKEYUN_APP_SECRET": "sandbox-secret",
        "WIKEYUN_STORE_ID": "1",
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": os.environ.get("CELERY_BROKER_URL", "memory://"),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALERT_URLS": f"json://{messenger.host}/alerts,{mail}",
    }
    processes = Processes(environment)
    arguments = [f"--port={platform_port}", f"--books={tmp_path / 'books.sqlite3'}", "--no-suffixes", "--pace=0.05"]
    spoken = {name: value for name, value in environment.items() if name.startswith("WIKEYUN")}
    with serving(messenger.server), serving(mailbox.server), spoken_to(spoken):
        try:
            platform = processes.start("-m", "portal.sandbox", *arguments, "--latency=0.01")
            wait_for(lambda: answers(f"{root}/sandbox/summary.json"), "the platform starts")
            start(processes, port, tmp_path)
            yield Shop(processes, platform, root, messenger, mailbox)
        finally:
            for process in processes.started:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
            processes.end()


def start(processes: Processes, port: int, tmp_path: Path) -> None:
    processes.serve(port)
    if connection.vendor != "sqlite":
        processes.start("-m", "celery", "-A", "portal", "worker", "-P", "threads", "-c", "8")
        processes.start("-m", "celery", "-A", "portal", "beat", "-s", str(tmp_path / "beat"))


def place(clerk: User, number: int) -> Order:
    return placing.place_mobile_order(placed_by=clerk, mobile=f"1390013{number:04}", face_value=50)


def all_are(orders: Callable[[], list[str]], submission: Submission) -> None:
    wait_for(lambda: set(orders()) == {submission.value}, f"all are {submission}", patience=120)


def test_each_thing_rings_once_when_it_begins_and_once_when_it_is_over(shop: Shop) -> None:
    clerk = User.objects.create_user("clerk")
    first = place(clerk, 1)
    all_are(lambda: list(Order.objects.values_list("submission", flat=True)), Submission.ACCEPTED)
    wait_for(
        lambda: Order.objects.filter(pk=first.pk, settled_at__isnull=False).exists(),
        "the first order ends",
        patience=120,
    )
    assert shop.told == []

    the_balance_is_low(shop)
    a_batch_is_paused_while_a_channel_is_down(shop, clerk)
    callbacks_are_silent(shop, clerk)
    the_platform_stands_still(shop, clerk)
    everything_is_dead(shop)

    kinds = (AlertKind.BALANCE, AlertKind.BATCH, AlertKind.CALLBACKS, AlertKind.PLATFORM)
    expected = [heading(kind, over=over) for kind in kinds for over in (False, True)]
    assert shop.told == [*expected, heading(AlertKind.STANDSTILL), heading(AlertKind.WEB)]
    assert shop.mailed == shop.told
    assert not AlertMessage.objects.filter(due_at__isnull=False).exists()


def the_balance_is_low(shop: Shop) -> None:
    shop.set(deposit="-99400")
    balance.refresh_balance()
    shop.ring(AlertKind.BALANCE)
    shop.set(deposit="500000")
    balance.refresh_balance()
    shop.ring(AlertKind.BALANCE, over=True)


def a_batch_is_paused_while_a_channel_is_down(shop: Shop, clerk: User) -> None:
    """The other channel hears of it at once; this one says why it doesn't, and catches up."""
    batch = batch_of(*mobiles(3), made_by=clerk)
    managing.pause(batch_id=batch.pk, actor=clerk, reason="wrong list")
    shop.messenger.status, before = 503, len(shop.mailed)
    wait_for(lambda: len(shop.mailed) > before, "the mailbox hears of the batch", patience=120)
    channel = AlertChannel.objects.get(kind="JSON")
    wait_for(
        lambda: AlertChannel.objects.filter(pk=channel.pk, failure__contains="503").exists(), "the channel says why"
    )
    shop.messenger.status = 200
    AlertMessage.objects.filter(due_at__isnull=False).update(due_at=from_now(-PATIENCE))
    shop.ring(AlertKind.BATCH)
    resume(batch, clerk)
    shop.ring(AlertKind.BATCH, over=True)


def callbacks_are_silent(shop: Shop, clerk: User) -> None:
    shop.set(callbacks=False)
    silent = [place(clerk, number).pk for number in (10, 11)]
    ours = Order.objects.filter(pk__in=silent)
    all_are(lambda: list(ours.values_list("submission", flat=True)), Submission.ACCEPTED)

    def ended() -> bool:
        ours.filter(settled_at=None).update(next_check_at=from_now(-PATIENCE))
        return ours.filter(settled_at__isnull=False).count() == len(silent)

    wait_for(ended, "queries tell the end", every=1, patience=120)
    ours.update(status_at=F("status_at") - PATIENCE * 2)
    shop.ring(AlertKind.CALLBACKS)
    shop.set(callbacks=True)
    heard = Order.objects.filter(pk__in=[place(clerk, number).pk for number in (20, 21, 22)])
    wait_for(lambda: heard.filter(settled_at__isnull=False).count() == 3, "callbacks come again", patience=120)
    shop.ring(AlertKind.CALLBACKS, over=True)


def the_platform_stands_still(shop: Shop, clerk: User) -> None:
    """Its process is stopped: connections are taken, nobody answers. Nothing is paused for it, nothing sent twice."""
    began = time.monotonic()
    shop.platform.send_signal(signal.SIGSTOP)
    place(clerk, 30)
    shop.ring(AlertKind.PLATFORM)
    wait_for(
        lambda: Outage.objects.filter(on=True, confirmed_at__isnull=False).exists(),
        "the outage is confirmed",
        patience=120,
    )
    waiting = [place(clerk, number) for number in (31, 32)]
    batch = batch_of(*mobiles(8, first=100), made_by=clerk)
    while time.monotonic() < began + OUTAGE_SECONDS:
        time.sleep(1)  # real time, since real clocks are looked at
        batch.refresh_from_db()
        assert batch.state == BatchState.CANARY
        assert shop.told[-1] == heading(AlertKind.PLATFORM)
    shop.platform.send_signal(signal.SIGCONT)
    stood_still = time.monotonic() - began
    shop.ring(AlertKind.PLATFORM, over=True)
    minutes, seconds = map(int, re.search(r"(\d+) 分 (\d+) 秒", shop.messenger.got[-1][1]["message"]).groups())  # type: ignore[union-attr]
    assert stood_still - float(DOWN_SECONDS) - 5 < minutes * 60 + seconds < stood_still + 60

    def handed_over() -> bool:
        left = Order.objects.filter(submission__in=(Submission.QUEUED, Submission.SUBMITTING))
        return Batch.objects.get(pk=batch.pk).state == BatchState.HANDED_OVER and not left.exists()

    wait_for(handed_over, "all that waited goes out", patience=180)
    assert not batch.events.filter(kind="BRAKED").exists()
    known = books(shop.root)
    accepted = Order.objects.filter(submission=Submission.ACCEPTED).values_list("order_no", flat=True)
    assert set(accepted) <= set(known)
    ours = Order.objects.filter(pk__in=[order.pk for order in waiting])  # some of them tried while it stood still
    assert set(ours.values_list("submission", flat=True)) <= {Submission.ACCEPTED, Submission.UNKNOWN}
    assert {order["pushes"] for order in known.values()} == {1}


def everything_is_dead(shop: Shop) -> None:
    """Web, worker and scheduler are killed; the watchdog of the system rings once for each, however often it looks.

    Where it looks at the web it takes three looks in vain, which otherwise are a minute apart.
    """
    before = len(shop.told)
    assert shop.processes.run("manage.py", "watchdog") == 0, (
        "while all live, it has seen the web, and rings for nothing"
    )
    for process in shop.processes.started:
        if process is not shop.platform:
            process.send_signal(signal.SIGKILL)
            process.wait()
    Heartbeat.objects.update(at=F("at") - PATIENCE * 2)
    with socket.socket() as kept:  # or another portal that is tested beside this one may get the port, and answer
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", int(shop.processes.environment["PUBLIC_URL"].rpartition(":")[2])))
        assert [shop.processes.run("manage.py", "watchdog") for _ in range(4)] == [1, 1, 1, 1]
    assert shop.told[before:] == [heading(AlertKind.STANDSTILL), heading(AlertKind.WEB)]
