"""Accounts elsewhere in the administration: what is nobody's is matched with a user by two, and taken away by one."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import MatchedIdentity, UnmatchedIdentity
from portal.accounts.outside import providers, services
from portal.kit.wording import person
from portal.web.rendering import in_sight

from .admin import ask
from .forms import IdentityForm
from .services import changes


class _IdentityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """For who manages users; nobody types an identity."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """List it where people sign in that way; the addresses are there in any case."""
        return bool(providers.switched_on()) and request.user.has_perm(changes.MANAGES_USERS)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(changes.MANAGES_USERS)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(changes.MANAGES_USERS)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(UnmatchedIdentity)
class UnmatchedIdentityAdmin(_IdentityAdmin):
    form = IdentityForm
    list_display = ("shown_name", "shown_source", "key", "first_seen", "last_seen", "times")
    readonly_fields = ("shown_name", "shown_source", "key", "first_seen", "last_seen", "times")
    fieldsets = (
        (None, {"fields": readonly_fields}),
        (_("Whose it is"), {"fields": ("user", "code", "reason")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(changes.MANAGES_USERS)

    def save_model(self, request: HttpRequest, obj: UnmatchedIdentity, form: Any, change: bool) -> None:
        """Ask a second administrator; the row goes once he has confirmed it."""
        said = {"reason": form.cleaned_data["reason"], "actor": cast(User, request.user)}
        ask(request, lambda: changes.ask_for_identity(user=form.cleaned_data["user"], identity=obj, **said))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *rest: Any, **more: Any
    ) -> HttpResponse:
        context["show_save_and_continue"] = False  # what was asked for is asked for
        return super().render_change_form(request, context, *rest, **more)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return gettext("Asked for what a second administrator has to confirm.")

    def response_change(self, request: HttpRequest, obj: UnmatchedIdentity) -> HttpResponse:
        """Django would say that the row was changed."""
        return redirect("admin:accounts_unmatchedidentity_changelist")

    @admin.display(description=_("name at the provider"), ordering="name")
    def shown_name(self, row: UnmatchedIdentity) -> str:
        return in_sight(row.name) or "–"

    @admin.display(description=_("provider"), ordering="source")
    def shown_source(self, row: UnmatchedIdentity) -> str:
        return providers.name_of(row.source)


@admin.register(MatchedIdentity)
class MatchedIdentityAdmin(_IdentityAdmin):
    list_display = ("shown_user", "shown_source", "shown_name", "uid", "date_joined")
    list_select_related = ("user",)
    fields = ("shown_user", "shown_source", "shown_name", "uid", "date_joined")

    def delete_model(self, request: HttpRequest, obj: MatchedIdentity) -> None:
        services.unmatch(obj, actor=cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MatchedIdentity]) -> None:
        with transaction.atomic():
            for matched in queryset.select_related("user"):
                services.unmatch(matched, actor=cast(User, request.user))

    @admin.display(description=_("user"), ordering="user")
    def shown_user(self, row: MatchedIdentity) -> str:
        return person(row.user)

    @admin.display(description=_("name at the provider"))
    def shown_name(self, row: MatchedIdentity) -> str:
        return in_sight(str(row.extra_data.get("name", ""))) or "–"

    @admin.display(description=_("provider"), ordering="provider")
    def shown_source(self, row: MatchedIdentity) -> str:
        return providers.name_of(row.provider)
