"""What every page's template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from . import platform


def portal(request: HttpRequest) -> dict[str, Any]:
    """Add what the frame of every page shows."""
    return {
        "platform_configured": platform.is_configured(),
        "trying_out": settings.DEBUG,
    }
