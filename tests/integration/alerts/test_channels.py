"""Channels kept in the browser: added, tried, changed and removed; their secrets are shown to nobody again."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from portal.kit import crypto
from recharge import tasks
from recharge.alerts.services import channels, delivering, ringing
from recharge.choices import AlertChannelKind, AlertKind, PortalEventKind
from recharge.core.errors import TooLate
from recharge.models import AlertChannel, AlertMessage, PortalEvent
from tests.pages import confirm
from tests.people import person
from tests.receivers import MailReceiver, WebReceiver

pytestmark = pytest.mark.django_db
SECRET = "s3cret-key-of-the-robot"
WECOM = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={SECRET}"


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(person("administrator"))
    return client


@pytest.fixture(autouse=True)
def _no_channels_of_the_settings() -> Any:
    with override_settings(ALERT_URLS=[]):
        yield


def everything_shown(client: Client) -> str:
    addresses = ["/alerts/channels/", "/alerts/rules/", "/alerts/rules/STOP/", "/alerts/"]
    addresses += [f"/alerts/channels/{channel.pk}/" for channel in AlertChannel.objects.without_secrets()]
    return "".join(client.get(address).content.decode() for address in addresses)


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM recharge_alertchannel")
        return str(cursor.fetchall())


def test_a_robot_is_added_and_its_key_is_shown_nowhere(administrator: Client) -> None:
    added = administrator.post("/alerts/channels/new/WECOM/", {"name": "值班群", "secret_url": WECOM}, follow=True)
    assert "值班群" in added.content.decode()
    assert AlertChannel.objects.get().address == f"wecombot://{SECRET}/"
    assert AlertChannel.objects.get().kind == AlertChannelKind.WECOM
    assert SECRET not in stored()
    assert SECRET not in everything_shown(administrator)
    event = PortalEvent.objects.get(kind=PortalEventKind.ALERT_CHANNEL)
    assert (event.note, event.actor) == ("值班群 · 企业微信群机器人 · 已添加", person("administrator"))


def test_what_was_refused_is_not_shown_again_either(administrator: Client) -> None:
    refused = administrator.post(
        "/alerts/channels/new/DINGTALK/", {"name": "群", "secret_url": WECOM, "secret": SECRET}
    )
    assert "https://oapi.dingtalk.com/" in refused.content.decode()
    assert SECRET not in refused.content.decode()
    assert not AlertChannel.objects.exists()


@pytest.mark.parametrize(
    ("kind", "host"), [(AlertChannelKind.FEISHU, "open.feishu.cn"), (AlertChannelKind.LARK, "open.larksuite.com")]
)
def test_a_robot_that_checks_signatures_is_added_with_its_secret(
    administrator: Client, kind: AlertChannelKind, host: str
) -> None:
    url = f"https://{host}/open-apis/bot/v2/hook/a1-b2"
    said = {"name": "群", "secret_url": url, "secret": "SecretOfTheRobot"}
    administrator.post(f"/alerts/channels/new/{kind}/", said, follow=True)
    channel = AlertChannel.objects.get()
    assert channel.address == f"{kind.lower()}://SecretOfTheRobot@a1-b2/"
    assert channel.kind == kind
    assert "SecretOfTheRobot" not in everything_shown(administrator) + stored()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "http://example.com/",
        "https://10.0.0.8/",
        "https://u:p@example.com/",
        "https://[::1",
        "https://[fec0::1]/",
        "x",
    ],
)
def test_a_webhook_of_the_own_network_is_refused(administrator: Client, url: str) -> None:
    with override_settings(DEBUG=False):
        refused = administrator.post("/alerts/channels/new/WEBHOOK/", {"name": "钩子", "secret_url": url})
    assert "is-invalid" in refused.content.decode()
    assert not AlertChannel.objects.exists()


def test_a_webhook_is_tried_and_its_secret_is_shown_once(administrator: Client, receiver: WebReceiver) -> None:
    with override_settings(ALERT_URLS=[]):
        url = f"http://{receiver.host}/hook"
        added = administrator.post("/alerts/channels/new/WEBHOOK/", {"name": "钩子", "secret_url": url})
        secret = added.content.decode().partition('value="whsec_')[2].partition('"')[0]
        assert len(secret) == 44
        assert secret not in everything_shown(administrator) + stored()
        channel = AlertChannel.objects.get()
        confirm(administrator, f"/alerts/channels/{channel.pk}/test/")
        assert "测试消息正在发送" in administrator.get("/alerts/channels/").content.decode()
        tasks.ring_alerts()
    assert [body["data"]["title"] for _, body in receiver.got] == ["测试消息"]
    assert "最近成功" in administrator.get("/alerts/channels/").content.decode()


def test_a_test_that_fails_says_why_and_is_not_tried_again(administrator: Client, receiver: WebReceiver) -> None:
    receiver.status = 403
    with override_settings(ALERT_URLS=[]):
        channel = channels.add(
            name="钩子", address=channels.webhook(f"http://{receiver.host}/", channels.new_secret()),
            actor=person("administrator"),
        )  # fmt: skip
        confirm(administrator, f"/alerts/channels/{channel.pk}/test/")
        tasks.ring_alerts()
    assert "对方应答 403。" in administrator.get("/alerts/channels/").content.decode()
    assert AlertMessage.objects.get().due_at is None


def test_a_mailbox_is_added_and_gets_what_rings(administrator: Client, mails: MailReceiver) -> None:
    said = {"name": "老板", "server": "127.0.0.1", "port": mails.port, "mode": "insecure", "sender": "p@example.com"}
    administrator.post("/alerts/channels/new/MAIL/", {**said, "to": "boss@example.com，b@example.com"})
    ringing.ring(AlertKind.STOP, "1")
    delivering.deliver()
    assert sorted(mails.recipients) == ["b@example.com", "boss@example.com"]


def test_changing_keeps_the_address_unless_another_is_typed(administrator: Client) -> None:
    channel = channels.add(name="群", address=f"wecombot://{SECRET}/", actor=person("administrator"))
    administrator.post(f"/alerts/channels/{channel.pk}/", {"name": "新群", "on": "on"})
    channel.refresh_from_db()
    assert (channel.name, channel.on, channel.address) == ("新群", True, f"wecombot://{SECRET}/")
    administrator.post(f"/alerts/channels/{channel.pk}/", {"name": "新群", "secret_url": "another-key"})
    channel.refresh_from_db()
    assert (channel.on, channel.address) == (False, "wecombot://another-key/")
    notes = list(PortalEvent.objects.filter(kind=PortalEventKind.ALERT_CHANNEL).values_list("note", flat=True))
    assert notes[1:] == ["群 · 启用 → 新群 · 启用", "新群 · 启用 → 新群 · 停用 · 地址已更换"]


def test_the_same_address_is_no_second_channel(administrator: Client) -> None:
    channels.add(name="群", address=f"wecombot://{SECRET}/", actor=person("administrator"))
    refused = administrator.post("/alerts/channels/new/WECOM/", {"name": "群", "secret_url": SECRET})
    assert "已有相同地址的渠道" in refused.content.decode()
    assert AlertChannel.objects.count() == 1


def test_a_channel_that_is_off_is_sent_nothing_and_one_that_is_removed_is_gone(administrator: Client) -> None:
    off = channels.add(name="停", address="wecombot://key-off/", actor=person("administrator"))
    channels.change(channel_id=off.pk, name="停", on=False, address="", actor=person("administrator"))
    gone = channels.add(name="删", address="wecombot://key-gone/", actor=person("administrator"))
    ringing.ring(AlertKind.STOP, "1")
    assert AlertMessage.objects.get().channel_id == gone.pk
    confirm(administrator, f"/alerts/channels/{gone.pk}/remove/")
    assert list(AlertChannel.objects.values_list("name", flat=True)) == ["停"]
    assert not AlertMessage.objects.exists()


def test_what_the_settings_name_is_told_and_not_changed(administrator: Client) -> None:
    with override_settings(ALERT_URLS=[f"wecombot://{SECRET}/"]):
        delivering.read_channels()
        channel = AlertChannel.objects.get()
        text = administrator.get("/alerts/channels/").content.decode()
        assert "由设置指定，这里不能修改" in text
        assert f"/alerts/channels/{channel.pk}/remove/" not in text
        administrator_user = person("administrator")
        with pytest.raises(TooLate):
            channels.remove(channel_id=channel.pk, actor=administrator_user)
        with pytest.raises(TooLate):
            channels.change(channel_id=channel.pk, name="x", on=False, address="", actor=administrator_user)
    delivering.read_channels()
    assert AlertChannel.objects.get().on is False
    channels.remove(channel_id=channel.pk, actor=person("administrator"))


def test_a_channel_of_the_browser_is_not_switched_off_by_the_settings(administrator: Client) -> None:
    channels.add(name="群", address=f"wecombot://{SECRET}/", actor=person("administrator"))
    delivering.read_channels()
    assert AlertChannel.objects.get().on


def test_an_exchange_of_keys_makes_no_second_channel(administrator: Client, receiver: WebReceiver) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    said = {"name": "群", "secret_url": "ab-12cd"}
    with override_settings(FIELD_ENCRYPTION_KEYS=[old]):
        delivering.read_channels()
        administrator.post("/alerts/channels/new/WECOM/", said)
    with override_settings(FIELD_ENCRYPTION_KEYS=[new, old]):
        delivering.read_channels()
        refused = administrator.post("/alerts/channels/new/WECOM/", said)
        assert "is-invalid" in refused.content.decode()
        call_command("rotate_field_keys")
    with override_settings(FIELD_ENCRYPTION_KEYS=[new]):
        delivering.read_channels()
        assert [channel.on for channel in AlertChannel.objects.without_secrets()] == [True, True]


def test_an_address_that_cannot_be_decrypted_hinders_nobody(administrator: Client, receiver: WebReceiver) -> None:
    with override_settings(ALERT_URLS=[f"json://{receiver.host}/"]):
        broken = channels.add(name="坏", address=f"wecombot://{SECRET}/", actor=person("administrator"))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE recharge_alertchannel SET address = %s", [crypto.encrypt("x")[:-8] + "AAAAAAA="])
        delivering.read_channels()
        ringing.ring(AlertKind.STOP, "1")
        delivering.deliver()
    assert [body["title"] for _, body in receiver.got] == ["紧急停止"]
    assert "地址无法解密" in administrator.get("/alerts/channels/").content.decode()
    confirm(administrator, f"/alerts/channels/{broken.pk}/remove/")
    assert not AlertChannel.objects.filter(name="坏").exists()


@pytest.mark.parametrize("name", ["clerk", "approver", "auditor"])
def test_nobody_else_touches_channels_or_rules(client: Client, name: str) -> None:
    channel = channels.add(name="群", address=f"wecombot://{SECRET}/", actor=person("administrator"))
    client.force_login(person(name))
    for address in ("channels/new/WECOM/", f"channels/{channel.pk}/", f"channels/{channel.pk}/remove/", "rules/STOP/"):
        assert client.post(f"/alerts/{address}", {"name": "x", "secret_url": WECOM}).status_code == 403
    assert AlertChannel.objects.get().name == "群"
