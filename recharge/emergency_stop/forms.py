"""Ending the emergency stop."""

from django import forms

from recharge.core.forms import SeenField


class GoOnForm(forms.Form):
    """The wish to end the emergency stop that was shown, and no other."""

    seen = SeenField()
