"""Pages of which a part keeps itself up to date."""

import hashlib
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from .request import Request


def render_live(request: Request, page: str, fragment: str, context: dict[str, Any], *, polling: bool) -> HttpResponse:
    """Show a page, or to htmx only the part of it that changes.

    The browser sends back the digest of what it shows. Nothing is replaced where that still holds (204), so that a
    number can be marked and copied in peace. The banner of an outage comes and goes along with it.

    Args:
        page: the template of the page; it has `live`, the rendered part.
        fragment: the template of the part. It must render the same for the same data: no tokens, no ages.
        context: for both.
        polling: whether anything may still change by itself.
    """
    live = render_to_string(fragment, context, request)
    outage = render_to_string("includes/outage.html", {}, request) if polling else ""
    digest = hashlib.sha256(f"{polling}{live}{'banner' in outage}".encode()).hexdigest()[:16]
    context = {**context, "live": live, "digest": digest, "polling": polling}
    if request.htmx:
        if request.headers.get("X-Seen") == digest:
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return render(request, "includes/live.html", context)
    return render(request, page, context)
