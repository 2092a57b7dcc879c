"""The staff: logins, names, and the groups that decide what each person may do."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401  (they register what is taken away below)
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Field, Model, QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm, ModelMultipleChoiceField
from django.forms import Field as FormField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from portal.kit.lists import listed
from portal.kit.wording import group_name, person

from . import services


def person_column(model: type[Model], name: str) -> Callable[[Any], str]:
    """Return a column of the admin that shows people by their names; `name` is a foreign key of `model` to users."""

    def shown(row: Any) -> str:
        user = getattr(row, name)
        return person(user) if user else "–"

    column = cast("Field[Any, Any]", model._meta.get_field(name))
    shown.short_description = column.verbose_name  # type: ignore[attr-defined]  # admin's way to name a column
    return shown


def by_name(model: type[Model], columns: Iterable[Any]) -> list[Any]:
    """Replace those of the columns that hold users by ones that show their names."""
    people = {column.name for column in model._meta.fields if column.related_model is User}
    return [person_column(model, column) if column in people else column for column in columns]


class GroupChoice(ModelMultipleChoiceField):
    """Groups to tick, in the reader's language."""

    def label_from_instance(self, obj: Group) -> str:
        return group_name(obj)


class NewStaffForm(UserCreationForm):
    """Everything that a colleague needs to begin: a login, a name, a password and a group."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "first_name", "groups", "is_staff")
        field_classes: ClassVar = {**UserCreationForm.Meta.field_classes, "groups": GroupChoice}


class GroupFilter(admin.SimpleListFilter):
    title = _("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(group.pk), group_name(group)) for group in Group.objects.order_by("pk")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(groups=chosen) if chosen and chosen.isdecimal() else queryset


class StaffAdmin(UserAdmin):
    """Django lets anybody who may change users become a superuser; here only superusers make superusers."""

    add_form = NewStaffForm
    add_form_template = "admin/change_form.html"
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "password1", "password2")}),
        (_("What this person may do"), {"fields": ("groups", "is_staff")}),
    )
    list_display = ("username", "first_name", "group_names", "is_active", "is_staff", "last_login")
    list_filter = (GroupFilter, "is_active", "is_staff")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show the surname only where one was entered apart: a Chinese name is one word."""
        if obj is None:
            return self.add_fieldsets
        names = ("first_name", "last_name") if obj.last_name else ("first_name",)
        powers = ("is_superuser", "user_permissions") if request.user.is_superuser else ()
        return (
            (None, {"fields": ("username", *names, "email", "password")}),
            (_("What this person may do"), {"fields": ("groups", "is_active", "is_staff", *powers)}),
            (_("Important dates"), {"fields": ("last_login", "date_joined")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        dates = ["last_login", "date_joined"]
        return dates if request.user.is_superuser else ["is_superuser", "user_permissions", *dates]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser's password is not for others to set."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People who placed orders are never deleted; those who leave are made inactive."""
        return False

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {"form_class": GroupChoice, "widget": CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        _explain(form.base_fields)
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who gets a login from somebody else chooses a password of his own at the first sign-in."""
        super().save_model(request, obj, form, change)
        if not change:
            services.require_new_password(obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Who gets a new password from somebody else chooses one of his own at the next sign-in."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if isinstance(response, HttpResponseRedirect) and str(request.user.pk) != id:
                services.require_new_password(User.objects.get(pk=id))
        return response

    @admin.display(description=_("groups"))
    def group_names(self, user: User) -> str:
        return listed(group_name(group) for group in user.groups.all()) or "–"


def _explain(fields: dict[str, FormField]) -> None:
    """Say at each field what a shop's administrator needs to know, in place of what Django tells programmers."""
    texts = {
        "groups": _("What somebody may do follows from the groups."),
        "is_active": _("Untick it when somebody leaves: people who placed orders are never deleted."),
        "is_staff": _("Only for those who manage users and look things up there."),
    }
    for name, text in texts.items():
        if name in fields:
            fields[name].help_text = text
    if "first_name" in fields:
        fields["first_name"].label = _("Full name")
        fields["first_name"].help_text = _("The whole name; lists and histories show it instead of the username.")


for model in (EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)  # second factors and sign-ins are their owner's, see portal/accounts
admin.site.unregister(User)
admin.site.register(User, StaffAdmin)
