"""What the forms of several rooms share."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

RADIO = {"class": "form-selectgroup-input"}


DAMAGED = _("This form was damaged in transit. It has been renewed; please submit it again.")


class SeenField(forms.IntegerField):
    """Names what a page showed, so that nobody decides about what came afterwards; 0 where nothing was shown.

    The templates fill it in: a page that is shown anew names what it shows then.
    """

    widget = forms.HiddenInput
    default_error_messages: ClassVar = {"invalid": DAMAGED}

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: Any) -> int:
        return super().clean(value) or 0
