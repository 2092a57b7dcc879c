"""What people say about batches. Only the form is checked here; what a batch may be, the services decide."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oilcards.masking import scrub
from portal.kit.lists import listed
from portal.sheets import MAX_FILE_BYTES, Column, Layout, letter_of
from portal.web.forms import MarkedForm, ReasonForm
from recharge.batches.services.making import Shown
from recharge.batches.services.scheduling import Schedule
from recharge.choices import Product
from recharge.core.errors import BadLines, ReasonNeeded
from recharge.core.forms import RADIO, SeenField
from recharge.limits.services import slow_guard
from recharge.limits.services.rules import face_values

ACCEPTED = ".xlsx,.xls,.et,.ods,.csv,.txt,.tsv"
WORDS = forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})
TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "form-control number"})


class UploadForm(MarkedForm):
    """A sheet, or pasted lines, and what they are about."""

    product = forms.ChoiceField(
        label=gettext_lazy("What is it for?"),
        choices=Product.choices,
        required=False,
        initial=Product.MOBILE,
        widget=forms.RadioSelect(attrs=RADIO),
    )
    file = forms.FileField(
        label=gettext_lazy("Workbook (.xlsx, .xls, .et, .ods) or CSV"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={"class": "form-control drop-zone", "accept": ".xlsx,.xls,.et,.ods,.csv,.txt,.tsv"}
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "form-control number", "rows": 5, "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    value_for_all = forms.IntegerField(
        label=gettext_lazy("Value of lines without one"), required=False, widget=forms.Select()
    )
    purpose_for_all = forms.CharField(
        label=gettext_lazy("Purpose of slow lines without one"), max_length=100, required=False, widget=WORDS
    )
    reference_for_all = forms.CharField(
        label=gettext_lazy("Customer's reference of slow lines without one"),
        max_length=64,
        required=False,
        widget=WORDS,
    )

    def __init__(self, *args: Any, with_oil: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.with_oil = with_oil
        if not with_oil:
            cast(forms.ChoiceField, self.fields["product"]).choices = [(Product.MOBILE.value, Product.MOBILE.label)]

    @property
    def values(self) -> list[tuple[int, list[str]]]:
        """The values that may be chosen for lines without one, each with the products that it is sold of."""
        products = list(Product) if self.with_oil else [Product.MOBILE]
        sold = sorted({value for product in products for value in face_values(product)})
        return [(value, [str(one.label) for one in products if value in face_values(one)]) for value in sold]

    @property
    def asks_purpose(self) -> bool:
        """Whether slow orders of a product that may be chosen need a purpose or a reference."""
        return any(slow_guard.asks(product) for product in (list(Product) if self.with_oil else [Product.MOBILE]))

    def clean_product(self) -> Product:
        return Product(self.cleaned_data["product"] or Product.MOBILE)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MAX_FILE_BYTES:
            most = MAX_FILE_BYTES // 1024 // 1024
            raise forms.ValidationError(_("The file is too large: %(most)s MB at most. Divide it.") % {"most": most})
        return file

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_value_for_all(data)
        if not self.errors:
            if data["file"] and data["text"].strip():
                self.add_error("text", _("Both a file and pasted lines: which of the two? Empty one."))
            elif data["file"] is None and not data["text"].strip():
                self.add_error("file", _("Choose a file, or paste lines below."))
        return data

    def _check_value_for_all(self, data: dict[str, Any]) -> None:
        value, product = data.get("value_for_all"), data.get("product")
        if value is not None and product and value not in face_values(product):
            values = listed(face_values(product))
            self.add_error("value_for_all", _("The face value must be one of %(listed)s.") % {"listed": values})

    @property
    def file_name(self) -> str:
        """The name of the file, "" for pasted lines."""
        return str(self.cleaned_data["file"].name) if self.cleaned_data["file"] else ""

    def content(self) -> bytes:
        """Return the file, or the pasted lines in UTF-8."""
        file = self.cleaned_data["file"]
        return bytes(file.read()) if file else self.cleaned_data["text"].encode("utf-8", "replace")

    def refuse(self, error: Exception) -> None:
        """Show why it can't be read, beside what was given; pasted lines stay."""
        self.add_error("file" if self.cleaned_data["file"] else "text", str(error))


class ColumnsForm(MarkedForm):
    """Which column of a list is which: one choice above each of its columns."""

    def __init__(self, *args: Any, choices: Sequence[Column], proposed: Layout, width: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices = choices
        names = {position: name for name, position in proposed.positions.items()}
        offered = [("", _("not read")), *((column.name, column.title) for column in choices)]
        for position in range(width):
            self.fields[f"column_{position}"] = forms.ChoiceField(
                label=_("Column %(letter)s") % {"letter": letter_of(position)},
                choices=offered,
                required=False,
                initial=names.get(position, ""),
                widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [name for name in data.values() if name]
        if len(set(chosen)) < len(chosen):
            raise forms.ValidationError(_("Two columns can't be the same."))
        return data

    @property
    def positions(self) -> dict[str, int]:
        """Where the person said that our columns are."""
        return {name: int(field.removeprefix("column_")) for field, name in self.cleaned_data.items() if name}

    def refuse(self, error: Exception) -> None:
        self.add_error(None, str(error))


class ScheduleForm(MarkedForm):
    """When a batch goes out."""

    starts_at = forms.DateTimeField(
        label=gettext_lazy("Not before"),
        required=False,
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "form-control number"}
        ),
    )
    hours_from = forms.TimeField(label=gettext_lazy("Each day only from"), required=False, widget=TIME)
    hours_until = forms.TimeField(label=gettext_lazy("and until"), required=False, widget=TIME)

    def clean_starts_at(self) -> dt.datetime | None:
        moment: dt.datetime | None = self.cleaned_data["starts_at"]
        if moment and moment < timezone.now() and "starts_at" in self.changed_data:
            raise forms.ValidationError(_("This moment is over."))
        return moment

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = data.get("hours_from"), data.get("hours_until")
        if (start is None) != (end is None) and not {"hours_from", "hours_until"} & self.errors.keys():
            self.add_error("hours_from" if start is None else "hours_until", _("Hours need a beginning and an end."))
        elif start is not None and start == end:
            self.add_error("hours_until", _("That is the same as the beginning."))
        return data

    @property
    def schedule(self) -> Schedule:
        """What the person said."""
        return Schedule(*(self.cleaned_data[name] for name in ("starts_at", "hours_from", "hours_until")))

    def refuse(self, error: Exception) -> None:
        self.add_error(None, str(error))


class RescheduleForm(ScheduleForm):
    """When a batch goes out that is there already, said by somebody who was shown when it did so far."""

    seen = SeenField()


class MakeForm(ScheduleForm):
    """The form that makes a batch of what was previewed."""

    leave_out_bad = forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"}))
    reason = forms.CharField(
        label=gettext_lazy("Why is that right?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    doubts_seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    orders_seen = SeenField()
    money_seen = SeenField()
    digest_seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, product: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.product = product

    def clean_reason(self) -> str:
        """Leave out every number that may be that of a card or its holder: a reason is kept in clear."""
        reason: str = self.cleaned_data["reason"]
        return scrub(reason, secrets=()) if self.product == Product.OIL else reason

    def clean_doubts_seen(self) -> int:
        return self.cleaned_data["doubts_seen"] or 0

    @property
    def said(self) -> dict[str, Any]:
        """What `make_batch` wants to know."""
        said = {name: self.cleaned_data[name] for name in ("leave_out_bad", "reason", "doubts_seen")}
        shown = Shown(*(self.cleaned_data[name] for name in ("orders_seen", "money_seen", "digest_seen")))
        return {**said, "shown": shown, "schedule": self.schedule}

    def refuse(self, error: Exception) -> None:
        """Show what a service refused; what was filled in stays."""
        fields: dict[type[Exception], str] = {ReasonNeeded: "reason", BadLines: "leave_out_bad"}
        self.add_error(fields.get(type(error)), str(error))


class RemarkForm(ReasonForm):
    """An optional reason for an action."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class ResumeForm(ReasonForm):
    """Why a paused batch may go on, said by somebody who was shown why it is paused."""

    seen = SeenField()


class AgainForm(MarkedForm):
    """The form that places the failed ones again; its nonce makes one batch of it, however often it is sent."""

    nonce = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    orders_seen = SeenField()
    money_seen = SeenField()
