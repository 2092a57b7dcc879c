"""Views that handle personal data: no cache keeps their answers, and no error page shows what they worked on."""

from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.debug import SafeExceptionReporterFilter
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponse]


class NothingPersonal(SafeExceptionReporterFilter):
    """Leaves of what was typed and computed the names alone, even while DEBUG shows everything else."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(super().get_post_parameters(request), self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> list[tuple[str, Any]]:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


def personal(view: View) -> View:
    """Decorate a view that reads or writes what identifies a person."""

    @wraps(view)
    def secret(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.exception_reporter_filter = NothingPersonal()  # type: ignore[attr-defined]  # Django looks for it
        return view(request, *args, **kwargs)

    return never_cache(secret)
