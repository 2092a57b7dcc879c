"""Ending the emergency stop."""

from django import forms

from portal.web.forms import ReasonForm
from recharge.core.forms import SeenField


class GoOnForm(forms.Form):
    """The form that ends the emergency stop that was shown, and no other."""

    seen = SeenField()


class ReleaseForm(ReasonForm):
    """Why the hold that was shown is over, and no other."""

    seen = SeenField()
