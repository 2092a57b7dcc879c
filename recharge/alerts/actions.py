"""What a person does with an alert or a channel, after a confirmation."""

from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.web.actions import Button, Confirmation, Room, Said
from portal.web.forms import ReasonForm
from portal.web.request import Request
from recharge.core.errors import ServiceError
from recharge.models import Alert, AlertChannel

from .services import channels, ringing


def _unknown(request: Request) -> NoReturn:
    raise Http404


ALERTS = Room[Alert](
    noun="alert",
    template="recharge/alerts/confirm.html",
    find=lambda alert_id: Alert.objects.filter(pk=alert_id).first(),
    unknown=_unknown,
    address=lambda alert: reverse("alert_detail", args=[alert.pk]),
    refusals=(ServiceError,),
    on_form=lambda form, error: False,
)
CHANNELS = Room[AlertChannel](
    noun="channel",
    template="recharge/alerts/confirm_channel.html",
    find=lambda channel_id: AlertChannel.objects.without_secrets().filter(pk=channel_id).first(),
    unknown=_unknown,
    address=lambda channel: reverse("alert_channels"),
    refusals=(ServiceError,),
    on_form=lambda form, error: False,
)


def _ask_for_words(data: Any, alert: Alert) -> ReasonForm:
    return ReasonForm(data, label=_("What is being done about it? Everybody reads it."))


@ALERTS.action(
    "recharge.change_alert",
    Confirmation(
        _("Say that you have seen it?"),
        _("It rings no more while it lasts. That it is over is still told."),
        Button(_("I have seen it"), icon="check"),
    ),
    form=_ask_for_words,
)
def acknowledge(alert: Alert, said: Said, actor: User) -> str:
    """Note who has seen an alert, and what he says."""
    ringing.acknowledge(alert_id=alert.pk, actor=actor, words=said["reason"])
    return gettext("Noted.")


@CHANNELS.action(
    "recharge.change_alertchannel",
    Confirmation(
        _("Send a test?"),
        _("The worker sends it by the way that alerts take. What comes of it stands beside the channel."),
        Button(_("Send a test"), icon="send", autofocus=True),
    ),
)
def send_test(channel: AlertChannel, said: Said, actor: User) -> str:
    """Let the worker send a test."""
    channels.test(channel_id=channel.pk, actor=actor)
    return gettext("It is on its way: what comes of it shows here within some seconds.")


@CHANNELS.action(
    "recharge.change_alertchannel",
    Confirmation(
        _("Remove this channel?"),
        _("Nothing more is sent there, and what is still owed to it is dropped. It can't be brought back."),
        Button(_("Remove"), "danger", icon="trash"),
    ),
)
def remove(channel: AlertChannel, said: Said, actor: User) -> str:
    """Remove a channel."""
    channels.remove(channel_id=channel.pk, actor=actor)
    return gettext("Removed.")
