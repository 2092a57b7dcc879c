"""Worker, scheduler or web die: another part rings, once, and sends it; and it is over once they are back."""

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.db.models import F
from django.test import override_settings

from portal.checks import values_that_make_sense
from recharge import tasks
from recharge.alerts.services import delivering, ringing, sending, watchdog
from recharge.choices import AlertKind, Part
from recharge.models import Alert, Heartbeat
from recharge.operations.services import heartbeats

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
STANDSTILL, OVER = "后台进程或调度器停了", "已恢复：后台进程或调度器停了"


class Web:
    """A web server that says whether it is alive."""

    def __init__(self) -> None:
        self.status, self.body, self.calls = 200, b"ok", list[str]()
        self.drips = False
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.calls.append(self.path)
                while web.drips:
                    self.wfile.write(b"X")
                    time.sleep(0.1)
                self.send_response(web.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(web.body)))
                self.end_headers()
                self.wfile.write(web.body)

            def log_message(self, *arguments: Any) -> None: ...

            def handle(self) -> None:
                with suppress(OSError):
                    super().handle()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever, args=[0.02])
    thread.start()
    with override_settings(PUBLIC_URL=made.address):
        yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    headings: list[str] = []
    for module in (delivering, sending):
        monkeypatch.setattr(module, "send", lambda address, letter: headings.append(letter.heading))
    with override_settings(ALERT_URLS=["jsons://alerts.example/"]):
        yield headings


def minutes_pass(minutes: float) -> None:
    delta = dt.timedelta(minutes=minutes)
    Heartbeat.objects.update(at=F("at") - delta, steady_since=F("steady_since") - delta)


def workers_work() -> None:
    tasks.sweep()
    tasks.ring_alerts()


def test_while_all_work_nobody_rings(told: list[str]) -> None:
    for _ in range(5):
        workers_work()
        minutes_pass(1)
        watchdog.stand_in()
    assert (told, Alert.objects.count()) == ([], 0)


def test_dead_workers_are_rung_for_by_the_web_process(told: list[str]) -> None:
    workers_work()
    minutes_pass(3)
    for _ in range(3):
        watchdog.stand_in()
    assert told == [STANDSTILL]
    assert Alert.objects.get().data == {"任务": "到期事项的检查、告警的发送"}
    workers_work()
    assert told == [STANDSTILL, OVER]


@pytest.mark.parametrize("look", [watchdog.stand_in, watchdog.look_at_all])
def test_workers_that_stay_dead_are_rung_for_again(web: Web, told: list[str], look: Callable[[], object]) -> None:
    ringing.ring(AlertKind.BALANCE)
    workers_work()
    told.clear()
    minutes_pass(3)
    look()
    assert told == [STANDSTILL]
    Alert.objects.update(told_at=F("told_at") - dt.timedelta(hours=5))
    for _ in range(2):
        look()
    assert told == [STANDSTILL, f"仍在持续：{STANDSTILL}"], "and nobody knows of the balance"


def test_workers_that_never_ran_count_from_the_first_look(told: list[str]) -> None:
    watchdog.stand_in()
    assert told == []
    minutes_pass(3)
    watchdog.stand_in()
    assert told == [STANDSTILL]


def test_a_dead_sweep_is_rung_for_by_the_worker_that_lives(told: list[str]) -> None:
    workers_work()
    for _ in range(4):
        minutes_pass(1)
        tasks.ring_alerts()
    assert told == [STANDSTILL]
    assert Alert.objects.get().data == {"任务": "到期事项的检查"}
    watchdog.stand_in()
    tasks.ring_alerts()
    assert told == [STANDSTILL]
    workers_work()
    assert told == [STANDSTILL, OVER]


def test_a_sweep_that_fails_gives_no_sign_of_life(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    workers_work()
    monkeypatch.setattr("recharge.operations.services.sweeping._open_check_drains", lambda: 1 / 0)
    minutes_pass(1)
    with pytest.raises(ZeroDivisionError):
        tasks.sweep()
    minutes_pass(1.1)
    assert [row.part for row in heartbeats.dead_workers()] == [Part.SWEEP, Part.ALERTS]


def test_after_a_night_switched_off_nothing_rings(told: list[str]) -> None:
    workers_work()
    minutes_pass(600)
    tasks.ring_alerts()
    tasks.sweep()
    tasks.ring_alerts()
    assert told == []


def test_what_rings_is_not_over_because_another_worker_has_only_just_started(told: list[str]) -> None:
    workers_work()
    minutes_pass(60)
    for _ in range(4):
        watchdog.stand_in()
        tasks.ring_alerts()  # the sweep's worker is still dead
    assert told == [STANDSTILL]
    tasks.sweep()
    tasks.ring_alerts()
    assert told == [STANDSTILL, OVER]


def test_a_worker_that_several_channels_keep_waiting_is_not_dead(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(address: str, letter: sending.Letter) -> str:
        minutes_pass(1.5)
        heartbeats.beat(Part.SWEEP)
        return ""

    monkeypatch.setattr(delivering, "send", hang)
    with override_settings(ALERT_URLS=[f"jsons://alerts{number}.example/" for number in range(3)]):
        workers_work()
        ringing.ring(AlertKind.GUARD)
        tasks.ring_alerts()
        assert heartbeats.dead_workers() == []


def test_dead_web_is_rung_for_by_the_worker(web: Web, told: list[str]) -> None:
    tasks.look_at_web()
    assert web.calls == ["/healthz"]
    web.status = 502
    for number in range(1, 6):
        minutes_pass(1)
        workers_work()
        tasks.look_at_web()
        tasks.ring_alerts()
        assert told == (["网页没有应答"] if number >= 3 else [])
    web.status = 200
    tasks.look_at_web()
    tasks.ring_alerts()
    assert told == ["网页没有应答", "已恢复：网页没有应答"]


@pytest.mark.parametrize(("status", "body"), [(302, b"ok"), (200, b"<html>"), (404, b"ok"), (200, b"")])
def test_what_does_not_say_ok_is_not_alive(web: Web, status: int, body: bytes) -> None:
    web.status, web.body = status, body
    assert not watchdog.look_at_web()
    assert web.calls == ["/healthz"], "no redirect is followed"


def test_a_web_server_that_drips_is_not_alive_and_holds_no_alert_up(
    web: Web, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "IN_ALL", 0.5)
    web.drips = True
    began = time.monotonic()
    assert not watchdog.look_at_web()
    assert time.monotonic() - began < 3
    web.drips = False


def test_web_that_could_never_be_reached_from_here_tells_nothing(web: Web, told: list[str]) -> None:
    web.status = 502
    for _ in range(5):
        tasks.look_at_web()
    workers_work()
    assert told == []


def test_somebody_outside_is_called_only_while_all_is_well(web: Web) -> None:
    tasks.call_heartbeat()
    assert web.calls == [], "no address is set"
    with override_settings(HEARTBEAT_URL=f"{web.address}/ping/secret"):
        workers_work()
        tasks.call_heartbeat()
        assert web.calls == ["/ping/secret"]
        ringing.ring(AlertKind.WEB)
        tasks.call_heartbeat()
        Alert.objects.all().delete()
        minutes_pass(3)
        tasks.call_heartbeat()
        assert web.calls == ["/ping/secret"]
        workers_work()
        web.status = 500
        tasks.call_heartbeat()
    assert len(web.calls) == 2


@pytest.mark.parametrize(
    ("url", "debug", "fits"),
    [("http://a.example/", False, False), ("http://a.example/", True, True), ("", False, True)],
)
def test_the_address_is_https(url: str, debug: bool, fits: bool) -> None:
    with override_settings(HEARTBEAT_URL=url, DEBUG=debug):
        assert ("portal.E015" in [error.id for error in values_that_make_sense(None)]) != fits


def test_command_says_ok(web: Web, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    workers_work()
    call_command("watchdog")
    assert capsys.readouterr().out == "ok\n"
    assert told == []


def test_command_rings_for_all_that_is_dead_and_sends_it(
    web: Web, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    workers_work()
    watchdog.look_at_web()
    web.status = 502
    minutes_pass(3)
    for _ in range(3):
        with pytest.raises(SystemExit) as ended:
            call_command("watchdog")
        assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "没有应答" in said
    assert STANDSTILL in said
    assert told == [STANDSTILL, "网页没有应答"]


def test_command_tells_without_a_database(
    told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> list[str]:
        raise OperationalError("password of somebody")

    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(watchdog, "look_at_all", fail)
    for _ in range(3):
        with pytest.raises(SystemExit):
            call_command("watchdog")
    assert told == ["无法连接数据库：OperationalError"], "not once more within the hour"
    assert "somebody" not in capsys.readouterr().out
    (remembered,) = tmp_path.iterdir()
    long_ago = time.time() - 4000
    os.utime(remembered, (long_ago, long_ago))
    with pytest.raises(SystemExit):
        call_command("watchdog")
    assert len(told) == 2
    monkeypatch.setattr(watchdog, "look_at_all", list)
    call_command("watchdog")
    assert not list(tmp_path.iterdir())
