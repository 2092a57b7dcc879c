"""How large a request may be: a form is small, and only what takes sheets takes more."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase

MAX_FORM_BYTES = 1024 * 1024
"""Bytes of a request, where the view says nothing else."""

MAX_LENGTH_DIGITS = 18
"""Digits; Python reads no number of thousands of them."""

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
        most = getattr(view, "most_bytes", MAX_FORM_BYTES)
        is_number = announced.isascii() and announced.isdigit() and len(announced) <= MAX_LENGTH_DIGITS
        if not is_number or int(announced) > most:
            raise RequestDataTooBig(f"{announced} bytes, {most} at most")
