"""Saving views of lists, changing and deleting them. Where they are chosen, a tag shows them above the list."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.web.actions import Button, Confirmation
from portal.web.request import Request
from recharge.choices import ListPage
from recharge.core.errors import ServiceError
from recharge.models import SavedView

from . import services
from .forms import LISTS, ViewForm, address_of, in_words, query_in
from .services import Query

either = require_http_methods(["GET", "HEAD", "POST"])
sees_orders = permission_required("recharge.view_order", raise_exception=True)


@either
@sees_orders
def view_new(request: Request, page: str) -> HttpResponse:
    """Save the filters and columns in the address as a view of a list."""
    listed, query = _list(page), _query(page, request)
    form = ViewForm(request.POST if request.method == "POST" else None, user=request.user)

    def save(said: dict[str, Any]) -> SavedView:
        return services.save(page=listed, query=query, actor=request.user, **said)

    if saved := _saved(form, save):
        messages.success(request, _("Saved as “%(name)s”.") % {"name": saved.name})
        return redirect(address(saved))
    back = f"{reverse(LISTS[listed].address)}?{address_of(query)}"
    context = {"form": form, "words": list(in_words(listed, query, request)), "back": back}
    return render(request, "recharge/saved_views/save.html", context)


@either
@sees_orders
def view_change(request: Request, view_id: int) -> HttpResponse:
    """Rename or share a view; filters and columns in the address take the place of its own."""
    view = _changeable(request, view_id)
    listed = ListPage(view.page)
    query = _query(view.page, request) or None
    initial = {"name": view.name, "shared": view.shared}
    form = ViewForm(request.POST if request.method == "POST" else None, user=request.user, initial=initial)

    def change(said: dict[str, Any]) -> SavedView:
        return services.change(view_id=view.pk, query=query, actor=request.user, **said)

    if saved := _saved(form, change):
        messages.success(request, _("Saved as “%(name)s”.") % {"name": saved.name})
        return redirect(address(saved))
    context = {
        "form": form,
        "view": view,
        "words": list(in_words(listed, query or view.query, request)),
        "words_before": list(in_words(listed, view.query, request)) if query else [],
        "back": address(view),
    }
    return render(request, "recharge/saved_views/save.html", context)


@either
@sees_orders
def view_delete(request: Request, view_id: int) -> HttpResponse:
    """Delete a view."""
    view = _changeable(request, view_id)
    if request.method == "POST":
        services.delete(view_id=view.pk, actor=request.user)
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
        return redirect(LISTS[ListPage(view.page)].address)
    consequence = _("Everybody loses it.") if view.shared else _("Orders aren't touched by it.")
    confirmation = Confirmation(_("Delete this view?"), consequence, Button(_("Delete"), "danger"))
    context = {"view": view, "confirmation": confirmation, "back": address(view)}
    return render(request, "recharge/saved_views/confirm.html", context)


def address(view: SavedView) -> str:
    """Return where a view's list is."""
    return f"{reverse(LISTS[ListPage(view.page)].address)}?view={view.pk}&{address_of(view.query)}"


def _saved(form: ViewForm, save: Callable[[dict[str, Any]], SavedView]) -> SavedView | None:
    """Do what the form says; None where it can't be done, and the form says why."""
    if not form.is_valid():
        return None
    try:
        return save({"shared": False, **form.cleaned_data})
    except ServiceError as error:
        form.refuse(error)
        return None


def _changeable(request: Request, view_id: int) -> SavedView:
    """Return a view that the person may change; what others keep for themselves isn't even there."""
    view = SavedView.objects.seen_by(request.user).filter(pk=view_id).first()
    if view is None or not services.may_change(view, request.user):
        raise Http404
    return view


def _list(page: str) -> ListPage:
    if page not in ListPage.values:
        raise Http404
    return ListPage(page)


def _query(page: str, request: Request) -> Query:
    query = query_in(_list(page), request.GET)
    if query is None:
        raise Http404
    return query
