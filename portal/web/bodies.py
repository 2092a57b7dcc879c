"""How large a request may be: a form is small, and only what takes sheets takes more."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase

MOST_OF_A_FORM = 1024 * 1024
"""Bytes of a request, where the view says nothing else."""

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def takes(most_bytes: int) -> Callable[[View], View]:
    """Let a view take requests of so many bytes; the outermost decorator."""

    def mark(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]  # a mark that `LimitBodies` reads
        return view

    return mark


class LimitBodies:
    """Refuse (413) what is larger than its view takes, by the length that it announces and before any of it is read.

    A body without a length is none: servers that speak WSGI hand it over as empty, or count it first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, named: dict[str, Any]) -> None:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        most = getattr(view, "most_bytes", MOST_OF_A_FORM)
        if not announced.isdigit() or int(announced) > most:
            raise RequestDataTooBig(f"{announced} bytes, {most} at most")
