"""What an approver says."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import PasswordForm
from recharge.core.errors import ServiceError
from recharge.core.forms import RADIO, SeenField


class DecisionForm(PasswordForm):
    """What an approver says; neither answer is chosen beforehand, so that nobody approves by pressing Enter."""

    APPROVE, REJECT = "approve", "reject"
    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[(APPROVE, _("Approve")), (REJECT, _("Reject"))],
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"required": _("Choose one of the two.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Needed for a rejection; it stays in the history."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2, "autocomplete": "off"}),
    )

    proof_seen = SeenField()

    field_order = ("proof_seen", "decision", "reason", "password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("decision") == self.REJECT and not cleaned.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Say why it is rejected."))
        return cleaned

    @property
    def approves(self) -> bool:
        return bool(self.cleaned_data["decision"] == self.APPROVE)

    def offer_rejection_alone(self) -> None:
        """Offer no approval where none is possible now; one that was sent all the same, the service refuses."""
        self.fields["decision"].choices = [(self.REJECT, _("Reject"))]  # type: ignore[attr-defined]

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))
