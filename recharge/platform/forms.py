"""What an administrator says about the account at the platform."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import PasswordForm
from recharge.core.forms import SeenField
from recharge.models import Account


class ConfirmAccountForm(PasswordForm):
    """The wish to push orders under the account that was shown, and no other."""

    seen = SeenField()


class SameAccountForm(ConfirmAccountForm):
    """Which earlier account the one of the settings is, and how the person knows."""

    other = forms.ModelChoiceField(
        Account.objects.none(),
        label=_("The earlier account"),
        empty_label=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    reason = forms.CharField(
        label=_("How do you know?"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    field_order = ("other", "reason", "password")

    def __init__(self, *args: Any, others: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Account]", self.fields["other"]).queryset = Account.objects.filter(
            pk__in=[account.pk for account in others]
        )
