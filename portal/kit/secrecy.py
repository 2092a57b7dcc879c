"""Views that handle personal data: no cache keeps their answers, and no error page shows what they worked on."""

from collections.abc import Callable, ItemsView
from functools import wraps
from types import FrameType
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.debug import SafeExceptionReporterFilter
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponseBase]


class NothingPersonal(SafeExceptionReporterFilter):
    """Shows only the names of variables and fields, even while DEBUG shows everything else."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(super().get_post_parameters(request), self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()


def personal(view: View) -> View:
    """Decorate a view that reads or writes what identifies a person."""

    @wraps(view)
    def secret(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.exception_reporter_filter = NothingPersonal()
        return view(request, *args, **kwargs)

    return never_cache(secret)
