"""What must not be seen is in no message, no log, no repr and no traceback."""

import copy
import logging
import pickle
import re
import socket
import traceback

import pytest

from portal.gateway import GatewayError, NotSent, OilCard, OutcomeUnknown, Rejected

from .servers import (
    APP_KEY,
    PUSHED,
    SECRET,
    Behaviour,
    answering,
    answering_then_closing,
    answering_then_silent,
    client_for,
    http,
    push,
    serving,
)

PHONE = "13800138000"
OURS = (SECRET, APP_KEY, "app_key", "sign=", PHONE, "callback/abc")
ECHO = {"code": "1003", "msg": f"you signed {SECRET}app_key", "data": None}


def assert_nothing_shows(*texts: str) -> None:
    for text in texts:
        assert not [secret for secret in OURS if secret in text]
        assert not re.search(r"[0-9A-F]{32}", text)


@pytest.mark.parametrize(
    "behave",
    [
        answering(http(PUSHED)),
        answering(http(PUSHED, headers="broken header\r\nX\x00: y\r\n")),
        answering(http({"code": "1003", "msg": "no"})),
        answering(http(b"<html>", "500 Oh")),
        answering(http(b"", "302 Found", "Location: /x\r\n")),
        answering_then_closing(b""),
        answering_then_closing(b"nonsense\r\n"),
        answering_then_silent(),
    ],
)
def test_logs_and_errors_do_not_show_what_was_sent(behave: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with serving(behave) as server:
        client = client_for(server.url, timeout=0.3)
        try:
            push(client)
        except GatewayError as error:
            shown = [str(error), repr(error), *traceback.format_exception(error)]
    assert_nothing_shows(caplog.text, repr(client), *shown)
    assert "Recharge/pushOrder" in caplog.text
    assert "20211109001" in caplog.text


def test_only_a_call_that_failed_is_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(answering(http(PUSHED), http({"code": "1003", "msg": "no"}))) as server:
        client = client_for(server.url)
        push(client)
        assert caplog.messages == []
        with pytest.raises(Rejected):
            push(client)
    assert len(caplog.messages) == 1
    assert "Rejected" in caplog.messages[0]


def test_an_unreachable_platform_does_not_show_what_would_have_been_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        push(client_for(f"http://127.0.0.1:{port}/"))
    assert_nothing_shows(caplog.text, str(caught.value), repr(caught.value))


def test_a_secret_that_the_platform_echoes_is_blotted_out() -> None:
    with serving(answering(http(ECHO))) as server, pytest.raises(Rejected) as caught:
        push(client_for(server.url))
    assert caught.value.message == "you signed [hidden]app_key"
    assert SECRET not in caught.value.raw + repr(caught.value) + str(caught.value)


def test_a_secret_in_a_broken_answer_is_blotted_out() -> None:
    with serving(answering_then_closing(http(ECHO)[:-3])) as server, pytest.raises(OutcomeUnknown) as caught:
        push(client_for(server.url))
    assert "[hidden]" in caught.value.raw
    assert SECRET not in caught.value.raw


def test_a_short_secret_does_not_spoil_honest_answers() -> None:
    with serving(answering(http({**PUSHED, "data": {"order_number": "123456"}}))) as server:
        assert push(client_for(server.url, app_secret="456")).gateway_order_no == "123456"


def test_wrong_use_does_not_show_the_value() -> None:
    client = client_for("http://127.0.0.1:1/")
    with pytest.raises(ValueError, match="mobile") as caught:
        push(client, mobile=PHONE + "\ud800")
    assert PHONE not in str(caught.value)
    with pytest.raises(ValueError, match="app_secret") as caught:
        client_for("http://127.0.0.1:1/", app_secret=SECRET + "\0")
    assert SECRET not in str(caught.value)


def test_personal_data_is_not_in_the_repr_of_a_card() -> None:
    card = OilCard("7", "100011", "张三", PHONE, "11010X", None, "the raw answer")
    assert repr(card) == "OilCard(card_id='7', card_type=None)"


@pytest.mark.parametrize("error", [Rejected("1003", "no", "raw"), NotSent("refused"), OutcomeUnknown("reset", "raw")])
def test_an_error_survives_copying_and_pickling(error: GatewayError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert (str(twin), vars(twin)) == (str(error), vars(error))
        assert "raw" not in repr(twin)
