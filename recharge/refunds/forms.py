"""What people say of the orders of a claim."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import MarkedForm
from portal.web.rendering import money
from recharge.models import ClaimedOrder, RefundClaim


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic when it runs
    """Some orders of a claim."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.order.order_no} · {money(obj.owed)}"


class NewClaimForm(forms.Form):
    """Names the form itself, so that it makes one claim however often it is sent."""

    nonce = forms.UUIDField()


class OutcomeForm(MarkedForm):
    """Of which open orders of a claim something is said, and what."""

    rows = RowsField(
        label=_("Orders"),
        queryset=ClaimedOrder.objects.none(),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose at least one order.")},
    )
    words = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
        error_messages={"required": _("Write down what the vendor said.")},
    )

    def __init__(self, data: Any, *, claim: RefundClaim, label: Any, all_chosen: bool, words_needed: bool) -> None:
        super().__init__(data)
        still_open = claim.rows.open().select_related("order")
        rows: Any = self.fields["rows"]
        rows.queryset = still_open
        if all_chosen:
            rows.initial = still_open
        self.fields["words"].label = label
        self.fields["words"].required = words_needed
