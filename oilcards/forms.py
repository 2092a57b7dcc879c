"""What people type about cards. Only the form is checked here; what a card may be, the services decide."""

import hashlib
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import MarkedForm

from .choices import CardType
from .details import LABELS, CardDetails
from .models import OilCard
from .services.errors import Doubtful, DuplicateCard, InvalidCard, PlatformIdTaken, ServiceError


def _text(name: str, *, max_length: int = 60, **attributes: Any) -> forms.CharField:
    """A field that may be left empty: the services say what is missing, all of it at once."""
    return forms.CharField(
        label=LABELS[name],
        required=False,
        max_length=max_length,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", **attributes}),
    )


class CardForm(MarkedForm):
    card_type = forms.TypedChoiceField(
        label=LABELS["card_type"],
        choices=CardType.choices,
        coerce=lambda value: CardType(int(value)),
        required=False,
        empty_value=None,
        widget=forms.RadioSelect(attrs={"class": "form-selectgroup-input"}),
    )
    card_number = _text("card_number", inputmode="numeric")
    holder_name = _text("holder_name", max_length=100)
    holder_phone = _text("holder_phone", type="tel", inputmode="tel")
    national_id = _text("national_id")
    accepted = forms.CharField(required=False, max_length=64)
    """Stands for the warnings that the person has seen and accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[tuple[str, str]] = []
        self.digest = ""
        self.other: OilCard | None = None

    def details(self) -> CardDetails:
        """Return what was typed."""
        return CardDetails(**{name: self.cleaned_data[name] for name in LABELS})

    def has_accepted(self, doubtful: Doubtful) -> bool:
        """Say whether these very warnings were shown and accepted, and not others before the last correction."""
        return bool(self.cleaned_data["accepted"] == _digest(doubtful))

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused, beside the field that is to blame; what was typed stays."""
        if isinstance(error, InvalidCard):
            for name, message in error.errors.items():
                self.add_error(name if name in self.fields else None, message)
        elif isinstance(error, Doubtful):
            self.warnings = [
                (str(LABELS[name]), text) for name, texts in error.warnings.items() for text in texts
            ]  # fmt: skip
            self.digest = _digest(error)
        elif isinstance(error, DuplicateCard | PlatformIdTaken):
            self.other = error.card
        else:
            self.add_error(None, str(error))


class EditForm(CardForm):
    """What stays as it is may be left empty: the holder's data is shown to nobody just to be edited."""

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        error_messages={
            "required": _("This form was damaged in transit; please open it again."),
            "invalid": _("This form was damaged in transit; please open it again."),
        },
    )

    def __init__(self, *args: Any, card: OilCard, **kwargs: Any) -> None:
        initial = {"card_type": card.card_type, "version": card.version}
        super().__init__(*args, initial=initial, **kwargs)
        self.card = card
        shown = {
            "card_number": f"···· {card.last_four}",
            "holder_name": card.masked_name,
            "holder_phone": card.masked_phone,
            "national_id": card.masked_national_id,
        }
        for name, text in shown.items():
            self.fields[name].widget.attrs["placeholder"] = text

    def details(self) -> CardDetails:
        typed = {name: self.cleaned_data[name] for name in LABELS}
        return CardDetails(**{**self.card.details.values(), **{k: v for k, v in typed.items() if v not in ("", None)}})


class PlatformIdForm(MarkedForm):
    platform_card_id = forms.CharField(
        label=_("The card's id in the vendor's console"),
        max_length=64,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autofocus": True}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.other: OilCard | None = None

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused, beside the field that is to blame; what was typed stays."""
        if isinstance(error, InvalidCard):
            for name, message in error.errors.items():
                self.add_error(name, message)
        elif isinstance(error, PlatformIdTaken):
            self.other = error.card
        else:
            self.add_error(None, str(error))


class VersionForm(forms.Form):
    """The version of the card that the person saw."""

    version = forms.IntegerField()


class AdoptForm(forms.Form):
    """Which of the platform's values are taken over, and which values the person saw."""

    fields_taken = forms.MultipleChoiceField(choices=list(LABELS.items()))
    fingerprint = forms.CharField(max_length=128)


def _digest(doubtful: Doubtful) -> str:
    return hashlib.sha256(str(doubtful).encode()).hexdigest()
