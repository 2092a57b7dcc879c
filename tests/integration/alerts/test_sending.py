"""What goes over the wire to each kind of channel, what counts as arrived, and where nothing is ever sent."""

import base64
import hashlib
import hmac
import json
import logging
import smtplib
import socket
import threading
import time
from contextlib import suppress
from email import message_from_string, policy
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot
from cryptography import x509
from django.test import override_settings

from recharge.alerts.services import carrying, channels
from recharge.alerts.services.sending import Letter, Undeliverable, send, sign, sign_for_robot
from recharge.choices import AlertChannelKind
from tests.receivers import MailReceiver, WebReceiver, serving
from tests.unit.gateway.test_tls import certificate, server_context

LETTER = Letter("标题", "正文", "msg_1", {"alerts": []})
KEY = base64.b64encode(b"k" * 32).decode()
ROBOTS = ["wecombot://key1", "dingtalk://abc@token1", "feishu://token1", "lark://token1"]


@pytest.fixture
def robots(monkeypatch: pytest.MonkeyPatch, receiver: WebReceiver) -> WebReceiver:
    """The four messengers, all of them one server here."""
    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"http://{receiver.host}/wecom?key={{key}}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", f"http://{receiver.host}/ding?access_token={{token}}")
    monkeypatch.setattr(NotifyFeishu, "notify_url", f"http://{receiver.host}/feishu/{{token}}")
    monkeypatch.setattr(NotifyLark, "notify_url", f"http://{receiver.host}/lark/")
    return receiver


def test_the_robots_get_what_their_documents_say(robots: WebReceiver) -> None:
    for address in ROBOTS:
        send(address, LETTER)
    (wecom, said), (ding, asked), (feishu, told), (lark, heard) = robots.got
    assert (wecom, said["msgtype"]) == ("/wecom?key=key1", "text")
    assert said["text"]["content"].split() == ["标题", "正文"]
    assert ding.startswith("/ding?access_token=token1&timestamp=")
    assert "&sign=" in ding
    assert (asked["msgtype"], asked["text"]["content"].split()) == ("text", ["标题", "正文"])
    assert (feishu, told["msg_type"], lark, heard["msg_type"]) == ("/feishu/token1", "text", "/lark/token1", "text")
    assert told["content"]["text"].split() == heard["content"]["text"].split() == ["标题", "正文"]


@pytest.mark.parametrize(("scheme", "path"), [("feishu", "/feishu/token1"), ("lark", "/lark/token1")])
def test_a_robot_that_checks_signatures_gets_one_in_the_body(robots: WebReceiver, scheme: str, path: str) -> None:
    send(f"{scheme}://Sec1@token1/", LETTER)
    where, said = robots.got[0]
    assert where == path
    assert abs(int(said["timestamp"]) - time.time()) < 60
    key = f"{said['timestamp']}\nSec1".encode()
    assert base64.b64decode(said["sign"]) == hmac.new(key, b"", hashlib.sha256).digest()
    assert (said["msg_type"], said["content"]) == ("text", {"text": "标题\n正文"})
    robots.answer = {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}
    with pytest.raises(Undeliverable, match="19021 sign match fail"):
        send(f"{scheme}://Sec1@token1/", LETTER)
    robots.status = 502
    with pytest.raises(Undeliverable, match="502"):
        send(f"{scheme}://Sec1@token1/", LETTER)


def test_a_signature_for_a_robot_is_as_openssl_makes_it() -> None:
    """printf '' | openssl dgst -sha256 -mac hmac -macopt hexkey:… -binary | base64, the key being its bytes in hex."""
    assert sign_for_robot("secret", 1599360473) == "q4jswNiMy51J5JuQV566yJat0/lQ/c+22kINzUgKsGU="


def test_dingtalk_is_signed_by_its_secret_in_the_address(robots: WebReceiver) -> None:
    send("dingtalk://SECabc@token1", LETTER)
    query = parse_qs(urlsplit(robots.got[0][0]).query)
    (moment,), (signature,) = query["timestamp"], query["sign"]
    assert abs(int(moment) / 1000 - time.time()) < 60
    expected = hmac.new(b"SECabc", f"{moment}\nSECabc".encode(), hashlib.sha256).digest()
    assert base64.b64decode(unquote(signature)) == expected


@pytest.mark.parametrize(
    ("address", "answer", "words"),
    [
        ("wecombot://key1", {"errcode": 93000, "errmsg": "invalid webhook url"}, "93000 invalid webhook url"),
        ("dingtalk://abc@token1", {"errcode": 310000, "errmsg": "sign not match"}, "310000 sign not match"),
        ("feishu://token1", {"code": 19024, "msg": "Key Words Not Found"}, "19024 Key Words Not Found"),
        ("lark://token1", {"code": 19001, "msg": "param invalid"}, "19001 param invalid"),
        ("wecombot://key1", {}, "看不懂对方的应答"),
    ],
)
def test_a_robot_that_refuses_with_200_has_not_taken_it(
    robots: WebReceiver, address: str, answer: dict[str, Any], words: str
) -> None:
    robots.answer = answer
    with pytest.raises(Undeliverable, match=words):
        send(address, LETTER)


def test_feishu_of_the_old_kind_says_status_code(robots: WebReceiver) -> None:
    robots.answer = {"StatusCode": 0, "StatusMessage": "success"}
    send("feishu://token1", LETTER)


@pytest.mark.parametrize("address", ROBOTS)
def test_a_robot_is_reached_in_production_too(address: str) -> None:
    """Its key is no name of a host: it isn't looked up as one."""
    asked: list[str] = []
    resolve = mock.patch.object(socket, "getaddrinfo", side_effect=_none(asked))
    with override_settings(DEBUG=False), resolve, pytest.raises(Undeliverable):
        send(address, LETTER)
    assert len(asked) == 1
    assert asked[0].endswith((".qq.com", ".dingtalk.com", ".feishu.cn", ".larksuite.com"))


def _none(asked: list[str]) -> Any:
    def resolve(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        raise socket.gaierror

    return resolve


def test_a_webhook_is_signed_by_the_rules_of_standard_webhooks(receiver: WebReceiver) -> None:
    send(f"webhook://whsec_{KEY.replace('=', '%3D')}@{receiver.host}/hook?x=1", LETTER)
    headers, body = receiver.raw[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == "msg_1"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    said = json.loads(body)
    assert (said["type"], said["data"]) == ("portal.alerts", {"title": "标题", "text": "正文", "alerts": []})
    assert receiver.got[0][0] == "/hook?x=1"


def test_the_example_of_the_specification_has_its_signature() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_that_does_not_say_2xx_has_not_taken_it(receiver: WebReceiver) -> None:
    receiver.status = 410
    with pytest.raises(Undeliverable, match="410"):
        send(f"webhook://{KEY}@{receiver.host}/", LETTER)


def test_a_mail_arrives(mails: MailReceiver) -> None:
    address = channels.mailbox(
        server="127.0.0.1", port=mails.port, mode="insecure", user="", password="", sender="portal@example.com",
        to=["boss@example.com", "clerk@example.com"],
    )  # fmt: skip
    send(address, LETTER)
    assert sorted(mails.recipients) == ["boss@example.com", "clerk@example.com"]
    mail = message_from_string(mails.mails[0], policy=policy.default)
    assert mail["Subject"] == "标题"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "正文" in body.get_content()


@pytest.mark.parametrize("scheme", ["json", "webhook"])
def test_no_redirect_is_followed(receiver: WebReceiver, scheme: str) -> None:
    receiver.status = 307
    secret = f"{KEY}@" if scheme == "webhook" else ""
    with pytest.raises(Undeliverable, match="307"):
        send(f"{scheme}://{secret}{receiver.host}/?redirect=yes", LETTER)
    assert receiver.got == []
    assert len(receiver.raw) == 1


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:1/",
        "jsons://127.0.0.1:1/",
        "jsons://localhost/",
        "jsons://169.254.169.254/latest/",
        "jsons://[::ffff:10.0.0.1]/",
        "jsons://[64:ff9b::7f00:1]/",
        "jsons://[::127.0.0.1]/",
        "jsons://[fec0::1]/",
        "jsons://192.0.0.8/",
        f"webhook://{KEY}@example.com/",
        f"webhooks://{KEY}@127.0.0.1:1/",
        "webhooks://example.com/",
        "mailtos://u:p@127.0.0.1/?from=a@example.com&to=b@example.com",
        "mailto://127.0.0.1/?from=a@example.com&to=b@example.com",
        "syslog://",
    ],
)
def test_no_address_of_the_own_network_is_called(address: str) -> None:
    connect = mock.patch.object(socket, "create_connection", side_effect=AssertionError("connected"))
    with override_settings(DEBUG=False), connect, pytest.raises(Undeliverable):
        send(address, LETTER)


@pytest.mark.parametrize("scheme", ["jsons", "webhooks", "mailtos"])
def test_a_name_that_changes_its_address_leads_nowhere_else(scheme: str) -> None:
    """The first look finds a public address, the one for the connection the own network."""
    address = {
        "jsons": "jsons://rebinding.example/",
        "webhooks": f"webhooks://{KEY}@rebinding.example/",
        "mailtos": "mailtos://u:p@rebinding.example/?from=a@example.com&to=b@example.com",
    }[scheme]
    numbers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])

    def resolve(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(numbers), port))]

    with (
        override_settings(DEBUG=False),
        mock.patch.object(socket, "getaddrinfo", side_effect=resolve),
        mock.patch.object(socket, "create_connection", side_effect=AssertionError("connected")),
        pytest.raises(Undeliverable),
    ):
        send(address, LETTER)


@pytest.mark.parametrize("scheme", ["jsons", "webhooks", "mailtos", "wecombot"])
def test_what_is_connected_to_is_the_address_that_was_judged(scheme: str) -> None:
    """By its number: a name would be looked up once more."""
    address = {
        "jsons": "jsons://public.example/",
        "webhooks": f"webhooks://{KEY}@public.example/",
        "mailtos": "mailtos://u:p@public.example/?from=a@example.com&to=b@example.com",
        "wecombot": "wecombot://key1/",
    }[scheme]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    with (
        override_settings(DEBUG=False),
        mock.patch.object(socket, "getaddrinfo", return_value=found),
        mock.patch.object(socket, "create_connection", side_effect=ConnectionRefusedError) as connect,
        pytest.raises(Undeliverable),
    ):
        send(address, LETTER)
    assert [call.args[0][0] for call in connect.call_args_list] == ["93.184.215.14"]


def test_the_certificate_is_checked_for_the_name_although_a_number_is_connected_to(tmp_path: Path) -> None:
    file = certificate(tmp_path, "localhost", alternative=x509.DNSName("localhost"))
    receiver = WebReceiver()
    receiver.server.socket = server_context(file).wrap_socket(receiver.server.socket, server_side=True)
    port = receiver.server.server_port
    with serving(receiver.server), override_settings(DEBUG=True):
        options: Any = {"data": b"{}", "headers": {}, "verify": str(file)}
        assert carrying.post(f"https://localhost:{port}/", **options).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            carrying.post(f"https://127.0.0.1:{port}/", **options)
        with pytest.raises(Undeliverable, match="证书无效"):
            send(f"webhooks://{KEY}@localhost:{port}/", LETTER)
    assert len(receiver.raw) == 1


@pytest.mark.parametrize("head", [b"", b"HTTP/1.0 200 OK\r\n\r\n"], ids=["in its head", "in its body"])
def test_what_trickles_is_cut_off(receiver: WebReceiver, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(carrying, "IN_ALL", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_trickle, args=[server, head])
        thread.start()
        began = time.monotonic()
        with suppress(Undeliverable):  # of a body nobody reads much: 200 is enough
            send(f"webhook://{KEY}@127.0.0.1:{server.getsockname()[1]}/", LETTER)
        assert time.monotonic() - began < 3
        thread.join()


def _trickle(server: socket.socket, head: bytes) -> None:
    connected, _address = server.accept()
    try:
        connected.sendall(head)
        for _ in range(100):
            connected.sendall(b"H")
            time.sleep(0.1)
    except OSError:
        return
    finally:
        connected.close()


def test_a_name_with_many_addresses_takes_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(carrying, "IN_ALL", 0.5)
    monkeypatch.setattr(carrying, "WAIT", 0.2)
    monkeypatch.setattr(carrying, "addresses", lambda host, port: ["192.0.2.1"] * 40)
    monkeypatch.setattr(socket, "create_connection", silent)
    began = time.monotonic()
    with override_settings(DEBUG=True), pytest.raises(Undeliverable, match="无法连接"):
        send(f"webhook://{KEY}@many.example/", LETTER)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("address", ["wecombot://key-0123456789/", f"webhook://{KEY}@{{host}}/hook-0123456789"])
def test_what_the_other_side_repeats_of_an_address_is_hidden(robots: WebReceiver, address: str) -> None:
    robots.answer = {"errcode": 93000, "errmsg": "invalid key-0123456789"}
    robots.status = 200 if address.startswith("wecom") else 410
    with pytest.raises(Undeliverable) as refused:
        send(address.format(host=robots.host), LETTER)
    assert "0123456789" not in str(refused.value)


def test_what_fails_in_a_library_tells_nothing_of_the_address(caplog: pytest.LogCaptureFixture) -> None:
    address = "wecombot://key-0123456789/"
    broken = mock.patch.object(NotifyWeComBot, "notify", side_effect=ValueError(f"odd: {address}"))
    with broken, pytest.raises(Undeliverable, match="意外"):
        send(address, LETTER)
    assert "0123456789" not in caplog.text
    assert "odd: wecombot://***/" in caplog.text


@pytest.mark.parametrize(
    "address", ["webhooks://c2VjcmV0@[::1/", "feishu://a@[b/", "jsons://[::1/", "webhooks://a@b:c/"]
)
def test_what_is_no_address_is_undeliverable(address: str) -> None:
    with pytest.raises(Undeliverable, match="不在可发送的渠道之列"):
        send(address, LETTER)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("json://{host}/", "对方应答 404。"),
        ("json://127.0.0.1:1/", "无法连接对方。"),
        ("mailto://127.0.0.1:1/?from=a@example.com&to=b@example.com&mode=insecure", "无法连接对方。"),
        ("mailtos://127.0.0.1:{mail}/?from=a@example.com&to=b@example.com&mode=starttls", "对方不支持加密连接。"),
        (
            "mailto://127.0.0.1:{mail}/?from=a@example.com&to=no@example.com&mode=insecure",
            "对方拒收：550 nobody there",
        ),
    ],
)
def test_why_something_failed_is_told_in_our_words(
    receiver: WebReceiver, mails: MailReceiver, address: str, words: str
) -> None:
    receiver.status, mails.unknown = 404, {"no@example.com"}
    with pytest.raises(Undeliverable) as refused:
        send(address.format(host=receiver.host, mail=mails.port), LETTER)
    assert str(refused.value) == words


def test_each_letter_has_a_number_of_its_own() -> None:
    assert Letter("a", "b").number != Letter("a", "b").number


def test_nothing_of_an_address_gets_into_the_log(receiver: WebReceiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for address in ("dingtalk://s3cret@to!ken/", "json://127.0.0.1:1/s3cret", "wecombot://s3cret!"):
        with pytest.raises(Undeliverable) as refused:
            send(address, LETTER)
        assert "s3cret" not in str(refused.value)
    assert "s3cret" not in "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")
    )


@pytest.mark.parametrize(
    ("kind", "url", "address"),
    [
        (AlertChannelKind.WECOM, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=ab-12", "wecombot://ab-12/"),
        (AlertChannelKind.WECOM, "ab-12cd", "wecombot://ab-12cd/"),
        (AlertChannelKind.DINGTALK, "https://oapi.dingtalk.com/robot/send?access_token=ab12", "dingtalk://ab12/"),
        (AlertChannelKind.FEISHU, "https://open.feishu.cn/open-apis/bot/v2/hook/ab-12", "feishu://ab-12/"),
        (AlertChannelKind.LARK, "https://open.larksuite.com/open-apis/bot/v2/hook/ab-12", "lark://ab-12/"),
    ],
)
def test_the_url_that_a_messenger_shows_is_taken(kind: AlertChannelKind, url: str, address: str) -> None:
    assert channels.robot(kind, url) == address


@pytest.mark.parametrize("url", ["https://example.com/?key=ab-12", "http://qyapi.weixin.qq.com/?key=ab-12", "键", ""])
def test_the_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(channels.BadAddress):
        channels.robot(AlertChannelKind.WECOM, url)


def test_apprise_still_goes_by_the_connections_that_are_put_under_it() -> None:
    """A new version that imported them another way would be free to go anywhere."""
    from apprise.plugins import custom_json, dingtalk, feishu, lark, wecombot
    from apprise.plugins.email import smtp

    for module in (custom_json, dingtalk, feishu, lark, wecombot):
        assert vars(module)["requests"].post is carrying.post
    assert vars(smtp)["smtplib"].SMTP is carrying.SMTP
    assert vars(smtp)["smtplib"].SMTP is not smtplib.SMTP
