"""Channels kept in the browser: their addresses hold secrets, which are stored encrypted and shown to nobody again."""

import base64
import re
import secrets
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recharge.choices import AlertChannelKind, AlertPhase, PortalEventKind
from recharge.core.errors import ServiceError, TooLate
from recharge.core.events import record_of_portal
from recharge.models import AlertChannel, AlertMessage

from .sending import Undeliverable, kind_of, require_usable

TOKEN = re.compile(r"[A-Za-z0-9_-]{4,200}")


class BadAddress(ServiceError):
    """What was typed is no address that the portal sends to. `field` names where it was typed."""

    def __init__(self, message: str, field: str = "url") -> None:
        super().__init__(message)
        self.field = field


def robot(kind: AlertChannelKind, url: str, secret: str = "") -> str:
    """Return the address of a group robot, from the URL that its messenger shows, or from the key in it alone.

    Raises:
        BadAddress: it is the URL of something else.
    """
    parts = _parts_of(url)
    token = url
    if parts.scheme:
        query = parse_qs(parts.query)
        token = (query.get("key") or query.get("access_token") or [parts.path.rpartition("/")[2]])[0]
        if parts.scheme != "https" or parts.hostname != ROBOTS[kind][1]:
            raise BadAddress(_("The URL of such a robot begins with https://%(host)s/.") % {"host": ROBOTS[kind][1]})
    if not TOKEN.fullmatch(token):
        raise BadAddress(_("Copy the whole URL that the messenger shows for the robot."))
    if secret and not TOKEN.fullmatch(secret):
        raise BadAddress(_("The secret has letters and digits only."), "secret")
    return f"{ROBOTS[kind][0]}://{secret}@{token}/" if secret else f"{ROBOTS[kind][0]}://{token}/"


ROBOTS = {
    AlertChannelKind.WECOM: ("wecombot", "qyapi.weixin.qq.com"),
    AlertChannelKind.DINGTALK: ("dingtalk", "oapi.dingtalk.com"),
    AlertChannelKind.FEISHU: ("feishu", "open.feishu.cn"),
    AlertChannelKind.LARK: ("lark", "open.larksuite.com"),
}
"""The name in apprise's notation, and the host that the messenger's URLs have."""


def mailbox(*, server: str, port: int | None, mode: str, user: str, password: str, sender: str, to: list[str]) -> str:
    """Return the address of a mailbox.

    Args:
        server: name of the mail server.
        port: its port; None for the usual one.
        mode: starttls, ssl, or insecure, which is for trying out only.
        user: who signs in there; "" for nobody.
        password: of that user.
        sender: whom the mail is from.
        to: who gets it.
    """
    scheme = "mailto" if mode == "insecure" else "mailtos"
    signs_in = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    said = {"smtp": server, "from": sender, "to": ",".join(to), "mode": mode, "format": "text"}
    return f"{scheme}://{signs_in}{server}{f':{port}' if port else ''}/?{urlencode(said)}"


def webhook(url: str, secret: str) -> str:
    """Return the address of a signed webhook.

    Raises:
        BadAddress: it is no URL of https (of http neither, unless DEBUG is on), or it has a user or a fragment.
    """
    parts = _parts_of(url)
    schemes = {"https": "webhooks", "http": "webhook"} if settings.DEBUG else {"https": "webhooks"}
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None or parts.fragment:
        raise BadAddress(_("A webhook is a URL that begins with https://."))
    query = f"?{parts.query}" if parts.query else ""
    return f"{schemes[parts.scheme]}://{quote(secret, safe='')}@{parts.netloc}{parts.path or '/'}{query}"


def new_secret() -> str:
    """Return a fresh secret for signing, as the Standard Webhooks specification writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def add(*, name: str, address: str, actor: User) -> AlertChannel:
    """Add a channel, and write down who did it.

    Args:
        name: what people call it.
        address: in apprise's notation.
        actor: the person.

    Raises:
        BadAddress: nothing is sent to such an address, or there is a channel that has it.
    """
    _require_usable(address)
    index = _index(address)
    _require_new(address)
    try:
        with transaction.atomic():
            kept = {"kind": kind_of(address), "address": address, "address_index": index}
            channel = AlertChannel.objects.create(name=name, **kept)
            _record(channel, actor, _("was added"))
    except IntegrityError:
        raise BadAddress(_("There is a channel with this address already.")) from None
    return channel


def change(*, channel_id: int, name: str, on: bool, address: str, actor: User) -> None:
    """Change a channel, and write down who did it.

    Args:
        channel_id: which one.
        name: what people call it.
        on: whether it is sent anything.
        address: the new one, in apprise's notation; "" to keep the one that is stored.
        actor: the person.

    Raises:
        BadAddress: nothing is sent to such an address, or another channel has it.
        TooLate: it is gone, or the settings name it.
    """
    if address:
        _require_usable(address)
        _require_new(address, but=channel_id)
    try:
        with transaction.atomic():
            channel = _ours(channel_id)
            was = f"{channel} · {_state(on=channel.on)}"
            channel.name = name
            news: dict[str, Any] = {"name": name, "on": on}
            if address:
                news |= {"kind": kind_of(address), "address": address, "address_index": _index(address)}
            AlertChannel.objects.filter(pk=channel.pk).update(**news)
            said = f"{was} → {channel} · {_state(on=on)}"
            if address:
                said = f"{said} · {_('other address')}"
            record_of_portal(PortalEventKind.ALERT_CHANNEL, actor=actor, note=said, about=channel)
    except IntegrityError:
        raise BadAddress(_("There is a channel with this address already.")) from None


def remove(*, channel_id: int, actor: User) -> None:
    """Remove a channel with what it was still owed, and write down who did it.

    Raises:
        TooLate: it is gone, or the settings name it.
    """
    with transaction.atomic():
        channel = _ours(channel_id)
        _record(channel, actor, _("was removed"))
        channel.delete()


def test(*, channel_id: int, actor: User) -> None:
    """Let the worker send a test, by the way that alerts take; what comes of it stands beside the channel.

    Args:
        channel_id: which one.
        actor: the person, who is written down.

    Raises:
        TooLate: it is gone, or switched off.
    """
    with transaction.atomic():
        channel = AlertChannel.objects.without_secrets().filter(pk=channel_id, on=True).first()
        if channel is None:
            raise TooLate(_("This channel is switched off."))
        channel.messages.filter(phase=AlertPhase.TEST).delete()
        AlertMessage.objects.create(channel=channel, phase=AlertPhase.TEST)
        _record(channel, actor, _("was sent a test"))


def is_fixed(channel: AlertChannel) -> bool:
    """Say whether the settings name a channel, so that nobody changes it in the browser."""
    return channel.from_settings and channel.on


def _ours(channel_id: int) -> AlertChannel:
    channel = AlertChannel.objects.without_secrets().select_for_update().filter(pk=channel_id).first()
    if channel is None or is_fixed(channel):
        raise TooLate(_("It is gone, or the settings name it."))
    return channel


def _parts_of(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise BadAddress(_("This is no address: type it anew.")) from None


def _require_usable(address: str) -> None:
    try:
        require_usable(address)
    except Undeliverable as error:
        raise BadAddress(str(error)) from None


def _require_new(address: str, *, but: int = 0) -> None:
    """Make sure that no other channel has an address, under a former key neither, where the database can't see it."""
    field: Any = AlertChannel._meta.get_field("address_index")
    if AlertChannel.objects.filter(address_index__in=field.indexes(address)).exclude(pk=but).exists():
        raise BadAddress(_("There is a channel with this address already."))


def _index(address: str) -> str:
    return AlertChannel._meta.get_field("address_index").index(address)


def _record(channel: AlertChannel, actor: User, what: str) -> None:
    note = f"{channel} · {channel.get_kind_display()} · {what}"
    record_of_portal(PortalEventKind.ALERT_CHANNEL, actor=actor, note=note, about=channel)


def _state(*, on: bool) -> str:
    return _("switched on") if on else _("switched off")
