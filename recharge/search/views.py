"""Finding orders by whatever people have of them. What is typed stays out of addresses and logs: it is a POST."""

from collections.abc import Iterator

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.kit.secrecy import personal
from portal.web.downloads import CSV, XLSX
from portal.web.request import Request
from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal
from recharge.core.exporting import export
from recharge.orders import exports

from .forms import SearchForm
from .services import Answer, look_up
from .tables import SearchTable

A_LIST = 2
"""So many entries are a list, of which is written down how long it was; single ones are everyday work."""


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("recharge.view_order", raise_exception=True)
def search(request: Request) -> HttpResponseBase:
    """Show each entry's newest order, and on top which entries find none; `format` csv or xlsx makes a sheet of it."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    answer = look_up(form.cleaned_data["q"]) if form.is_valid() else None
    kind = request.POST.get("format", "")
    if answer and (entries := len(answer.found) + len(answer.missing)) >= A_LIST:
        counted = {"entries": entries, "found": len(answer.found)}
        record_of_portal(PortalEventKind.SEARCHED, actor=request.user, details=counted)
    if answer and kind in (CSV, XLSX):
        name = f"search-{timezone.localtime():%Y%m%d-%H%M}"
        return export(name, kind, [_("Looked for"), *exports.header()], _rows(answer, request.user), by=request.user)
    context = {"form": form, "answer": answer}
    if answer:
        context["table"] = SearchTable(answer.found, viewer=request.user)
    return render(request, "recharge/search/search.html", context)


def _rows(answer: Answer, viewer: User) -> Iterator[list[object]]:
    for entry in answer.found:
        assert entry.order
        yield [entry.text, *exports.row(entry.order, viewer)]
    for entry in answer.missing:
        yield [entry.text, *[_("not found") if title == _("State") else None for title in exports.header()]]
