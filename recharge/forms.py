"""What people type. Only the form is checked here; what an order may be, the services decide."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .choices import Speed
from .models import Order
from .services.errors import DuplicateOrder, FormAlreadyUsed, InvalidOrder, ServiceError

RADIO = {"class": "form-selectgroup-input"}
BIGGEST_CHANNEL = 2_147_483_647
SWITCH_CHANNEL = {"": None, "1": True, "0": False}


class WordChoiceField(forms.TypedChoiceField):
    """A choice that scripts may also name by a word."""

    def __init__(self, *, words: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def to_python(self, value: Any) -> str:
        text = super().to_python(value).strip()
        return self.words.get(text.lower(), text)


class OrderForm(forms.Form):
    mobile = forms.CharField(
        label=_("Mobile number"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "class": "form-control form-control-lg",
                "type": "tel",
                "inputmode": "tel",
                "autocomplete": "off",
                "placeholder": "138 0013 8000",
            }
        ),
    )
    face_value = forms.TypedChoiceField(label=_("Face value"), coerce=int, widget=forms.RadioSelect(attrs=RADIO))
    speed = WordChoiceField(
        label=_("Speed"),
        choices=Speed.choices,
        coerce=lambda value: Speed(int(value)),
        required=False,
        initial=Speed.FAST,
        empty_value=Speed.FAST,
        words={"fast": "1", "slow": "0"},
        widget=forms.RadioSelect(attrs=RADIO),
    )
    switch_channel = WordChoiceField(
        label=_("If a channel fails, try another one"),
        choices=[("", _("As set at the platform")), ("1", _("Yes")), ("0", _("No"))],
        coerce=SWITCH_CHANNEL.__getitem__,
        required=False,
        empty_value=None,
        words={"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0", "none": "", "unknown": ""},
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    channel = forms.IntegerField(
        label=_("Channel"),
        help_text=_("Leave it empty unless the vendor told you a channel's number; prices differ by channel."),
        required=False,
        min_value=0,
        max_value=BIGGEST_CHANNEL,
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"}),
    )
    duplicate_reason = forms.CharField(
        label=_("Why once more?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    replaces = forms.ModelChoiceField(
        Order.objects.all(),
        to_field_name="order_no",
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("The order to be replaced doesn't exist.")},
    )
    nonce = forms.UUIDField(
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": _("This form was damaged on its way; it is fresh now, send it again.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["face_value"].choices = [(value, value) for value in settings.FACE_VALUES]
        self.fields["nonce"].initial = uuid.uuid4
        self.earlier: Order | None = None
        self.made: Order | None = None

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and "nonce" in self._errors:
            self._renew_nonce()
        for name, field in self.fields.items():
            if name in self._errors:
                field.widget.attrs["class"] = f"{field.widget.attrs.get('class', '')} is-invalid"

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused, beside the field that is to blame; what was typed stays."""
        if isinstance(error, DuplicateOrder):
            self.earlier = error.earlier
        elif isinstance(error, FormAlreadyUsed):
            self.made = error.order
            self._renew_nonce()
        elif isinstance(error, InvalidOrder) and error.field in self.fields:
            self.add_error(error.field, str(error))
        else:
            self.add_error(None, str(error))

    @property
    def more_options_used(self) -> bool:
        """Whether the folded part holds something that must be seen."""
        names = ("switch_channel", "channel")
        return any(self[name].errors or self[name].value() not in (None, "") for name in names)

    def _renew_nonce(self) -> None:
        self.data = self.data.copy()
        self.data[self.add_prefix("nonce")] = str(uuid.uuid4())


class MobileForm(forms.Form):
    """A number that is being typed."""

    mobile = forms.CharField(max_length=40)


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("What did you find, what did you do?"),
        max_length=200,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autofocus": True}),
    )
