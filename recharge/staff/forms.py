"""Users and groups in the administration: what gives power is taken out of what is saved, to be confirmed."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from portal.accounts import admin as accounts
from portal.accounts.models import UnmatchedIdentity
from portal.accounts.outside import services as outside
from portal.kit.wording import person
from recharge.approvals.forms import DecisionForm
from recharge.models import AccountChange

from .services import powers
from .services.powers import Raise, Wish


def reason_field() -> forms.CharField:
    """Return the field for why something is to be done that a second administrator has to confirm."""
    return forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Needed for what makes somebody an approver or administrator: a second administrator confirms it."),
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60, "autocomplete": "off"}),
    )


ASKED_ALREADY = _("That is asked for already: it has to be decided or withdrawn first.")
SAY_WHY = _("Say why: a second administrator has to confirm this.")


class _RaisingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Takes out of what was typed whatever needs a second person, and keeps it as `more`."""

    more = Raise()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        user = User.objects.get(pk=self.instance.pk) if self.instance.pk else None
        flags = {name: bool(cleaned[name]) for name in powers.FLAGS if name in cleaned}
        _lock(cleaned.get("groups", ()))
        wish = Wish(self._rows("groups", user), self._rows("user_permissions", user), flags)
        self.more = powers.part(user, wish)
        for name, rows in (("groups", wish.groups), ("user_permissions", wish.permissions)):
            if name in cleaned:
                cleaned[name] = rows
        cleaned |= wish.flags
        if self.more:
            _require_reason(self, AccountChange.objects.waiting().filter(kind="RIGHTS", user=user) if user else None)
        return cleaned

    def _rows(self, name: str, user: User | None) -> list[Any]:
        """Return the groups or rights that were chosen; those that there are where the form has none to choose."""
        if name in self.cleaned_data:
            return list(self.cleaned_data[name])
        return list(getattr(user, name).all()) if user else []


def _lock(groups: Iterable[Group]) -> None:
    """Lock groups that somebody may join, so that nobody confirms rights for one of them meanwhile."""
    if transaction.get_connection().in_atomic_block:
        list(Group.objects.select_for_update().filter(pk__in=[group.pk for group in groups]).order_by("pk"))


def _require_reason(form: forms.BaseForm, asked: Any) -> None:
    if not form.cleaned_data.get("reason", "").strip() and "reason" not in form.errors:
        form.add_error("reason", SAY_WHY)
    if asked is not None and asked.exists():
        form.add_error("reason", ASKED_ALREADY)


class StaffChangeForm(_RaisingForm, UserChangeForm):  # type: ignore[type-arg]  # generic in the stubs only
    reset_factors = forms.BooleanField(
        label=_("Take all second factors away"),
        required=False,
        help_text=_("For who has lost the phone or the key: all sign-ins end, and the next one sets up a new factor."),
    )
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("reset_factors") and powers.is_guarded(User.objects.get(pk=self.instance.pk)):
            _require_reason(self, AccountChange.objects.waiting().filter(kind="FACTORS", user=self.instance.pk))
        return cleaned


class NewStaffForm(_RaisingForm, accounts.NewStaffForm):
    reason = reason_field()


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A group; rights are taken from it at once, and added once confirmed."""

    reason = reason_field()
    more: tuple[Permission, ...] = ()

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        has = {permission.pk for permission in self.instance.permissions.all()} if self.instance.pk else set()
        chosen = list(cleaned.get("permissions", ()))
        self.more = tuple(permission for permission in chosen if permission.pk not in has)
        cleaned["permissions"] = [permission for permission in chosen if permission.pk in has]
        if self.more:
            asked = AccountChange.objects.waiting().filter(kind="GROUP", group=self.instance.pk)
            _require_reason(self, asked if self.instance.pk else None)
        return cleaned


class StaffPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Another person's password; for an approver or administrator it is only asked for."""

    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.needs_second_person:
            _require_reason(self, AccountChange.objects.waiting().filter(kind="PASSWORD", user=self.user))
        return cleaned

    @property
    def needs_second_person(self) -> bool:
        """Whether a password is set, not taken away, for somebody who is guarded."""
        return bool(self.cleaned_data.get("set_usable_password", True)) and powers.is_guarded(self.user)


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """Users to choose from, by name and login."""

    def label_from_instance(self, obj: User) -> str:
        name, login = person(obj), obj.get_username()
        return name if name == login else f"{name} ({login})"


class IdentityForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Whose an account elsewhere is: shown by the code that the person was given at the sign-in."""

    user = PersonChoice(queryset=User.objects.filter(is_active=True).order_by("username"), label=_("Person"))
    code = forms.CharField(
        label=_("Matching code"),
        max_length=20,
        help_text=_(
            "The digits that the page showed this person when he tried to sign in. Let him tell them himself: "
            "the name at the provider shows nothing, anybody may choose one."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    reason = reason_field()

    class Meta:
        model = UnmatchedIdentity
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("For the second administrator, who has to confirm it.")

    def clean_code(self) -> str:
        code = "".join(str(self.cleaned_data["code"]).split())
        if code != outside.code_of(self.instance.source, self.instance.key):
            raise forms.ValidationError(_("This is not the code of this account: it may be somebody else's."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        user = cleaned.get("user")
        _require_reason(self, AccountChange.objects.waiting().filter(kind="IDENTITY", user=user) if user else None)
        return cleaned


class ChangeDecisionForm(DecisionForm):
    """What a second administrator says; who asked for it can only withdraw it."""

    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)

    field_order = ("seen", "decision", "reason", "password")

    def __init__(self, *args: Any, own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["proof_seen"]
        choice = cast(forms.ChoiceField, self.fields["decision"])
        choice.choices = [(self.APPROVE, _("Confirm")), (self.REJECT, _("Reject"))]
        if own:
            choice.choices, choice.initial = [(self.REJECT, _("Withdraw"))], self.REJECT
            reason = self.fields["reason"]
            reason.required, reason.help_text = True, _("Needed; it stays in the history.")
