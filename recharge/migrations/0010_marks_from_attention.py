"""Today's single mark of an order becomes rows, those that it had overwritten with it; facts and chains are filled in."""

from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

# As they were when this was written: a migration must not follow later changes of the code.
BITS = {
    "CONFLICT": 1,
    "UNKNOWN_CODE": 2,
    "UNEXPECTED": 4,
    "NUMBER_TAKEN": 8,
    "REVERSED": 16,
    "PARTLY_ARRIVED": 32,
    "OVERDUE": 64,
}
SIGNS_OF_LIFE = {"CONFLICT", "UNEXPECTED", "NUMBER_TAKEN"}
OVERWRITING = {"UNKNOWN_CODE", "REVERSED", "PARTLY_ARRIVED", "OVERDUE"}
"""What could replace another mark without leaving a trace of it in the order's row."""
DEAD = ("REJECTED", "NOT_RECEIVED", "WITHDRAWN")
REFUNDED, REVERSED, PARTLY_ARRIVED = 4, 10, 11
OF_STATUS = {"REVERSED": REVERSED, "PARTLY_ARRIVED": PARTLY_ARRIVED}
AT_A_TIME = 500


def make_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make a row of each mark, and of each that the history tells of and that was overwritten."""
    order_model, mark_model = apps.get_model("recharge", "Order"), apps.get_model("recharge", "Mark")
    for order in order_model.objects.exclude(attention="").order_by("pk").iterator(AT_A_TIME):
        marks = [
            mark_model(order=order, kind=kind, event=event, since=event.at if event else order.placed_at)
            for kind, event in _marks_of(apps, order)
        ]
        mark_model.objects.bulk_create(marks)
        kinds = {mark.kind for mark in marks}
        doubtful = kinds & SIGNS_OF_LIFE
        if order.submission in DEAD or (order.status == REFUNDED and order.confirmed_at):
            doubtful |= kinds & {"UNKNOWN_CODE"}
        order_model.objects.filter(pk=order.pk).update(
            open_marks=sum(BITS[kind] for kind in kinds), doubts=sum(BITS[kind] for kind in doubtful)
        )


def _marks_of(apps: Apps, order: Any) -> Iterator[tuple[str, Any]]:
    """Yield the kinds of an order's marks, each with the event that raised it as far as the history shows that."""
    events = apps.get_model("recharge", "OrderEvent").objects.filter(order=order).order_by("-pk")
    done = events.filter(kind="ACKNOWLEDGED").values_list("pk", flat=True).first() or 0
    since = events.filter(pk__gt=done)
    yield order.attention, _raised_by(since, order.attention)
    if order.attention in OVERWRITING:
        conflict = since.filter(verdict="conflict").first()
        if conflict:
            yield "CONFLICT", conflict
    for kind, status in OF_STATUS.items():
        event = since.filter(status_to=status, verdict="applied").first()
        if event and kind != order.attention:
            yield kind, event


def _raised_by(events: Any, kind: str) -> Any:
    if kind in OF_STATUS:
        return events.filter(status_to=OF_STATUS[kind], verdict="applied").first()
    if kind == "OVERDUE":
        return events.filter(kind="QUERIED").first()
    return events.filter(verdict="unknown_code" if kind == "UNKNOWN_CODE" else "conflict").first()


def note_partial_arrivals(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Once the platform said that a part arrived, it stays true: in its code, or by an amount."""
    order_model, event_model = apps.get_model("recharge", "Order"), apps.get_model("recharge", "OrderEvent")
    said = event_model.objects.filter(Q(status_to=PARTLY_ARRIVED) | Q(reported_status=PARTLY_ARRIVED))
    by_amount = Q(credited_amount__gt=0, credited_amount__lt=F("face_value"))
    by_code = Q(status=PARTLY_ARRIVED) | Q(pk__in=said.order_by().values("order"))
    order_model.objects.filter(by_amount | by_code).update(part_arrived=True)


def link_chains(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let each replacement know the first attempt of its chain, one attempt after the other."""
    orders = apps.get_model("recharge", "Order").objects
    parent = orders.filter(pk=OuterRef("replaces"))
    unlinked = orders.filter(replaces__isnull=False, first_attempt=None)
    while True:
        ready = unlinked.filter(Q(replaces__replaces=None) | Q(replaces__first_attempt__isnull=False))
        keys = list(ready.values_list("pk", flat=True)[:AT_A_TIME])
        if not keys:
            return
        first = parent.annotate(first=Coalesce("first_attempt", "pk")).values("first")
        orders.filter(pk__in=keys).update(first_attempt=Subquery(first))


class Migration(migrations.Migration):
    dependencies = [("recharge", "0009_marks_and_accounts")]

    operations = [
        migrations.RunPython(make_rows, migrations.RunPython.noop),
        migrations.RunPython(note_partial_arrivals, migrations.RunPython.noop),
        migrations.RunPython(link_chains, migrations.RunPython.noop),
    ]
