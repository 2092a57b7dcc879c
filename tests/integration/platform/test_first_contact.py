"""The day the portal meets the platform: whatever is wrong is named by its cause, and nothing is spent."""

import datetime as dt
import http.client
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone, translation
from pytest_django.live_server_helper import LiveServer

from portal import platform
from portal.gateway import Account as PlatformAccount
from portal.gateway import NotSent, OutcomeUnknown, Rejected, reaching
from portal.sandbox import Sandbox
from recharge.choices import Submission
from recharge.fulfilment.services import submission
from recharge.models import Account, Order
from recharge.orders.services import placing
from recharge.platform.choices import Cause, Result, Step
from recharge.platform.services import asking, callbacks, contact, way
from recharge.platform.services.findings import Finding, finding
from tests.unit.gateway.test_tls import certificate, server_context

from .conftest import set_to

pytestmark = pytest.mark.django_db(transaction=True)
ASKING_ONLY = {
    *("User/query", "Recharge/query", "Recharge/verify", "Recharge/mobileInfo"),
    *("Oil/query", "Order/orderList"),
}


@pytest.fixture(autouse=True)
def public(settings: LazySettings, live_server: LiveServer) -> None:
    """The portal itself answers at its public address."""
    settings.PUBLIC_URL = live_server.url


def check(**options: bool) -> dict[Step, Finding]:
    return {one.step: one for one in contact.check(**options)}


def wrong(found: dict[Step, Finding]) -> dict[Step, Cause]:
    return {step: one.cause for step, one in found.items() if one.result == Result.FAILED}


def accepted_order() -> Order:
    """An order that the platform has, under this account."""
    order = placing.place_mobile_order(placed_by=User.objects.create_user("clerk"), mobile="13900139000", face_value=50)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.submission == Submission.ACCEPTED
    return order


def calls_made(sandbox: Sandbox) -> set[str]:
    with sandbox.books.snapshot() as books:
        return {row[0] for row in books.execute("SELECT endpoint FROM calls")}


def test_all_is_well(sandbox: Sandbox) -> None:
    found = check()
    assert wrong(found) == {}
    untold = {step: one.cause for step, one in found.items() if one.result != Result.OK}
    assert untold == {Step.OUR_NUMBER: Cause.OUR_NUMBER_UNTRIED, Step.CALLBACKS: Cause.CALLBACKS_UNTRIED}
    assert found[Step.BALANCE].words == "100,000.00 元。"


def test_it_spends_and_changes_nothing(sandbox: Sandbox) -> None:
    check()
    assert calls_made(sandbox) == ASKING_ONLY


# --- the six ways in which a first contact goes wrong -----------------------------------------------------------------
def test_a_wrong_secret(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.WIKEYUN_APP_SECRET = "another-secret"
    found = check()
    assert wrong(found) == {Step.SIGNATURE: Cause.SECRET_WRONG}
    assert "密钥（app_secret）填错了" in found[Step.SIGNATURE].words
    assert "WIKEYUN_APP_SECRET" in found[Step.SIGNATURE].follows
    assert found[Step.CLOCK].result == Result.OK
    assert found[Step.OUR_NUMBER].result == Result.NOT_TRIED


@pytest.mark.parametrize(("offset", "cause"), [(900, Cause.CLOCK_BEHIND), (-900, Cause.CLOCK_AHEAD)])
def test_a_wrong_clock(sandbox: Sandbox, offset: int, cause: Cause) -> None:
    set_to(sandbox, clock_offset=offset)
    found = check()
    assert wrong(found) == {Step.CLOCK: cause, Step.SIGNATURE: Cause.TIME_REFUSED}
    assert abs(int(found[Step.CLOCK].facts["seconds"]) - 900) <= 2
    assert "本机时钟比平台" in found[Step.CLOCK].words


def test_a_clock_that_is_off_but_taken_is_only_to_be_looked_at(sandbox: Sandbox) -> None:
    set_to(sandbox, clock_offset=120)
    found = check()
    assert (found[Step.CLOCK].result, found[Step.CLOCK].cause) == (Result.WARNING, Cause.CLOCK_BEHIND)
    assert wrong(found) == {}


@pytest.mark.parametrize(("hours", "told"), [(8, "+8"), (-8, "-8")])
def test_a_platform_that_tells_the_time_of_another_zone(sandbox: Sandbox, hours: int, told: str) -> None:
    shown = mock.patch.object(contact, "platform_time", lambda raw: int(time.time()) + hours * 3600)
    with shown:
        clock = check()[Step.CLOCK]
        assert (clock.result, clock.cause, clock.follows) == (Result.OK, Cause.CLOCK_ELSEWHERE, "")
        assert told in clock.words
    with shown, mock.patch.object(contact, "_web_clock", lambda place: time.time() + hours * 3600):
        assert check()[Step.CLOCK].cause in (Cause.CLOCK_BEHIND, Cause.CLOCK_AHEAD), "it is this machine that is off"


@pytest.mark.parametrize("names", ["client", "format", "client,format"])
def test_another_set_of_signed_parameters_is_offered_as_a_setting(
    sandbox: Sandbox, settings: LazySettings, names: str
) -> None:
    set_to(sandbox, unsigned=names)
    found = check()
    assert wrong(found) == {Step.SIGNATURE: Cause.OTHER_PARAMETERS}
    assert f"WIKEYUN_LEAVE_OUT={names}，" in found[Step.SIGNATURE].follows
    settings.WIKEYUN_LEAVE_OUT = names.split(",")
    assert wrong(check()) == {}


def test_what_is_left_out_needlessly_is_found_too(sandbox: Sandbox, settings: LazySettings) -> None:
    """A platform that wants `client` refuses without it; here the refusal is made by a rule."""
    settings.WIKEYUN_LEAVE_OUT = ["client"]
    told = asking.ask_for_account()
    refused: asking.Told[PlatformAccount] = asking.Told(None, platform_refusal("签名错误"), "", told.at)
    assert asking.judge_signature(refused).cause == Cause.ALL_PARAMETERS


def test_no_tls_at_an_address_with_https(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.WIKEYUN_BASE_URL = sandbox.base_url.replace("http:", "https:")
    found = check()
    assert wrong(found) == {Step.TLS: Cause.TLS_NOT_SPOKEN}
    assert "没有加密" in found[Step.TLS].words


def test_tls_that_is_too_old(sandbox: Sandbox, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WIKEYUN_BASE_URL = sandbox.base_url.replace("http:", "https:")

    def shake_hands(place: object, *, timeout: float) -> None:
        error = ssl.SSLError(1, "unsupported protocol")
        error.reason = "UNSUPPORTED_PROTOCOL"
        raise error

    monkeypatch.setattr(reaching, "shake_hands", shake_hands)
    assert check()[Step.TLS].cause == Cause.TLS_FAILED


@pytest.mark.parametrize(("days", "result"), [(300, Result.OK), (3, Result.WARNING)])
def test_a_certificate_that_ends_soon(
    sandbox: Sandbox, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, days: int, result: Result
) -> None:
    settings.WIKEYUN_BASE_URL = sandbox.base_url.replace("http:", "https:")
    until = timezone.now() + dt.timedelta(days=days)
    monkeypatch.setattr(reaching, "shake_hands", lambda place, timeout: reaching.Handshake("TLSv1.3", until))
    found = check()[Step.TLS]
    assert found.result == result
    assert f"{timezone.localtime(until):%Y-%m-%d}" in found.words


def test_tls_at_an_address_with_http(settings: LazySettings, tmp_path: Path) -> None:
    sandbox = Sandbox(latency=0)
    context: ssl.SSLContext = server_context(certificate(tmp_path, "platform"))
    sandbox._server.socket = context.wrap_socket(sandbox._server.socket, server_side=True)
    settings.WIKEYUN_BASE_URL = sandbox.base_url
    settings.WIKEYUN_APP_KEY, settings.WIKEYUN_APP_SECRET, settings.WIKEYUN_STORE_ID = "k", "s", "1"
    with sandbox:
        found = check()
    assert wrong(found) == {Step.TLS: Cause.TLS_EXPECTED}
    assert "https://" in found[Step.TLS].follows


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("policy", ["refuse", "blind"])
def test_no_queries_by_our_number(sandbox: Sandbox, policy: str) -> None:
    check()
    assert Account.objects.count() == 0, "whoever only tries settings leaves no account behind"
    order = accepted_order()
    set_to(sandbox, order_no_queries=policy)
    found = check()
    cause = Cause.OUR_NUMBER_REFUSED if policy == "refuse" else Cause.OUR_NUMBER_BLIND
    assert wrong(found) == {Step.OUR_NUMBER: cause}
    assert "按我方订单号" in found[Step.OUR_NUMBER].words
    set_to(sandbox, order_no_queries="find")
    assert check()[Step.OUR_NUMBER].facts == {"order_no": order.order_no}
    assert wrong(check()) == {}


def test_refused_queries_are_found_before_there_is_any_order(sandbox: Sandbox) -> None:
    set_to(sandbox, order_no_queries="refuse")
    assert wrong(check()) == {Step.OUR_NUMBER: Cause.OUR_NUMBER_REFUSED}


def test_callbacks_that_are_blocked(sandbox: Sandbox, settings: LazySettings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.PUBLIC_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
        found = check()
    assert wrong(found) == {Step.PUBLIC_ADDRESS: Cause.ADDRESS_SILENT}
    assert "回调" in found[Step.PUBLIC_ADDRESS].words
    assert f"{settings.PUBLIC_URL}/healthz" in found[Step.PUBLIC_ADDRESS].follows


# --- other things that go wrong ---------------------------------------------------------------------------------------
def platform_refusal(words: str) -> Rejected:
    return Rejected("1005", words, f'{{"code":"1005","msg":"{words}"}}')


@pytest.mark.parametrize(
    ("changed", "step", "cause"),
    [
        ({"WIKEYUN_APP_KEY": "wrong"}, Step.SIGNATURE, Cause.KEY_UNKNOWN),
        ({"WIKEYUN_APP_KEY": ""}, Step.SIGNATURE, Cause.NOT_CONFIGURED),
        ({"WIKEYUN_STORE_ID": "77"}, Step.STORE, Cause.STORE_UNKNOWN),
        ({"WIKEYUN_BASE_URL": "https://router.invalid/rest/"}, Step.NAME, Cause.NAME_UNKNOWN),
        ({"WIKEYUN_BASE_URL": "ftp://router.invalid/"}, Step.NAME, Cause.ADDRESS_UNUSABLE),
        ({"WIKEYUN_BASE_URL": "http://127.0.0.1:1/rest/"}, Step.CONNECTION, Cause.CONNECTION_REFUSED),
        ({"PUBLIC_URL": "http://portal.invalid"}, Step.PUBLIC_ADDRESS, Cause.ADDRESS_NAME_UNKNOWN),
    ],
)
def test_a_wrong_setting(
    sandbox: Sandbox, settings: LazySettings, changed: dict[str, str], step: Step, cause: Cause
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    found = check()
    assert wrong(found)[step] == cause
    assert found[step].follows
    assert "%(" not in "".join(one.words + one.follows for one in found.values())


def test_a_wrong_path_is_no_answer(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.WIKEYUN_BASE_URL = f"{sandbox.root_url}api/"
    assert wrong(check()) == {Step.SIGNATURE: Cause.NO_ANSWER}


@pytest.mark.parametrize("name", ["router..wikeyun.cn", f"{'a' * 64}.cn", ".wikeyun.cn"])
def test_what_is_no_name_at_all(sandbox: Sandbox, settings: LazySettings, name: str) -> None:
    settings.PUBLIC_URL = f"http://{name}"
    assert wrong(check()) == {Step.PUBLIC_ADDRESS: Cause.ADDRESS_NAME_UNKNOWN}
    settings.WIKEYUN_BASE_URL = f"https://{name}/rest/"
    assert wrong(check())[Step.NAME] == Cause.NAME_UNKNOWN


def test_a_platform_that_redirects(sandbox: Sandbox, settings: LazySettings) -> None:
    with answering(301, location="https://elsewhere.example/rest/") as url:
        settings.WIKEYUN_BASE_URL = f"{url}/rest/"
        found = check()
    assert wrong(found) == {Step.SIGNATURE: Cause.REDIRECTED}
    assert "HTTP 301" in found[Step.SIGNATURE].words


@pytest.mark.parametrize(
    "body", [b"<html>no</html>", b'{"code": "0000", "data": {"mon', b'{"code": "0000", "data": []}']
)
def test_what_is_no_answer_is_told_without_english(sandbox: Sandbox, settings: LazySettings, body: bytes) -> None:
    with answering(200, body) as url:
        settings.WIKEYUN_BASE_URL = f"{url}/rest/"
        found = check()[Step.SIGNATURE]
    assert found.words == "没有得到像是平台给出的应答（没有及时回答，或回答无法识别）。"


@pytest.mark.parametrize("error", [NotSent("refused"), OutcomeUnknown("answered with HTTP 502", "", 502)])
def test_a_platform_that_is_gone_in_the_middle_has_no_calls_and_misses_none(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    gone = mock.Mock(verify_mobile=mock.Mock(side_effect=error), query_oil_order=mock.Mock(side_effect=error))
    gone.account, gone.query_mobile_order = platform.trial_client().account, platform.trial_client().query_mobile_order
    gone.mobile_info = gone.list_orders = mock.Mock(side_effect=error)
    monkeypatch.setattr(platform, "trial_client", lambda **options: gone)
    found = check()
    assert (found[Step.CALLS].result, found[Step.CALLS].cause) == (Result.WARNING, Cause.CALLS_UNTOLD)
    assert (found[Step.FACE_VALUES].result, found[Step.FACE_VALUES].cause) == (Result.WARNING, Cause.VALUE_UNANSWERED)


def test_calls_that_are_missing(sandbox: Sandbox) -> None:
    set_to(sandbox, missing_calls="Recharge/verify,Oil/query,Order/orderList")
    found = check()
    assert found[Step.CALLS].cause == Cause.OIL_QUERY_MISSING
    assert found[Step.CALLS].facts["missing"] == "Recharge/verify, Oil/query, Order/orderList"
    assert found[Step.FACE_VALUES].cause == Cause.VALUES_UNTOLD
    assert (found[Step.STORE].result, found[Step.STORE].cause) == (Result.NOT_TRIED, Cause.STORE_UNTOLD)


def test_a_face_value_that_the_platform_does_not_have(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.FACE_VALUES = [50, 30, 100]
    assert check()[Step.FACE_VALUES].facts == {"values": "30", "words": "充值面值不支持"}


def test_a_platform_with_a_byte_order_mark_and_grouped_money(sandbox: Sandbox) -> None:
    set_to(sandbox, quirks=True)
    found = check()
    assert wrong(found) == {}
    assert found[Step.BALANCE].words == "100,000.00 元。"


def test_a_platform_that_hangs_holds_nothing_up_for_long(
    settings: LazySettings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "TRIAL_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        settings.WIKEYUN_BASE_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}/rest/"
        monkeypatch.setattr(way, "CONNECT_TIMEOUT", 0.3)
        began = time.monotonic()
        found = check()
    assert wrong(found) == {Step.SIGNATURE: Cause.NO_ANSWER}
    assert time.monotonic() - began < 5


def test_a_step_that_the_portal_fails_at_ends_no_other(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "learn_words", lambda: 1 / 0)
    found = check()
    assert wrong(found) == {Step.NO_SUCH_ORDER: Cause.WENT_WRONG}
    assert found[Step.FACE_VALUES].result == Result.OK


def test_time_is_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "ASKED_FOR", -1)
    found = check()
    assert found[Step.STORE].cause == Cause.TOOK_TOO_LONG
    assert found[Step.PUBLIC_ADDRESS].result == Result.OK


# --- our own address --------------------------------------------------------------------------------------------------
@contextmanager
def answering(status: int, body: bytes = b"", location: str = "") -> Iterator[str]:
    """A web server that is not the portal."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.ADDRESS_OTHER),
        (404, Cause.ADDRESS_OTHER),
        (502, Cause.ADDRESS_OTHER),
        (301, Cause.ADDRESS_REDIRECTS),
        (308, Cause.ADDRESS_REDIRECTS),
    ],
)
def test_something_else_at_our_address(sandbox: Sandbox, settings: LazySettings, status: int, cause: Cause) -> None:
    with answering(status, b"success", "http://127.0.0.1:1/" if status in (301, 308) else "") as url:
        settings.PUBLIC_URL = url
        assert wrong(check()) == {Step.PUBLIC_ADDRESS: cause}


@contextmanager
def dripping(pieces: Iterable[bytes], pause: float) -> Iterator[str]:
    """A web server that gives its answer piece by piece."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    time.sleep(pause)

        do_GET = do_HEAD = do_POST

        def log_message(self, *arguments: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


HEAD = b"HTTP/1.0 200 OK\r\n"
LENGTH = b"Content-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [[HEAD, *[b"X"] * 100], [HEAD + LENGTH, *[b"X"] * 100], [HEAD + LENGTH, b""], [b""]],
    ids=["in its head", "in its body", "silent after its head", "silent from the start"],
)
def test_whoever_drips_at_our_address_does_not_hold_the_check_up(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]
) -> None:
    monkeypatch.setattr(callbacks, "PROBE_IN_ALL", 0.5)
    with dripping(pieces, 0.1 if len(pieces) > 2 else 4) as url:
        settings.PUBLIC_URL = url
        began = time.monotonic()
        found = callbacks.try_public_address(callbacks_come=False, platform_is_here=True)
        assert time.monotonic() - began < 3
    assert found.cause in (Cause.ADDRESS_SILENT, Cause.ADDRESS_OTHER)


def test_a_web_clock_that_drips_does_not_either() -> None:
    with dripping([HEAD, *[b"X"] * 100], 0.1) as url:
        began = time.monotonic()
        with suppress(OSError, http.client.HTTPException):
            reaching.web_clock(reaching.Place.of(url), timeout=0.5)
        assert time.monotonic() - began < 3


def test_an_address_that_means_this_machine_is_none_for_a_platform_elsewhere(settings: LazySettings) -> None:
    found = callbacks.try_public_address(callbacks_come=False, platform_is_here=False)
    assert (found.result, found.cause) == (Result.FAILED, Cause.ADDRESS_LOCAL)


def test_an_address_in_the_own_network_is_to_be_tried_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "is_loopback", lambda host: False)
    found = callbacks.try_public_address(callbacks_come=False, platform_is_here=False)
    assert (found.result, found.cause) == (Result.WARNING, Cause.ADDRESS_REACHED_INSIDE)
    assert callbacks.try_public_address(callbacks_come=True, platform_is_here=False).result == Result.OK


def test_callbacks_that_come_count_more_than_a_way_that_is_missing_from_inside(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:1"
    found = callbacks.try_public_address(callbacks_come=True, platform_is_here=True)
    assert (found.result, found.cause) == (Result.OK, Cause.ADDRESS_SILENT_HERE)


# --- secrets ----------------------------------------------------------------------------------------------------------
def test_nothing_secret_or_personal_is_kept_of_an_answer(settings: LazySettings) -> None:
    settings.WIKEYUN_APP_SECRET = "short"
    quoted = "签名错误 short 7A48D8D40D7EE5849A81A711C8A6BF24 13812345678 330102199001011234 1624868000"
    found = finding(Step.SIGNATURE, Result.FAILED, Cause.REFUSED, quoted * 20, words=quoted)
    for text in (found.raw, found.words, json.dumps(found.as_row(), ensure_ascii=False)):
        for secret in ("short", "7A48D8D4", "13812345678", "330102199001011234"):
            assert secret not in text
    assert "1624868000" in found.raw
    assert len(found.raw) <= 600
    assert Finding.kept(json.loads(json.dumps(found.as_row()))) == found


# --- the command ------------------------------------------------------------------------------------------------------
def test_the_command_says_what_is_wrong_in_chinese_and_fails(sandbox: Sandbox, settings: LazySettings) -> None:
    out = io.StringIO()
    call_command("check_platform", stdout=out)
    assert "✓ 密钥与签名" in out.getvalue()
    settings.WIKEYUN_APP_SECRET = "another-secret"
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_platform", stdout=out)
    assert ended.value.code == 1
    assert "✗ 密钥与签名: 换了各种参数组合，平台都说签名不对" in out.getvalue()
    assert "another-secret" not in out.getvalue()


def test_the_command_as_json(sandbox: Sandbox) -> None:
    out = io.StringIO()
    with translation.override("en"):
        call_command("check_platform", "--json", stdout=out)
    rows = json.loads(out.getvalue())
    assert [row["step"] for row in rows] == [step.value for step in Step]
    assert rows[0].keys() == {"step", "result", "cause", "facts", "raw", "label", "words", "follows"}
