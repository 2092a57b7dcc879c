"""The account at the platform: which one the settings name, and whether a person has confirmed it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import password
from portal.accounts.views import signed_out
from portal.web.request import Request
from recharge.core.errors import ServiceError
from recharge.limits.services import accounts
from recharge.models import Account, PortalEvent

from .forms import ConfirmAccountForm, SameAccountForm

EVENTS_SHOWN = 20


@require_safe
@permission_required("recharge.view_account", raise_exception=True)
def platform(request: Request) -> HttpResponse:
    """Show the account of the settings, the earlier ones, and what was decided about them."""
    return _show(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.change_account", raise_exception=True)
def account_confirm(request: Request) -> HttpResponse:
    """Let orders be pushed under the account of the settings."""
    if request.method != "POST":
        return _show(request)
    form = ConfirmAccountForm(request.POST, needs_password=not password.is_fresh(request))

    def decide() -> None:
        accounts.confirm(account_id=form.cleaned_data["seen"], actor=request.user)

    return _decide(request, form, decide, _("Confirmed: orders are pushed under this account."), confirm_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.change_account", raise_exception=True)
def account_same(request: Request) -> HttpResponse:
    """Declare that the account of the settings is an earlier one under a new key."""
    if request.method != "POST":
        return _show(request)
    form = SameAccountForm(request.POST, needs_password=not password.is_fresh(request), others=_others())

    def decide() -> None:
        said = form.cleaned_data
        accounts.declare_same(
            account_id=said["seen"], other_id=said["other"].pk, actor=request.user, reason=said["reason"]
        )

    return _decide(request, form, decide, _("Noted: both are the same account."), same_form=form)


def _decide(
    request: Request,
    form: ConfirmAccountForm,
    decide: Callable[[], None],
    done: str,
    **forms: ConfirmAccountForm,
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


def _show(request: Request, **forms: ConfirmAccountForm) -> HttpResponse:
    current, others = accounts.current(), _others()
    needs_password = not password.is_fresh(request)
    context = {
        "account": current,
        "others": others,
        "open_elsewhere": accounts.open_elsewhere(),
        "confirm_form": ConfirmAccountForm(needs_password=needs_password),
        "same_form": SameAccountForm(needs_password=needs_password, others=others),
        "events": PortalEvent.objects.about_accounts().select_related("actor").order_by("-id")[:EVENTS_SHOWN],
        **forms,
    }
    return render(request, "recharge/platform/platform.html", context)


def _others() -> list[Account]:
    """The accounts that are not known to be that of the settings."""
    return list(Account.objects.exclude(party=accounts.current().party))
