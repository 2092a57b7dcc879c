"""What administrators teach about the platform's codes and words, and the mark of what one witness alone told."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from portal.kit.online_migrations import AddCheckOnline, AddIndexOnline
from recharge.choices import EventKind, MarkKind, PortalEventKind, RefusalMeaning
from recharge.status import Status


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("recharge")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    of_readings = Permission.objects.filter(content_type__app_label="recharge", codename__endswith="_reading")
    Group.objects.get_or_create(name="Administrators")[0].permissions.add(*of_readings)
    Group.objects.get_or_create(name="Auditors")[0].permissions.add(of_readings.get(codename="view_reading"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("recharge", "0031_outages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.PositiveIntegerField(null=True, verbose_name="code")),
                (
                    "means_status",
                    models.PositiveIntegerField(choices=Status.choices, null=True, verbose_name="meaning"),
                ),
                (
                    "words",
                    models.CharField(
                        blank=True, help_text="as `readings.key_of` makes them", max_length=200, verbose_name="words"
                    ),
                ),
                (
                    "means",
                    models.CharField(blank=True, choices=RefusalMeaning.choices, max_length=13, verbose_name="meaning"),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("proposed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("decided_at", models.DateTimeField(null=True)),
                ("agreed", models.BooleanField(null=True)),
                ("removal_reason", models.CharField(blank=True, max_length=200)),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "rounds",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="how often all stored evidence was read anew"
                    ),
                ),
                (
                    "applied_to",
                    models.BigIntegerField(default=0, help_text="the order that the present round has come to"),
                ),
                ("changed", models.PositiveIntegerField(default=0, help_text="how many orders that changed")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "removal_asked_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "taught reading",
                "verbose_name_plural": "taught readings",
                "ordering": ("id",),
                "permissions": (("teach_reading", "Can teach what the platform's codes and words mean"),),
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="mark",
            name="mark_kind_known",
        ),
        migrations.AlterField(
            model_name="mark",
            name="kind",
            field=models.CharField(choices=MarkKind.choices, max_length=16, verbose_name="kind"),
        ),
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(choices=EventKind.choices, max_length=16, verbose_name="event"),
        ),
        migrations.AlterField(
            model_name="portalevent",
            name="kind",
            field=models.CharField(choices=PortalEventKind.choices, max_length=24, verbose_name="event"),
        ),
        AddIndexOnline(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("verdict", "unknown_code")),
                fields=["reported_status", "order"],
                name="event_unknown_code",
            ),
        ),
        AddCheckOnline(
            model_name="mark",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", MarkKind.values)), name="mark_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code__isnull", False), ("means", ""), ("means_status__isnull", False), ("words", "")),
                    models.Q(
                        ("code", None),
                        ("means__in", RefusalMeaning.values),
                        ("means_status", None),
                        models.Q(("words", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="reading_of_code_or_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("code", None), models.Q(("code__in", Status.values), _negated=True), _connector="OR"
                ),
                name="reading_of_unknown_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agreed", None), ("decided_at", None), ("decided_by", None)),
                    models.Q(("agreed__isnull", False), ("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="reading_decided_as_a_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="reading_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("removed_at", None), ("removed_by", None)),
                    models.Q(
                        ("removal_asked_by__isnull", False),
                        ("removed_at__isnull", False),
                        ("removed_by__isnull", False),
                        models.Q(("removed_by", models.F("removal_asked_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="reading_removed_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                models.F("code"),
                condition=models.Q(
                    ("code__isnull", False),
                    ("removed_at", None),
                    models.Q(("agreed", None), ("agreed", True), _connector="OR"),
                ),
                name="reading_of_code_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                models.F("words"),
                condition=models.Q(
                    ("code", None), ("removed_at", None), models.Q(("agreed", None), ("agreed", True), _connector="OR")
                ),
                name="reading_of_words_once",
            ),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
