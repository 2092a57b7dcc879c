"""The checks of the books, for auditors."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.web.request import Request
from recharge.books.services.invariants import CHECKS
from recharge.models import CheckRun


@require_safe
@permission_required("recharge.view_checkrun", raise_exception=True)
def check_list(request: Request) -> HttpResponse:
    """Show each check, when it ran last, how long that took, and which rows break it."""
    runs = CheckRun.objects.in_bulk()
    rows = [{"check": check, "run": runs.get(check.name)} for check in CHECKS]
    return render(request, "recharge/books/check_list.html", {"rows": rows})
