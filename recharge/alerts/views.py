"""What the portal rings for: the list behind the bell, one alert, and the rules."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.kit.wording import group_name
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.choices import AlertKind
from recharge.models import Alert, AlertQuietHours

from . import wording
from .filters import OPEN, OVER, AlertFilter
from .forms import DISTANCES, QuietHoursForm, RuleForm
from .services import reading, rules
from .tables import AlertTable

OPEN_SHOWN = 100


@require_safe
@never_cache
@permission_required("recharge.view_alert", raise_exception=True)
def alert_list(request: Request) -> HttpResponse:
    """List the alerts meant for the person, the open ones first; whoever opens it without a filter has seen them."""
    search = AlertFilter(request.GET, Alert.objects.told_to(request.user).select_related("acknowledged_by"))
    alerts = search.qs if search.is_valid() else Alert.objects.none()
    state = request.GET.get("state", "")
    read_until = reading.read_until(request.user)
    is_open = [] if state == OVER else list(alerts.open().order_by("-id")[:OPEN_SHOWN])
    page = page_of(Alert.objects.none() if state == OPEN else alerts.over(), request)
    if request.method == "GET" and not request.GET:
        reading.note([*is_open, *page.rows], reader=request.user)
    context = {
        "search": search,
        "is_open": AlertTable(is_open, read_until=read_until),
        "page": page,
        "table": AlertTable(page.rows, read_until=read_until),
        "state": state,
    }
    return render(request, "recharge/alerts/alert_list.html", context)


@require_safe
@permission_required("recharge.view_alert", raise_exception=True)
def alert_detail(request: Request, alert_id: int) -> HttpResponse:
    """Show one alert: what, since when, who has seen it, and whom messages told of it."""
    found = Alert.objects.told_to(request.user).select_related("acknowledged_by").filter(pk=alert_id).first()
    if found is None:
        raise Http404
    told = found.messages.select_related("channel").defer("channel__address", "channel__address_index").order_by("id")
    context = {
        "alert": found,
        "told": told,
        "page": wording.page_of(found),
        "what_to_do": wording.WHAT_TO_DO.get(found.kind, ""),
        "duration": wording.duration(found.over_at - found.since) if found.over_at else "",
    }
    return render(request, "recharge/alerts/alert_detail.html", context)


@require_safe
@permission_required("recharge.change_alertrule", raise_exception=True)
def alert_rules(request: Request) -> HttpResponse:
    """Show by which rules each kind rings."""
    context = {"rows": [_row(rule) for rule in rules.all_rules().values()], "hours": AlertQuietHours.objects.first()}
    return render(request, "recharge/alerts/alert_rules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_alertrule", raise_exception=True)
def alert_rule(request: Request, kind: str) -> HttpResponse:
    """Change how one kind rings."""
    if kind not in AlertKind.values:
        raise Http404
    rule = rules.rule_of(kind)
    form = RuleForm(request.POST if request.method == "POST" else None, rule)
    if form.is_valid():
        said = form.cleaned_data
        known = rules.THRESHOLDS.get(kind)
        threshold = rule.threshold if known and known.fixed else said.get("threshold")
        rules.change_rule(
            kind=AlertKind(kind),
            actor=request.user,
            on=said["on"],
            threshold=threshold,
            again_after=said["again_after"],
            can_wait=said["can_wait"],
            groups=list(said["groups"]),
            channels=list(said["channels"]),
        )
        messages.success(request, _("Changed."))
        return redirect("alert_rules")
    context = {"form": form, "label": AlertKind(kind).label, "back": "alert_rules"}
    return render(request, "recharge/alerts/rule_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_alertrule", raise_exception=True)
def alert_quiet_hours(request: Request) -> HttpResponse:
    """Set when messages that can wait are held back."""
    form = QuietHoursForm(request.POST if request.method == "POST" else None, AlertQuietHours.objects.first())
    if form.is_valid():
        rules.change_quiet_hours(actor=request.user, begin=form.cleaned_data["begin"], end=form.cleaned_data["end"])
        messages.success(request, _("Changed."))
        return redirect("alert_rules")
    context = {"form": form, "label": _("Quiet hours"), "back": "alert_rules"}
    return render(request, "recharge/alerts/rule_form.html", context)


def _row(rule: Any) -> dict[str, Any]:
    known = rules.THRESHOLDS.get(rule.kind)
    return {
        "rule": rule,
        "threshold": rules.threshold(rule),
        "known": known,
        "again": dict(DISTANCES).get(rule.again_after, ""),
        "fixed": known.setting if known and known.fixed else "",
        "groups": _names(rule, "groups"),
        "channels": _names(rule, "channels"),
    }


def _names(rule: Any, of: str) -> list[str]:
    """Return what was chosen, from what was read along; nothing for a rule that nobody has made."""
    if rule._state.adding:
        return []
    return [group_name(one) if isinstance(one, Group) else str(one) for one in getattr(rule, of).all()]
