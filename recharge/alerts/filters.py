"""Which alerts are shown."""

from typing import Any

import django_filters as filters
from django.utils.translation import gettext_lazy as _

from recharge.choices import AlertKind
from recharge.models import Alert, AlertQuerySet

OPEN, OVER = "open", "over"


class AlertFilter(filters.FilterSet):
    """By kind, and by whether they hold on."""

    kind = filters.ChoiceFilter(label=_("Kind"), choices=AlertKind.choices, empty_label=_("All"))
    state = filters.ChoiceFilter(
        label=_("State"), choices=[(OPEN, _("Ongoing")), (OVER, _("Over"))], empty_label=_("All"), method="in_state"
    )

    class Meta:
        model = Alert
        fields: list[str] = []

    def in_state(self, alerts: AlertQuerySet, name: str, value: str) -> Any:
        return alerts.open() if value == OPEN else alerts.over()
