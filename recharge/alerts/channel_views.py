"""Where messages go: channels, kept by administrators. Their addresses are typed in, and never shown again."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.kit.secrecy import personal
from portal.web.fragments import render_live
from portal.web.request import Request
from recharge.choices import AlertChannelKind, AlertPhase
from recharge.core.errors import ServiceError
from recharge.models import AlertChannel, AlertMessage

from .forms import FORMS, ChannelForm, WebhookForm
from .services import channels


@require_safe
@permission_required("recharge.change_alertchannel", raise_exception=True)
def alert_channels(request: Request) -> HttpResponse:
    """List the channels, each with its last success and its last failure in words."""
    tested = set(
        AlertMessage.objects.filter(phase=AlertPhase.TEST, due_at__isnull=False).values_list("channel", flat=True)
    )
    rows = [
        {"channel": channel, "fixed": channels.is_fixed(channel), "tested": channel.pk in tested}
        for channel in AlertChannel.objects.without_secrets()
    ]
    context = {"rows": rows, "kinds": [AlertChannelKind(kind) for kind in FORMS]}
    page, part = "recharge/alerts/alert_channels.html", "recharge/alerts/_channels.html"
    return render_live(request, page, part, context, polling=bool(tested))


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.change_alertchannel", raise_exception=True)
def alert_channel_new(request: Request, kind: str) -> HttpResponse:
    """Add a channel of one kind."""
    if kind not in FORMS:
        raise Http404
    form = FORMS[kind](request.POST if request.method == "POST" else None, None)
    if form.is_valid() and _saved(request, form, None):
        return _tell(request, form)
    return _show(request, form, AlertChannelKind(kind), None)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.change_alertchannel", raise_exception=True)
def alert_channel(request: Request, channel_id: int) -> HttpResponse:
    """Change a channel: its name, whether it is on, and its address by typing it anew."""
    channel = AlertChannel.objects.without_secrets().filter(pk=channel_id).first()
    if channel is None:
        raise Http404
    if channels.is_fixed(channel) or channel.kind not in FORMS:
        messages.error(request, _("The settings name this channel: it can't be changed here."))
        return redirect("alert_channels")
    form = FORMS[channel.kind](request.POST if request.method == "POST" else None, channel)
    if form.is_valid() and _saved(request, form, channel):
        return _tell(request, form)
    return _show(request, form, AlertChannelKind(channel.kind), channel)


def _saved(request: Request, form: ChannelForm, channel: AlertChannel | None) -> bool:
    """Add or change a channel; else the form says what is wrong."""
    said = form.cleaned_data
    try:
        if channel is None:
            channels.add(name=said["name"], address=form.address(), actor=request.user)
        else:
            news = {"name": said["name"], "on": said["on"], "address": form.address()}
            channels.change(channel_id=channel.pk, actor=request.user, **news)
    except ServiceError as error:
        form.refuse(error)
        return False
    return True


def _tell(request: Request, form: ChannelForm) -> HttpResponse:
    """Go back to the list; a secret that was made just now is shown on a page of its own, once."""
    if isinstance(form, WebhookForm) and form.cleaned_data["secret_url"]:
        return render(request, "recharge/alerts/channel_secret.html", {"secret": form.signs_with})
    messages.success(request, _("Kept. Send a test to see whether it arrives."))
    return redirect("alert_channels")


def _show(request: Request, form: ChannelForm, kind: AlertChannelKind, channel: AlertChannel | None) -> HttpResponse:
    context = {"form": form, "kind": kind, "channel": channel}
    return render(request, "recharge/alerts/channel_form.html", context)
