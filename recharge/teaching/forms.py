"""What administrators say about meanings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import MarkedForm, PasswordForm
from recharge.choices import RefusalMeaning
from recharge.core.errors import ServiceError
from recharge.status import Status

_REASON = {"class": "form-control", "rows": 2, "autocomplete": "off"}


class MeaningForm(MarkedForm):
    """Which meaning; its effect is shown before anything is proposed."""

    meaning = forms.ChoiceField(
        label=_("What does it mean?"),
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"required": _("Choose what it means.")},
    )

    def __init__(self, *args: Any, of_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(code, f"{code} {label}") for code, label in Status.choices] if of_code else RefusalMeaning.choices
        self.fields["meaning"].choices = [("", _("Choose what it means.")), *known]  # type: ignore[attr-defined]


class ProposalForm(MeaningForm):
    """The meaning whose effect was shown, and how one knows."""

    reason = forms.CharField(
        label=_("How do you know?"),
        max_length=200,
        help_text=_("What the vendor said, who and when. Another administrator reads it."),
        widget=forms.Textarea(attrs=_REASON),
        error_messages={"required": _("Say how you know.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["meaning"].widget = forms.HiddenInput()


class RemovalForm(PasswordForm):
    """Why something taught should hold no longer."""

    reason = forms.CharField(
        label=_("Why should it hold no longer?"),
        max_length=200,
        widget=forms.Textarea(attrs=_REASON),
        error_messages={"required": _("Give the reason.")},
    )

    field_order = ("reason", "password")

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))
