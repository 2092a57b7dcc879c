"""The request as a view gets it, for annotations: middleware has made more of it than Django's types can know."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request that LoginRequiredMiddleware let through, and HtmxMiddleware has looked at."""

    user: User
    htmx: HtmxDetails
