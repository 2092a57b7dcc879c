"""Cases of the desk: who looks after an order that needs a person, and an index for what is on the desk."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline
from recharge.choices import EventKind


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("recharge", "0019_owed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="case",
                        serialize=False,
                        to="recharge.order",
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="looked after by",
                    ),
                ),
                ("look_again_at", models.DateTimeField(null=True, verbose_name="look again at")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="latest note")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={"verbose_name": "case", "verbose_name_plural": "cases", "default_permissions": ("view",)},
        ),
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(choices=EventKind.choices, max_length=16, verbose_name="event"),
        ),
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(
                    ("open_marks__gt", 0),
                    ("submission", "UNKNOWN"),
                    ("status__in", [3, 9, 10, 11]),
                    models.Q(("confirmed_at", None), ("status", 4)),
                    _connector="OR",
                ),
                name="order_case",
            ),
        ),
    ]
