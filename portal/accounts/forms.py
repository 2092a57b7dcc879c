"""What people type to sign in, and to show that it is they."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.web.forms import MarkedForm

from . import tries
from .adapters import address_of
from .models import FailedTry

_CODE = {"class": "form-control", "autocomplete": "one-time-code", "inputmode": "numeric", "autocapitalize": "none"}


class SignInForm(AuthenticationForm):
    """Name and password; slower after some wrong ones, by the same words whether anybody has the name."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not (name and password and self.request):
            return super().clean()
        try:
            this = tries.begin(FailedTry.Kind.PASSWORD, name, address_of(self.request))
        except tries.Slowed as slowed:
            raise slowed.in_words() from None
        cleaned = super().clean()
        tries.forgive(this)
        return cleaned


class NewPasswordForm(PasswordChangeForm):
    """The old password, and a new one that is another."""

    def clean_new_password1(self) -> str:
        new = str(self.cleaned_data["new_password1"])
        if new == self.cleaned_data.get("old_password"):
            raise ValidationError(_("Choose another one than the old one."), code="same")
        return new


class CodeForm(MarkedForm):
    """A code of the authenticator app, or one of the recovery codes."""

    code = forms.CharField(
        label=_("Code of the app, or a recovery code"),
        max_length=32,
        widget=forms.TextInput(attrs=_CODE),
        error_messages={"required": _("Type the code.")},
    )

    def refuse(self) -> None:
        """Show that the code was wrong, or was used before."""
        self.add_error("code", _("This code is wrong, or was used before. Wait for the next one."))


class AppCodeForm(CodeForm):
    """The code by which an authenticator app shows that it has read the secret."""

    code = forms.CharField(
        label=_("The 6 digits that the app shows now"),
        max_length=32,
        widget=forms.TextInput(attrs=_CODE),
        error_messages={"required": _("Type the code.")},
    )


class PasskeyNameForm(MarkedForm):
    """What a new passkey is called."""

    name = forms.CharField(
        label=_("Name, to tell it from others"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
