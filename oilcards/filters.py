"""Finding cards. What is looked for stands in the address, so it is never more than the last four digits."""

import django_filters as filters
from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from .choices import CardType, State
from .models import OilCard, OilCardQuerySet

ATTENTION, EVERYTHING = "attention", "all"


class CardFilter(filters.FilterSet):
    last_four = filters.CharFilter(
        label=_("Last four digits"),
        max_length=4,
        validators=[RegexValidator(r"\A[0-9]*\Z", _("Enter digits only."))],
        lookup_expr="endswith",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "4567"}),
    )
    state = filters.ChoiceFilter(
        label=_("State"),
        choices=[
            (ATTENTION, _("Everything that needs a person")),
            (EVERYTHING, _("All, deleted ones too")),
            *State.choices,
        ],
        empty_label=_("All but deleted ones"),
        method="in_state",
    )
    card_type = filters.ChoiceFilter(label=_("Card type"), choices=CardType.choices, empty_label=_("All"))

    class Meta:
        model = OilCard
        fields: list[str] = []

    def in_state(self, cards: OilCardQuerySet, name: str, value: str) -> OilCardQuerySet:
        if value == ATTENTION:
            return cards.needing_attention()
        return cards if value == EVERYTHING else cards.filter(state=value)

    def filter_queryset(self, queryset: OilCardQuerySet) -> OilCardQuerySet:
        cards: OilCardQuerySet = super().filter_queryset(queryset)
        return cards if self.form.cleaned_data.get("state") else cards.in_the_book()
