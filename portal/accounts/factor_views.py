"""Setting second factors up, and showing them."""

import base64
import struct
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal import flows as recovery_codes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as passkeys
from allauth.mfa.webauthn.internal import flows as passkey_flows
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.kit import crypto
from portal.kit.audit import tell
from portal.web.forms import PasswordForm
from portal.web.request import Request, own_address

from . import factors, password, services, tries
from .adapters import address_of
from .forms import AppCodeForm, CodeForm, PasskeyNameForm
from .models import FailedTry
from .views import signed_out

View = Callable[..., HttpResponseBase]
Type = Authenticator.Type

_BACK = "factor_back"
_SECRET = "factor_secret"  # noqa: S105  (a name)


def _known(view: View) -> View:
    """Let somebody change his second factors only shortly after he has shown one, or typed his password."""

    @wraps(view)
    def asked(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not factors.is_fresh(request) or (factors.has_one(request.user) and not factors.was_shown(request)):
            return factors.show_first(resolve_url("factors"))
        return view(request, *args, **kwargs)

    return asked


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def factor_check(request: Request) -> HttpResponse:
    """Ask for the second factor, or the password of who has none, and go back to what was being done."""
    back = _back(request)
    has = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    if not has & set(services.SIGNS_IN):
        return _ask_for_password(request, back)
    form = CodeForm(request.POST if request.method == "POST" and "credential" not in request.POST else None)
    if request.method == "POST" and _is_shown(request, form):
        factors.remember(request)
        return redirect(back)
    if request.user.is_anonymous:
        return signed_out(request)
    context: dict[str, Any] = {"form": form, "next": back}
    if Type.WEBAUTHN in has:
        context["options"] = {"request_options": passkeys.begin_authentication(request.user)}
    else:
        form.fields["code"].widget.attrs["autofocus"] = True
    return render(request, "accounts/factor_check.html", context)


@require_safe
@never_cache
def factor_list(request: Request) -> HttpResponse:
    """Show somebody's own second factors; before the first one, what it is and how to get one."""
    if back := request.GET.get("next"):
        request.session[_BACK] = back
    own = list(Authenticator.objects.filter(user=request.user).order_by("pk"))
    codes = next((factor.wrap() for factor in own if factor.type == Type.RECOVERY_CODES), None)
    context = {
        "passkeys": [factor for factor in own if factor.type == Type.WEBAUTHN],
        "app": next((factor for factor in own if factor.type == Type.TOTP), None),
        "codes_left": len(codes.get_unused_codes()) if codes else None,
        "may_passkey": _may_passkey(request),
        "is_required": factors.is_required_of(request.user),
        "has_one": any(factor.type in services.SIGNS_IN for factor in own),
    }
    return render(request, "accounts/factors.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@_known
def factor_app(request: Request) -> HttpResponse:
    """Set up an authenticator app: it reads a secret, and shows a code to prove it."""
    if Authenticator.objects.filter(user=request.user, type=Type.TOTP).exists():
        return redirect("factors")
    secret = _secret(request)
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        first = not factors.has_one(request.user)
        if services.set_up_app(request.user, secret, form.cleaned_data["code"]):
            del request.session[_SECRET]
            return _added(request, first=first)
        form.refuse()
    adapter = get_adapter()
    drawing = adapter.build_totp_svg(adapter.build_totp_url(request.user, secret))
    context = {"form": form, "secret": secret, "drawing": base64.b64encode(drawing.encode()).decode()}
    return render(request, "accounts/factor_app.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@_known
def factor_passkey(request: Request) -> HttpResponse:
    """Add a passkey: the browser makes it, on this device or on a key."""
    if not _may_passkey(request):
        return redirect("factors")
    naming = PasskeyNameForm(request.POST if request.method == "POST" else None)
    form = AddWebAuthnForm(user=request.user, data=request.POST if request.method == "POST" else None)
    if naming.is_valid() and _is_whole(form):
        first = not factors.has_one(request.user)
        name = naming.cleaned_data["name"] or _("Passkey %(date)s") % {"date": f"{timezone.localdate():%Y-%m-%d}"}
        passkey_flows.add_authenticator(request, name=name, credential=form.cleaned_data["credential"])
        services.passkey_added(request.user, name)
        return _added(request, first=first)
    options = {"creation_options": passkeys.begin_registration(request.user, False)}
    context = {"naming": naming, "options": options, "failed": form.is_bound}
    return render(request, "accounts/factor_passkey.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@_known
def factor_remove(request: Request, factor_id: int) -> HttpResponse:
    """Remove one's own passkey or app; the last one only where none is required."""
    own = Authenticator.objects.filter(user=request.user, type__in=services.SIGNS_IN)
    factor = get_object_or_404(own, pk=factor_id)
    is_last = not own.exclude(pk=factor_id).exists()
    if is_last and factors.is_required_of(request.user):
        messages.error(request, _("This is your only one: set up another one first."))
        return redirect("factors")
    if request.method != "POST":
        return render(request, "accounts/factor_remove.html", {"factor": factor, "is_last": is_last})
    services.remove(request.user, factor)
    if not factors.has_one(request.user):
        factors.forget(request)
        services.end_sessions(request.user, but=request.session.session_key)  # they have shown one that is gone
    messages.success(request, _("Removed."))
    return redirect("factors")


@require_safe
@never_cache
@_known
def factor_codes(request: Request) -> HttpResponse:
    """Show the recovery codes, once."""
    codes, may_see = recovery_codes.view_recovery_codes(request)
    if codes is None:
        raise Http404
    if not may_see:
        return redirect("factors")
    shown = "\n".join(f"{code[:4]} {code[4:]}" for code in codes.get_unused_codes())
    return render(request, "accounts/factor_codes.html", {"codes": shown, "next": _after_set_up(request)})


@require_POST
@never_cache
@_known
def factor_codes_new(request: Request) -> HttpResponse:
    """Make new recovery codes; the old ones are worth nothing any more."""
    if not factors.has_one(request.user):
        raise Http404
    recovery_codes.generate_recovery_codes(request)
    return redirect("factor_codes")


def _is_shown(request: Request, form: CodeForm) -> bool:
    """Look at what was sent: a passkey's answer, or a code; else say what is wrong."""
    if not ("credential" in request.POST or form.is_valid()):
        return False
    try:
        this = tries.begin(FailedTry.Kind.FACTOR, str(request.user.pk), address_of(request))
    except tries.Slowed as slowed:
        messages.error(request, slowed.in_words().message)
        return False
    if _passkey_fits(request) if "credential" in request.POST else _code_fits(request.user, form):
        tries.forgive(this)
        tell("FACTOR_SHOWN", actor=request.user, about=f"user:{request.user.pk}")
        return True
    user_login_failed.send(__name__, credentials={"username": request.user.get_username()}, request=request)
    password.count_wrong(request)
    return False


def _passkey_fits(request: Request) -> bool:
    form = AuthenticateWebAuthnForm(user=request.user, data=request.POST)
    if _is_whole(form):
        form.save()
        return True
    messages.error(request, _("The passkey was not accepted. Try again."))
    return False


def _is_whole(form: AddWebAuthnForm | AuthenticateWebAuthnForm) -> bool:
    """Say whether a passkey's form is valid; no browser makes what its library stumbles over."""
    try:
        return bool(form.is_valid())
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error):
        return False


def _code_fits(user: User, form: CodeForm) -> bool:
    if services.accepted(user, form.cleaned_data["code"]):
        return True
    form.refuse()
    return False


def _ask_for_password(request: Request, back: str) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None, needs_password=True)
    if form.is_valid():
        if password.verify(request, form.cleaned_data["password"]):
            return redirect(back)
        if request.user.is_anonymous:
            return signed_out(request)
        form.refuse_password()
    return render(request, "accounts/factor_check.html", {"password_form": form, "next": back})


def _added(request: Request, *, first: bool) -> HttpResponse:
    """Go on after a new factor: it was shown just now, and sign-ins from before the first one end."""
    factors.remember(request)
    if first:
        services.end_sessions(request.user, but=request.session.session_key)
    made = recovery_codes.auto_generate_recovery_codes(request)
    if first or made:
        return redirect("factor_codes")
    messages.success(request, _("It can be used from now on."))
    return redirect("factors")


def _secret(request: Request) -> str:
    """Return the secret that an app is to read: the same until it is used, or the sign-in ends."""
    if _SECRET not in request.session:
        request.session[_SECRET] = crypto.encrypt(generate_totp_secret())
    return crypto.decrypt(request.session[_SECRET])


def _back(request: HttpRequest) -> str:
    return own_address(request, request.POST.get("next") or request.GET.get("next") or "")


def _after_set_up(request: HttpRequest) -> str:
    return own_address(request, request.session.pop(_BACK, ""))


def _may_passkey(request: HttpRequest) -> bool:
    """Say whether browsers make passkeys here: for names, by https or on the same machine, and for no bare address."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False
