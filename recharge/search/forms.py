"""What is looked for."""

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_CHARACTERS = 200_000


class SearchForm(forms.Form):
    """Any number of entries."""

    q = forms.CharField(
        label=_("What are you looking for?"),
        max_length=MAX_CHARACTERS,
        error_messages={"required": _("Type or paste something to look for.")},
        widget=forms.Textarea(
            attrs={"class": "form-control number", "rows": 4, "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_(
            "Numbers of orders, of the platform, of phones or batches, the last four digits of a phone or card, names "
            "of files, words of a note. One a line or between commas, up to 1,000."
        ),
    )
