"""Keeping views of lists. A personal one is its owner's; a shared one is changed by whoever may share views."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portal.kit.database import now
from recharge.choices import ListPage
from recharge.core.errors import NotSavable, NotYours
from recharge.core.masking import holds_number
from recharge.models import SavedView

MAX_VIEWS = 30
"""Of one person in one list, and as many shared ones: more of them nobody finds anything in."""

Query = Mapping[str, list[str]]
"""Names of filters, and `columns`, each with its values."""


def save(*, page: ListPage, name: str, query: Query, shared: bool, actor: User) -> SavedView:
    """Keep a view of a list.

    Args:
        page: the list.
        name: what people call it.
        query: filters and columns as the address has them, without what was searched for.
        shared: whether everybody sees it.
        actor: whose it is.

    Raises:
        NotSavable: there is nothing to keep, it holds what looks like a number, the name is taken, there are too many.
        NotYours: the actor may not share views.
    """
    if shared and not may_share(actor):
        raise NotYours(_("Only administrators share views."))
    _check(name, query)
    views = SavedView.objects.filter(page=page)
    if (views.filter(shared=True) if shared else views.filter(owner=actor)).count() >= MAX_VIEWS:
        raise NotSavable(_("There are %(count)s views already: delete one first.") % {"count": MAX_VIEWS})
    return _write(SavedView(page=page, name=name, owner=actor, shared=shared, query=dict(query)))


def change(*, view_id: int, name: str, shared: bool, query: Query | None, actor: User) -> SavedView:
    """Rename a view, share it or stop that, and give it other filters and columns where a query is given.

    Errors are those of `save`; NotYours also where it is somebody else's.
    """
    view = _own(view_id, actor)
    if shared and not may_share(actor):
        raise NotYours(_("Only administrators share views."))
    _check(name, view.query if query is None else query)
    view.name, view.shared, view.changed_at = name, shared, now()
    if query is not None:
        view.query = dict(query)
    return _write(view)


def delete(*, view_id: int, actor: User) -> None:
    """Delete a view.

    Raises:
        NotYours: it is somebody else's.
    """
    _own(view_id, actor).delete()


def may_share(user: User) -> bool:
    """Say whether somebody may share views, and change those that are shared."""
    return user.has_perm("recharge.share_savedview")


def may_change(view: SavedView, user: User) -> bool:
    """Say whether somebody may change or delete a view."""
    return may_share(user) if view.shared else view.owner_id == user.pk


def _own(view_id: int, actor: User) -> SavedView:
    view = SavedView.objects.seen_by(actor).filter(pk=view_id).first()
    if view is None or not may_change(view, actor):
        raise NotYours(_("This view isn't yours to change."))
    return view


def _check(name: str, query: Query) -> None:
    """Refuse what keeps nothing, and numbers: a view is seen by whoever passes by, and its address is passed on."""
    if not query:
        raise NotSavable(_("Choose filters or columns first: there is nothing to keep."))
    if holds_number(name) or any(holds_number(value) for values in query.values() for value in values):
        raise NotSavable(_("A saved view holds no phone or card numbers."))


def _write(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise NotSavable(_("There is a view of this name already.")) from None
    return view
