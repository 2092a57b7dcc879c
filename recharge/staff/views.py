"""Changes of rights that wait for a second administrator, and what became of others."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import factors
from portal.accounts.views import signed_out
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.approvals.views import decides
from recharge.choices import AccountChangeKind
from recharge.models import AccountChange

from . import wording
from .forms import ChangeDecisionForm
from .services import changes, concerned


@require_safe
@never_cache
@permission_required(changes.MANAGES_USERS, raise_exception=True)
def account_changes(request: Request) -> HttpResponse:
    """List what waits for a second administrator, and what was decided."""
    rows = AccountChange.objects.select_related("user", "group", "asked_by", "decided_by")
    context = {
        "waiting": list(rows.waiting().order_by("id")),
        "page": page_of(rows.exclude(outcome=""), request),
        "alone": _is_alone(request.user),
    }
    return render(request, "recharge/staff/account_changes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(changes.MANAGES_USERS, raise_exception=True)
@factors.after_fresh_factor()
def account_change(request: Request, change_id: int) -> HttpResponse:
    """Show what somebody asked for; confirm or refuse it, or withdraw one's own."""
    found = AccountChange.objects.select_related("user", "group", "asked_by", "decided_by").filter(pk=change_id).first()
    if found is None:
        raise Http404
    sent = request.POST if request.method == "POST" else None
    own = found.asked_by_id == request.user.pk
    form = ChangeDecisionForm(sent, own=own, needs_password=factors.needs_password(request))

    def decide() -> None:
        said = form.cleaned_data
        if form.approves:
            changes.confirm(change_id=found.pk, was_seen=said["seen"], actor=request.user, words=said["reason"])
        else:
            changes.refuse(change_id=found.pk, actor=request.user, words=said["reason"])

    if decides(request, form, decide):
        done = _("Confirmed: it is in effect now.") if form.approves else _("Nothing was changed.")
        messages.success(request, done)
        return redirect("account_changes")
    if request.user.is_anonymous:
        return signed_out(request)
    found.refresh_from_db(fields=["outcome"])
    context = {
        "change": found,
        "seen": changes.seen(found),  # before the rest is looked up: what changes in between is noticed
        "form": form,
        "own": own,
        "about_me": found.user_id == request.user.pk,
        "waits": AccountChange.objects.waiting().filter(pk=found.pk).exists(),
        "added": list(wording.added(found)),
        "rights": list(wording.rights_given(found)),
        "concerned": concerned.told(found),
        "warned": found.kind != AccountChangeKind.PASSWORD and concerned.may_be_another(found),
        "alone": _is_alone(request.user),
    }
    return render(request, "recharge/staff/account_change.html", context)


def _is_alone(user: User) -> bool:
    """Say whether nobody else can confirm anything."""
    backend = "django.contrib.auth.backends.ModelBackend"
    others = User.objects.with_perm(changes.MANAGES_USERS, backend=backend, include_superusers=True)
    return not others.exclude(pk=user.pk).exists()
