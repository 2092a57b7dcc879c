"""What all forms of the portal do alike."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class MarkedForm(forms.Form):
    """A form that shows which of its fields are wrong, those too that a service refuses afterwards."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        for name in self.errors.keys() & self.fields.keys():
            attributes = self.fields[name].widget.attrs
            if "is-invalid" not in attributes.get("class", ""):
                attributes["class"] = f"{attributes.get('class', '')} is-invalid"


class ReasonForm(forms.Form):
    """A required reason for an action."""

    reason = forms.CharField(
        max_length=200,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autofocus": True}),
    )

    def __init__(self, *args: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label

    def refuse(self, error: Exception) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))


class PasswordForm(MarkedForm):
    """A form that asks for the password again where it was typed too long ago."""

    password = forms.CharField(
        label=_("Your password, once more"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
        help_text=_("It was entered some minutes ago; enter it again to show that it is still you."),
        error_messages={"required": _("Type your password.")},
    )

    def __init__(self, *args: Any, needs_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needs_password:
            del self.fields["password"]

    def refuse_password(self) -> None:
        """Show that the password was wrong."""
        self.add_error("password", _("This is not your password."))

    def accept_password(self) -> None:
        """Stop asking for it."""
        self.fields.pop("password", None)
