"""The request as a view gets it, for annotations: middleware has made more of it than Django's types can know."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request that LoginRequiredMiddleware let through, and HtmxMiddleware has looked at."""

    user: User
    htmx: HtmxDetails


def own_address(request: HttpRequest, address: str) -> str:
    """Return an address of the portal's own to go to; anything else becomes the first page."""
    allowed = {request.get_host()}
    fits = url_has_allowed_host_and_scheme(address, allowed_hosts=allowed, require_https=request.is_secure())
    return address if fits else resolve_url("overview")
