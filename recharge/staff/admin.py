"""Users and groups in the administration, where one person alone makes no approver and no administrator."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin import StaffAdmin
from portal.accounts.services import reset_factors
from recharge.core.errors import ServiceError
from recharge.models import AccountChange

from .forms import GroupForm, NewStaffForm, StaffChangeForm, StaffPasswordForm
from .services import changes, powers, recording


class TwoPersonStaffAdmin(StaffAdmin):
    """What gives power waits for a second administrator; everything is written down."""

    form = StaffChangeForm
    add_form = NewStaffForm
    change_password_form = StaffPasswordForm
    change_user_password_template = "admin/staff_password.html"  # noqa: S105  (a template)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        after = (_("Why"), {"fields": ("reason",)})
        if obj is not None:
            return (*super().get_fieldsets(request, obj), (_("Second factors"), {"fields": ("reset_factors",)}), after)
        return (*super().get_fieldsets(request, obj), after)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        """Lock the row for a change, so that nobody confirms something about it meanwhile."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST" and transaction.get_connection().in_atomic_block:
            User.objects.select_for_update().get(pk=found.pk)
        return found

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        form.before = powers.snapshot(User.objects.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user, actor = User.objects.get(pk=form.instance.pk), cast(User, request.user)
        if change:
            recording.user_changed(user, form.before, actor=actor)
        else:
            recording.user_added(user, actor=actor)
        if form.more:
            said = {"reason": form.cleaned_data["reason"], "actor": actor}
            ask(request, lambda: changes.ask_for_rights(user=user, more=form.more, **said))
        if form.cleaned_data.get("reset_factors"):
            self._reset_factors(request, user, form)

    def _reset_factors(self, request: HttpRequest, user: User, form: Any) -> None:
        actor = cast(User, request.user)
        if powers.is_guarded(user):
            said = {"reason": form.cleaned_data["reason"], "actor": actor}
            ask(request, lambda: changes.ask_for_factors(user=user, **said))
        else:
            reset_factors(user, actor=actor)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django would say that what only waits was changed."""
        if getattr(form, "more", None):
            return gettext("Asked for what a second administrator has to confirm.")
        return super().construct_change_message(request, form, formsets, add)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set the password of somebody whom nothing guards; ask for that of anybody else."""
        with transaction.atomic():
            user = self.get_object(request, unquote(id))
            if request.method != "POST" or user is None or not self.has_change_permission(request, user):
                return super().user_change_password(request, id, form_url)
            form = StaffPasswordForm(user, request.POST)
            if form.is_valid() and form.needs_second_person:
                return self._ask_for_password(request, user, form)
            response = super().user_change_password(request, id, form_url)
            if User.objects.get(pk=user.pk).password != user.password:
                recording.password_set(user, actor=cast(User, request.user))
            return response

    def _ask_for_password(self, request: HttpRequest, user: User, form: StaffPasswordForm) -> HttpResponseRedirect:
        said = {"reason": form.cleaned_data["reason"], "actor": cast(User, request.user)}
        password = make_password(form.cleaned_data["password1"])
        ask(request, lambda: changes.ask_for_password(user=user, password=password, **said))
        return redirect("admin:auth_user_change", user.pk)


class TwoPersonGroupAdmin(GroupAdmin):
    """Rights are taken from a group at once; what is added waits for a second administrator."""

    form = GroupForm
    actions = None
    fields = ("name", "permissions", "reason")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Group | None:
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST":
            Group.objects.select_for_update().get(pk=found.pk)
        return found

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        form.before = recording.group_snapshot(Group.objects.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        actor, group = cast(User, request.user), form.instance
        recording.group_changed(group, form.before, actor=actor)
        if form.more:
            said = {"reason": form.cleaned_data["reason"], "actor": actor}
            ask(request, lambda: changes.ask_for_group(group=group, permissions=list(form.more), **said))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        assert isinstance(obj, Group)
        pk, before, were_in = obj.pk, recording.group_snapshot(obj), powers.members(obj)
        super().delete_model(request, obj)
        recording.group_deleted(pk, before, were_in, actor=cast(User, request.user))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        if getattr(form, "more", None):
            return gettext("Asked for what a second administrator has to confirm.")
        return super().construct_change_message(request, form, formsets, add)


def ask(request: HttpRequest, wish: Callable[[], AccountChange]) -> None:
    """Ask for a change, and say plainly that it isn't done yet."""
    try:
        change = wish()
    except ServiceError as error:  # somebody else has asked since the form was judged
        messages.error(request, str(error))
        return
    words = gettext("Not yet in effect: a second administrator has to confirm it.")
    address, look = reverse("account_change", args=[change.pk]), gettext("What waits for confirmation")
    messages.warning(request, format_html('{} <a href="{}">{}</a>', words, address, look))


admin.site.unregister(User)
admin.site.register(User, TwoPersonStaffAdmin)
admin.site.unregister(Group)
admin.site.register(Group, TwoPersonGroupAdmin)
