from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    verbose_name = _("Sign-ins")

    def ready(self) -> None:
        user_logged_in.connect(_signed_in, dispatch_uid="what_is_due")


def _signed_in(sender: Any, request: Any, user: Any, **signal: Any) -> None:
    """Note what is due before anything else may be done, whatever door the sign-in came through."""
    from . import factors

    factors.begin(request, user)
