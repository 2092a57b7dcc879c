from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RechargeConfig(AppConfig):
    name = "recharge"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from portal.accounts.factors import signed_in
        from portal.kit.append_only import protect
        from portal.kit.audit import done

        post_migrate.connect(protect, sender=self, dispatch_uid="append_only")
        user_logged_in.connect(_signed_in, dispatch_uid="signed_in")
        signed_in.connect(_let_in_or_not_yet, dispatch_uid="let_in_or_not_yet")
        user_logged_out.connect(_signed_out, dispatch_uid="signed_out")
        user_login_failed.connect(_not_signed_in, dispatch_uid="not_signed_in")
        done.connect(_done, dispatch_uid="audit")


def _signed_in(sender: Any, request: Any, user: Any, **signal: Any) -> None:
    from .audit.services import sign_ins as audited

    audited.signed_in(user, way=getattr(request, "signed_in_by", ""))


def _let_in_or_not_yet(sender: Any, request: Any, user: Any, completed: bool, **signal: Any) -> None:
    from portal.accounts.sessions import device_of

    from .alerts.services import sign_ins

    sign_ins.succeeded(user, device=device_of(request), completed=completed)


def _signed_out(sender: Any, user: Any, **signal: Any) -> None:
    from .audit.services import sign_ins as audited

    if user is not None:
        audited.signed_out(user)


def _not_signed_in(sender: Any, credentials: dict[str, Any], **signal: Any) -> None:
    from .alerts.services import sign_ins
    from .audit.services import sign_ins as audited

    audited.failed(str(credentials.get("username", "")))
    sign_ins.failed(str(credentials.get("username", "")))


def _done(sender: Any, kind: str, actor: Any, about: str, note: str, details: Any, **signal: Any) -> None:
    from .choices import PortalEventKind
    from .core.events import record_of_portal

    record_of_portal(PortalEventKind(kind), actor=actor, about=about, note=note, details=details)
