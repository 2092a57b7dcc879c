"""Sending one message to one address: by apprise, over connections of our own, and signed where it signs nothing."""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import secrets
import smtplib
import time
import traceback
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import apprise
import requests
import structlog
from apprise.plugins import custom_json, dingtalk, feishu, lark, wecombot
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.email import NotifyEmail
from apprise.plugins.email import smtp as email_smtp
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.wecombot import NotifyWeComBot
from django.conf import settings
from django.utils.translation import gettext as _

from recharge.choices import AlertChannelKind

from . import carrying, failing

SAFE: dict[str, Any] = {
    "wecombot": NotifyWeComBot,
    "dingtalk": NotifyDingTalk,
    "feishu": NotifyFeishu,
    "lark": NotifyLark,
    "jsons": NotifyJSON,
    "mailtos": NotifyEmail,
}
"""Named here, since apprise would import all of its some 190 services to find one."""
WHILE_TRYING_OUT: dict[str, Any] = {"json": NotifyJSON, "mailto": NotifyEmail}
WEBHOOKS = {"webhooks": "https", "webhook": "http"}
"""Our own notation for signed webhooks: webhooks://SECRET@host/path."""

SIGNED_ROBOTS = ("feishu", "lark")
"""Apprise doesn't know their check of signatures: feishu://SECRET@TOKEN."""

KINDS = {
    "wecombot": AlertChannelKind.WECOM,
    "dingtalk": AlertChannelKind.DINGTALK,
    "feishu": AlertChannelKind.FEISHU,
    "lark": AlertChannelKind.LARK,
    "mailtos": AlertChannelKind.MAIL,
    "mailto": AlertChannelKind.MAIL,
    "webhooks": AlertChannelKind.WEBHOOK,
    "webhook": AlertChannelKind.WEBHOOK,
}
_OUR_REQUESTS = SimpleNamespace(**{**vars(requests), "post": carrying.post, "request": carrying.request})
_OUR_SMTPLIB = SimpleNamespace(**{**vars(smtplib), "SMTP": carrying.SMTP, "SMTP_SSL": carrying.SMTPS})


def _take_our_connections(*modules: ModuleType) -> None:
    for module in modules:
        vars(module)["requests"] = _OUR_REQUESTS
    vars(email_smtp)["smtplib"] = _OUR_SMTPLIB


_take_our_connections(wecombot, dingtalk, feishu, lark, custom_json)
# Its lines name addresses, which are secrets; what people need of them comes by way of `Undeliverable`.
_its_log = logging.getLogger("apprise")
_its_log.propagate = False
_its_log.addHandler(logging.NullHandler())

log = structlog.get_logger(__name__)


class Undeliverable(Exception):
    """A message did not reach its channel, or nobody knows; the words are for people and hold no secret.

    Args:
        words: why.
        perhaps_arrived: whether it went out without an answer.
    """

    def __init__(self, words: str, *, perhaps_arrived: bool = False) -> None:
        super().__init__(words)
        self.perhaps_arrived = perhaps_arrived


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it goes out: for people a heading and some lines, for programs an id that stays, and data."""

    heading: str
    text: str
    number: str = field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")
    data: dict[str, Any] = field(default_factory=lambda: {"alerts": []})


def kind_of(address: str) -> AlertChannelKind:
    """Return what stands at the other end of an address."""
    return KINDS.get(_scheme(address), AlertChannelKind.JSON)


def send(address: str, letter: Letter) -> str:
    """Send one message to one address.

    Returns:
        Why some of its recipients did not get it; "" where all did. It is not for sending again: others have it.

    Raises:
        Undeliverable: it did not arrive, or the address must not be used.
    """
    try:
        with carrying.exchange():
            return _hide(_send(address, letter), address)
    except Undeliverable as error:
        raise Undeliverable(_hide(str(error), address), perhaps_arrived=error.perhaps_arrived) from None
    except Exception as error:  # whatever a service of a library does: one channel must not silence the others
        why = _hide(f"{type(error).__name__}: {error}", address)
        log.error("alert_channel_failed", why=why, where=traceback.format_tb(error.__traceback__))
        raise Undeliverable(_("It failed in a way that nobody foresaw; the log says how.")) from None


def _send(address: str, letter: Letter) -> str:
    if _scheme(address) in WEBHOOKS:
        return _send_signed(address, letter)
    if _scheme(address) in SIGNED_ROBOTS and _parts(address).username:
        return _send_to_signed_robot(address, letter)
    return _send_by_apprise(address, letter)


def require_usable(address: str) -> None:
    """Make sure that an address can be sent to, without sending anything.

    Raises:
        Undeliverable: it is none, or it is of the own network.
    """
    if _scheme(address) in WEBHOOKS:
        url, _key = webhook_of(address)
        _require_public(_parts(url).hostname)
        return
    _require_public(_own_host(_service(address)))


def webhook_of(address: str) -> tuple[str, bytes]:
    """Return where a signed webhook is, and the key that signs for it.

    Raises:
        Undeliverable: it is none; not of https, and DEBUG is off.
    """
    parts = _parts(address)
    secret, _at, host = parts.netloc.rpartition("@")
    scheme = WEBHOOKS[_scheme(address)]
    try:
        key = base64.b64decode(unquote(secret).removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key or not host or (scheme != "https" and not settings.DEBUG):
        raise Undeliverable(_("The address is none that the portal sends to."))
    return urlunsplit((scheme, host, parts.path, parts.query, "")), key


def sign(key: bytes, number: str, moment: int, body: bytes) -> str:
    """Return the signature of a webhook, as the Standard Webhooks specification has it."""
    mac = hmac.new(key, f"{number}.{moment}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def sign_for_robot(secret: str, moment: int) -> str:
    """Return the signature of a message to a robot of Feishu or Lark: of nothing, by moment and secret as the key.

    Source: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot, "Signature verification".

    Args:
        secret: as the messenger shows it.
        moment: seconds since 1970; an hour old at most when it arrives.
    """
    mac = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def _send_to_signed_robot(address: str, letter: Letter) -> str:
    robot = _service(address)
    url = robot.webhook_url if isinstance(robot, NotifyLark) else robot.notify_url.format(token=robot.token)
    moment = int(time.time())
    message = {
        "timestamp": str(moment),
        "sign": sign_for_robot(robot.user, moment),
        "msg_type": "text",
        "content": {"text": f"{letter.heading}\n{letter.text}"},
    }
    _post(url, json.dumps(message, ensure_ascii=False).encode(), {"Content-Type": "application/json"})
    if refusal := failing.refusal(_scheme(address)):
        raise Undeliverable(refusal)
    return ""


def _send_signed(address: str, letter: Letter) -> str:
    url, key = webhook_of(address)
    _require_public(_parts(url).hostname)
    moment = int(time.time())
    told = {"title": letter.heading, "text": letter.text, **letter.data}
    body = json.dumps({"type": "portal.alerts", "timestamp": _iso(moment), "data": told}, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Portal",
        "webhook-id": letter.number,
        "webhook-timestamp": str(moment),
        "webhook-signature": sign(key, letter.number, moment, body),
    }
    _post(url, body, headers)
    return ""


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    try:
        response = carrying.post(url, data=body, headers=headers)
    except requests.RequestException as error:
        raise Undeliverable(failing.why(error), perhaps_arrived=failing.perhaps_arrived(error)) from None
    if not 200 <= response.status_code < 300:
        raise Undeliverable(_("It answered with %(status)s.") % {"status": response.status_code})


def _send_by_apprise(address: str, letter: Letter) -> str:
    service = _service(address)
    service.verify_certificate = service.verify_certificate or not settings.DEBUG
    service.redirects = False
    service.socket_connect_timeout = service.socket_read_timeout = carrying.WAIT
    _require_public(_own_host(service))
    sent = service.notify(body=letter.text, title=letter.heading, notify_type=apprise.NotifyType.WARNING)
    if refusal := failing.refusal(_scheme(address)):
        raise Undeliverable(refusal)
    if sent:
        return ""
    if not carrying.told().taken:
        raise Undeliverable(failing.why_not_sent())
    return _("Some recipients did not get it. %(why)s") % {"why": failing.why_not_sent()}


def _service(address: str) -> Any:
    kinds = {**SAFE, **WHILE_TRYING_OUT} if settings.DEBUG else SAFE
    kind: Any = kinds.get(_scheme(address))
    try:
        parts = kind.parse_url(address)
        return kind(**parts, asset=apprise.AppriseAsset(http_redirects=False, app_id="Portal", async_mode=False))
    except (apprise.exception.AppriseException, AttributeError, TypeError):
        raise Undeliverable(_("The address is none that the portal sends to.")) from None


def _own_host(service: Any) -> str | None:
    """Return the name that an address brings; robots of the messengers have a fixed one, their "host" is a key."""
    if isinstance(service, NotifyEmail):
        return str(service.smtp_host)
    return str(service.host) if isinstance(service, NotifyJSON) else None


def _require_public(host: str | None) -> None:
    """Tell names of the own network apart in words, before anything is connected."""
    if host is None:
        return
    try:
        carrying.addresses(host, 443)
    except carrying.NotPublic:
        raise Undeliverable(_("The channel is in the internal network.")) from None
    except (OSError, UnicodeError):
        raise Undeliverable(_("The name of the channel has no address.")) from None


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  (it is looked at only now whether it is a number)
    except ValueError:
        raise Undeliverable(_("The address is none that the portal sends to.")) from None
    return parts


def _hide(words: str, address: str) -> str:
    rest = address.partition("://")[2]
    return failing.without_secrets(
        words, rest.rpartition("@")[0] if kind_of(address) == AlertChannelKind.MAIL else rest
    )


def _scheme(address: str) -> str:
    return address.partition(":")[0].lower()


def _iso(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
