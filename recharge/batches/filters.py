"""Finding batches among many: by state, by who made them, by date, by words of the file's name."""

import datetime as dt

import django_filters as filters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from recharge.choices import BatchState
from recharge.core.periods import midnight
from recharge.models import Batch
from recharge.orders.filters import PersonFilter, choice, date


class BatchFilter(filters.FilterSet):
    """By what the list shows of a batch."""

    state = choice(_("State"), BatchState.choices)
    made_by = PersonFilter(label=_("Made by"), queryset=User.objects.order_by("username"), empty_label=_("All"))
    made_from = date(_("From"))
    made_to = date(_("To"))
    file_name = filters.CharFilter(label=_("File"), lookup_expr="icontains", max_length=80)

    class Meta:
        model = Batch
        fields: list[str] = []

    def leave_to_filter_queryset(self, batches: QuerySet[Batch], name: str, value: dt.date) -> QuerySet[Batch]:
        """Both dates make one range, see below."""
        return batches

    def filter_queryset(self, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        batches: QuerySet[Batch] = super().filter_queryset(queryset)
        first, last = (self.form.cleaned_data.get(name) for name in ("made_from", "made_to"))
        if first:
            batches = batches.filter(made_at__gte=midnight(first))
        if last:
            batches = batches.filter(made_at__lt=midnight(last + dt.timedelta(days=1)))
        return batches
