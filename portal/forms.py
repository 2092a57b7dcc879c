"""What all forms of the portal do alike."""

from typing import Any

from django import forms


class MarkedForm(forms.Form):
    """A form that shows which of its fields are wrong, those too that a service refuses afterwards."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        for name in self.errors.keys() & self.fields.keys():
            attributes = self.fields[name].widget.attrs
            if "is-invalid" not in attributes.get("class", ""):
                attributes["class"] = f"{attributes.get('class', '')} is-invalid"


class ReasonForm(forms.Form):
    """Why somebody does what only a reason allows."""

    reason = forms.CharField(
        max_length=200,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autofocus": True}),
    )

    def __init__(self, *args: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label

    def refuse(self, error: Exception) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))
