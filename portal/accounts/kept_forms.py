"""What somebody had typed when the sign-in ended, or when he was asked for his second factor: kept encrypted in the
browser's session, shown again to him alone.

Nothing is sent again by itself. Files are not kept: a browser shows none in a form that it did not choose.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit import crypto

MAX_CHARACTERS = 256 * 1024
KEPT_FOR = 60 * 60
"""Seconds."""

_KEPT = "kept_form"
_NEVER = ("password", "secret", "csrfmiddlewaretoken", "credential")
_CODE = "code"
"""The field for a code that shows a second factor."""


def keep(request: HttpRequest, user_id: int) -> str:
    """Keep what was sent when the sign-in of `user_id` had ended, if it isn't too long.

    Returns:
        The address of the page with the form, to go to after signing in again.
    """
    page = _page_of(request)
    if _keep(request, user_id, page):
        messages.info(request, _("Nothing was sent. What you typed is kept and comes back when you sign in again."))
    return page


def keep_until_shown(request: HttpRequest, *, page: str = "") -> str:
    """Keep what was sent before the second factor was asked for, if it isn't too long.

    Args:
        request: of who is signed in.
        page: where the form is, for one that stands in the answer to another one.

    Returns:
        The address of the page with the form, to go to afterwards.
    """
    came_from = _page_of(request)
    if page and urlsplit(came_from).path == request.path:
        came_from = page
    if _keep(request, request.user.pk or 0, came_from, again=True):
        messages.info(request, _("Nothing was sent yet. What you chose and typed is kept."))
    return came_from


def _keep(request: HttpRequest, user_id: int, page: str, *, again: bool = False) -> bool:
    fields = [(name, value) for name in request.POST if _is_kept(name) for value in request.POST.getlist(name)]
    text = json.dumps({"action": request.path, "fields": fields, **({"again": True} if again else {})})
    if len(text) > MAX_CHARACTERS:
        messages.warning(request, _("Nothing was sent, and what you typed was too long to be kept."))
        return False
    kept = {"user": user_id, "at": timezone.now().timestamp(), "page": urlsplit(page).path, "action": request.path}
    request.session[_KEPT] = {**kept, "text": crypto.encrypt(text)}
    return True


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """Return what is kept for who is signed in and for this page: the `action` it was sent to, and its `fields`."""
    found = request.session.get(_KEPT) if hasattr(request, "session") else None
    if found is None or found["page"] != request.path or found["user"] != request.user.pk or _is_old(found):
        return None
    text: dict[str, Any] = json.loads(crypto.decrypt(found["text"]))
    return text


def forget(request: HttpRequest) -> None:
    """Forget what is kept once the form is sent again, belongs to somebody else, or is too old."""
    found = request.session.get(_KEPT)
    if found is None or request.user.is_anonymous:
        return
    sent = request.method == "POST" and request.path == found["action"]
    if sent or found["user"] != request.user.pk or _is_old(found):
        del request.session[_KEPT]


def keep_and_sign_in(request: HttpRequest, user_id: int) -> HttpResponseRedirect:
    """Keep what was sent, and send to the sign-in."""
    return redirect_to_login(keep(request, user_id))


def _page_of(request: HttpRequest) -> str:
    """Return the address of the page that has the form: many forms are sent to addresses that only take them."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc == request.get_host() and came_from.path.startswith("/"):
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return request.get_full_path()


def _is_kept(name: str) -> bool:
    return name != _CODE and not any(word in name for word in _NEVER)


def _is_old(found: dict[str, Any]) -> bool:
    return bool(timezone.now().timestamp() - found["at"] > KEPT_FOR)
