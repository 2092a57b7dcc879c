"""What people say about the account at the platform, and about orders that don't come from this portal."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import PasswordForm
from recharge.core.forms import RADIO, SeenField
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


class AskForOtherWaysForm(PasswordForm):
    """The wish to forbid or allow orders by other ways; neither is chosen beforehand."""

    FORBID, ALLOW = "forbid", "allow"
    wanted = forms.ChoiceField(
        label=_("Orders by other ways"),
        choices=[(FORBID, _("Forbid")), (ALLOW, _("Allow"))],
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"required": _("Choose one.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        error_messages={"required": _("Say why.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    field_order = ("wanted", "reason", "password")


class DecideOtherWaysForm(PasswordForm):
    """What a second person says to it."""

    AGREE, DISAGREE = "agree", "disagree"
    seen = SeenField()
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[(AGREE, _("Agree")), (DISAGREE, _("Disagree"))],
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"required": _("Choose one.")},
    )

    field_order = ("decision", "password")
