"""What people type. Only the form is checked here; what an order may be, the services decide."""

import re
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from oilcards.masking import hide_holder
from oilcards.models import OilCard
from portal.kit.wording import person
from portal.web.forms import MarkedForm
from recharge.choices import MarkKind, Product, Speed
from recharge.core import phone_numbers
from recharge.core.errors import DoubtfulNumber, DuplicateOrder, FormAlreadyUsed, InvalidOrder, ServiceError
from recharge.core.events import NOTE_LIMIT
from recharge.core.forms import DAMAGED, RADIO, SeenField
from recharge.limits.services import slow_guard
from recharge.models import Order

BIGGEST_CHANNEL = 2_147_483_647
MAX_KEY_DIGITS = 18
SWITCH_CHANNEL = {"": None, "1": True, "0": False}


class WordChoiceField(forms.TypedChoiceField):
    """A choice that scripts may also name by a word."""

    def __init__(self, *, words: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def to_python(self, value: Any) -> str:
        text = super().to_python(value).strip()
        return self.words.get(text.lower(), text)


class OrderForm(MarkedForm):
    """What a clerk says about an order of either product."""

    product: Product
    face_values: Sequence[int]
    face_value = forms.TypedChoiceField(
        label=_("Face value"),
        coerce=int,
        widget=forms.RadioSelect(attrs=RADIO),
        error_messages={"required": _("Choose a face value.")},
    )
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
    duplicate_reason = forms.CharField(
        label=_("Why once more?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    duplicate_of = forms.CharField(required=False, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        help_text=_("For whom or what it is; it can be searched for, and the platform doesn't get it."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    reference = forms.CharField(
        label=_("Customer's reference"),
        max_length=64,
        required=False,
        help_text=_("By which you find again who asked for it. The platform doesn't get it."),
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
        error_messages={"invalid": DAMAGED},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["face_value"]).choices = [(value, value) for value in self.face_values]
        cast("forms.ModelChoiceField[Order]", self.fields["replaces"]).queryset = Order.objects.filter(
            product=self.product
        )
        self.fields["nonce"].initial = uuid.uuid4
        self.asks_purpose = slow_guard.asks(self.product)
        self.earlier: Order | None = None
        self.made: Order | None = None

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and "nonce" in self.errors:
            self._renew_nonce()

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused, beside the field that is to blame; what was typed stays."""
        if isinstance(error, DuplicateOrder):
            self.earlier = error.earlier
            self._put("duplicate_of", error.earlier.order_no)
            self.fields["duplicate_reason"].widget.attrs["autofocus"] = True
        elif isinstance(error, FormAlreadyUsed):
            self.made = error.order
            self._renew_nonce()
        elif isinstance(error, InvalidOrder) and error.field in self.fields:
            self.add_error(error.field, str(error))
        else:
            self.add_error(None, str(error))

    def _renew_nonce(self) -> None:
        self._put("nonce", str(uuid.uuid4()))

    def _put(self, name: str, value: str) -> None:
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix(name)] = value
        self.data = data


class MobileOrderForm(OrderForm):
    product = Product.MOBILE
    number_confirmed = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    mobile = forms.CharField(
        label=_("Mobile number"),
        max_length=40,
        error_messages={"required": _("Enter a mobile number.")},
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.face_values = settings.FACE_VALUES
        super().__init__(*args, **kwargs)
        self.doubt: DoubtfulNumber | None = None

    def refuse(self, error: ServiceError) -> None:
        if isinstance(error, DoubtfulNumber):
            self.doubt = error
        else:
            super().refuse(error)

    def clean_mobile(self) -> str:
        """Find a wrong number together with all other mistakes, not after them."""
        try:
            return phone_numbers.normalize(self.cleaned_data["mobile"])
        except phone_numbers.InvalidMobile as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def more_options_used(self) -> bool:
        """Whether the folded part holds something that must be seen."""
        names = ("switch_channel", "channel")
        return any(self[name].errors or self[name].value() not in (None, "") for name in names)


class OilOrderForm(OrderForm):
    product = Product.OIL
    oil_card = forms.ModelChoiceField(
        OilCard.objects.all(),
        label=_("Oil card"),
        error_messages={
            "required": _("Choose a card."),
            "invalid_choice": _("There is no such card; choose one of these."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.face_values = settings.OIL_FACE_VALUES
        super().__init__(*args, **kwargs)
        speeds = [Speed(speed) for speed in settings.OIL_SPEEDS]
        self.offers_speeds = len(speeds) > 1
        speed = cast(forms.TypedChoiceField, self.fields["speed"])
        speed.choices = [(item.value, item.label) for item in speeds]
        speed.initial = speed.empty_value = speeds[0]  # type: ignore[assignment]  # the stubs know texts only
        if len(self.face_values) == 1:
            self.fields["face_value"].initial = self.face_values[0]

    def clean(self) -> dict[str, Any]:
        """Leave out of what a clerk writes what identifies the card's holder: it is kept in clear."""
        values = {**self.cleaned_data}
        card = values.get("oil_card")
        for name in ("duplicate_reason", "note", "purpose", "reference"):
            if card and values.get(name):
                values[name] = hide_holder(values[name], card.details.secrets)
        return values

    @property
    def card(self) -> OilCard | None:
        """The card that was chosen so far."""
        chosen = self["oil_card"].value()
        if isinstance(chosen, OilCard):
            return chosen
        return OilCard.objects.filter(pk=int(chosen)).first() if is_key(chosen) else None


class MobileForm(forms.Form):
    """A number that is being typed, and what was chosen for it so far."""

    mobile = forms.CharField(max_length=40)
    face_value = forms.IntegerField(required=False)
    speed = forms.TypedChoiceField(choices=Speed.choices, coerce=int, required=False)


class CardSearchForm(forms.Form):
    """Digits of a card that is looked for: the last four, or the whole number."""

    digits = forms.CharField(
        label=_("The card's last four digits, or the whole number"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_digits(self) -> str:
        return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", self.cleaned_data["digits"]))


class FindingForm(MarkedForm):
    """What was found and done."""

    note = forms.CharField(
        label=_("What did you find, what did you do?"),
        max_length=200,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autofocus": True}),
    )


class SuspendedForm(MarkedForm):
    """What is known of a number that was suspended, and whether slow top-ups are held because of it."""

    note = forms.CharField(
        label=_("Who says so, and what is known?"),
        max_length=NOTE_LIMIT,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autofocus": True}),
    )
    hold_slow = forms.BooleanField(
        label=_("Hold all slow top-ups until somebody releases them"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, may_hold: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_hold:
            del self.fields["hold_slow"]


class NoteForm(FindingForm):
    """What was done about an order's marks; which ones is asked where there are several."""

    field_order = ("seen", "marks", "note")

    seen = SeenField()
    marks = forms.MultipleChoiceField(
        label=_("What have you dealt with?"),
        choices=MarkKind.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose what you have dealt with.")},
    )

    def __init__(self, *args: Any, open_marks: Sequence[MarkKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(open_marks) > 1:
            cast(forms.MultipleChoiceField, self.fields["marks"]).choices = [
                (kind.value, kind.label) for kind in open_marks
            ]
        else:
            del self.fields["marks"]


class CaseNoteForm(MarkedForm):
    """What was found out about a case."""

    note = forms.CharField(
        label=_("Note"),
        max_length=NOTE_LIMIT,
        error_messages={"required": _("Write a note.")},
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )


class _WithWords(MarkedForm):
    note = forms.CharField(
        label=_("Note for your colleagues (optional)"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # it is no generic at run time
    """A person, by name."""

    def label_from_instance(self, obj: Any) -> str:
        return person(obj)


class HandOverForm(_WithWords):
    """To whom a case goes."""

    field_order = ("to", "note")

    to = PersonField(
        User.objects.none(),
        label=_("To whom?"),
        empty_label=_("Choose a colleague"),
        error_messages={"required": _("Choose a colleague.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.with_perm("recharge.change_order", backend="django.contrib.auth.backends.ModelBackend")
        cast("forms.ModelChoiceField[User]", self.fields["to"]).queryset = people.order_by("username")

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))


class PutOffForm(_WithWords):
    """For how long a case is kept off the desk."""

    field_order = ("hours", "note")

    hours = forms.TypedChoiceField(
        label=_("When shall it be shown again?"),
        choices=[
            (1, _("in an hour")),
            (4, _("in four hours")),
            (24, _("tomorrow at this time")),
            (72, _("in three days")),
            (168, _("in a week")),
        ],
        coerce=int,
    )


class ChangeNoteForm(MarkedForm):
    """The customer's note of an order."""

    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    seen_note = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))


class PlatformNumberForm(MarkedForm):
    """The platform's number of an order, as somebody read it in the console."""

    platform_number = forms.CharField(
        label=_("Platform number"),
        max_length=64,
        error_messages={"required": _("Enter the number that the console shows.")},
        widget=forms.TextInput(attrs={"class": "form-control number", "autocomplete": "off", "autofocus": True}),
    )

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused beside the number; what was typed stays."""
        self.add_error("platform_number", str(error))


class VendorWordsForm(MarkedForm):
    """What the vendor said of an order."""

    words = forms.CharField(
        label=_("The vendor's words"),
        max_length=1000,
        help_text=_("Who said it, when, and how, as it was said."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 4, "autocomplete": "off", "autofocus": True}),
    )


def is_key(text: object) -> bool:
    """Say whether a text can be a primary key: digits, and no more than the database can hold."""
    return str(text).isascii() and str(text).isdigit() and len(str(text)) <= MAX_KEY_DIGITS
