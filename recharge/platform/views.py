"""The platform: whether it answers as it should, which account the settings name, and whether a person confirmed it."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import platform as platform_settings
from portal.accounts import factors, password
from portal.accounts.views import signed_out
from portal.web.forms import PasswordForm
from portal.web.fragments import render_live
from portal.web.request import Request
from recharge.core.errors import ServiceError
from recharge.limits.services import accounts
from recharge.models import Account, PortalEvent

from .forms import AskForOtherWaysForm, ConfirmAccountForm, DecideOtherWaysForm, SameAccountForm
from .services import first_order, keeping, other_ways

EVENTS_SHOWN = 20
WAYS_ID = "ways_%s"
"""Several forms on the page have a field of the same name."""


@require_safe
@permission_required("recharge.view_account", raise_exception=True)
def platform(request: Request) -> HttpResponse:
    """Show the account of the settings, the earlier ones, and what was decided about them."""
    return _show(request)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_account", raise_exception=True)
def platform_check(request: Request) -> HttpResponse:
    """Let a worker check the platform; what it finds shows on the page by itself."""
    if request.method != "POST":
        return _show(request)
    if platform_settings.is_configured():
        keeping.ask_for_check(actor=request.user)
    return redirect("platform")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.change_account", raise_exception=True)
@factors.after_fresh_factor(page="platform")
def account_confirm(request: Request) -> HttpResponse:
    """Let orders be pushed under the account of the settings."""
    if request.method != "POST":
        return _show(request)
    form = ConfirmAccountForm(request.POST, needs_password=factors.needs_password(request))

    def decide() -> None:
        accounts.confirm(account_id=form.cleaned_data["seen"], actor=request.user)

    return _decide(request, form, decide, _("Confirmed: orders are pushed under this account."), confirm_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.change_account", raise_exception=True)
@factors.after_fresh_factor(page="platform")
def account_same(request: Request) -> HttpResponse:
    """Declare that the account of the settings is an earlier one under a new key."""
    if request.method != "POST":
        return _show(request)
    form = SameAccountForm(request.POST, needs_password=factors.needs_password(request), others=_others())

    def decide() -> None:
        said = form.cleaned_data
        accounts.declare_same(
            account_id=said["seen"], other_id=said["other"].pk, actor=request.user, reason=said["reason"]
        )

    return _decide(request, form, decide, _("Noted: both are the same account."), same_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.change_account", raise_exception=True)
@factors.after_fresh_factor(page="platform")
def other_ways_ask(request: Request) -> HttpResponse:
    """Ask for orders by other ways to be forbidden or allowed."""
    if request.method != "POST":
        return _show(request)
    form = AskForOtherWaysForm(request.POST, needs_password=factors.needs_password(request), auto_id=WAYS_ID)

    def ask() -> None:
        said = form.cleaned_data
        other_ways.ask(forbid=said["wanted"] == form.FORBID, reason=said["reason"], actor=request.user)

    return _decide(request, form, ask, _("Asked for: a second person has to agree."), ask_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
@factors.after_fresh_factor(page="platform")
def other_ways_decide(request: Request) -> HttpResponse:
    """Agree or disagree with what somebody asked for."""
    if request.method != "POST":
        return _show(request)
    form = DecideOtherWaysForm(request.POST, needs_password=factors.needs_password(request), auto_id=WAYS_ID)

    def decide() -> None:
        said = form.cleaned_data
        agrees = said["decision"] == form.AGREE
        other_ways.decide(wish_id=said["seen"], agrees=agrees, actor=request.user)

    return _decide(request, form, decide, _("Decided; below is what came of it."), decide_form=form)


def _decide(
    request: Request,
    form: PasswordForm,
    decide: Callable[[], object],
    done: str,
    **forms: PasswordForm,
) -> HttpResponse:
    """Do what the form says, once the password is known to be right; else show what is wrong."""
    if not form.is_valid():
        return _show(request, **forms)
    if "password" in form.fields:
        if not password.verify(request, form.cleaned_data["password"]):
            form.refuse_password()
            return signed_out(request) if request.user.is_anonymous else _show(request, **forms)
        form.accept_password()
    try:
        decide()
    except ServiceError as error:
        form.add_error(None, str(error))
        return _show(request, **forms)
    messages.success(request, done)
    return redirect("platform")


def _show(request: Request, **forms: PasswordForm) -> HttpResponse:
    current, others = accounts.current(), _others()
    needs_password = factors.needs_password(request)
    kept = keeping.latest()
    under_way = kept is not None and keeping.is_under_way(kept)
    trial = first_order.first_order()
    context = {
        "trial": trial,
        "smallest": min(settings.FACE_VALUES, default=0),
        "wish": other_ways.waiting(),
        "last_done": other_ways.last_done(),
        "last_tried": other_ways.last_tried(),
        "ask_form": AskForOtherWaysForm(needs_password=needs_password, auto_id=WAYS_ID),
        "decide_form": DecideOtherWaysForm(needs_password=needs_password, auto_id=WAYS_ID),
        "kept": kept,
        "findings": keeping.findings(kept) if kept else [],
        "under_way": under_way,
        "account": current,
        "others": others,
        "open_elsewhere": accounts.open_elsewhere(),
        "confirm_form": ConfirmAccountForm(needs_password=needs_password),
        "same_form": SameAccountForm(needs_password=needs_password, others=others),
        "events": PortalEvent.objects.about_accounts().select_related("actor").order_by("-id")[:EVENTS_SHOWN],
        **forms,
    }
    page, fragment = "recharge/platform/platform.html", "recharge/platform/_check.html"
    return render_live(request, page, fragment, context, polling=under_way or trial.is_open)


def _others() -> list[Account]:
    """The accounts that are not known to be that of the settings."""
    return list(Account.objects.exclude(party=accounts.current().party))
