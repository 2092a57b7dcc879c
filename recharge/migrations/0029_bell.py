"""The bell: rules, channels kept in the browser, what people have seen and said."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from recharge.choices import AlertChannelKind, AlertKind, AlertPhase, PortalEventKind

SEE, ACKNOWLEDGE, RULES = ["view_alert"], ["change_alert"], ["change_alertrule", "change_alertchannel"]
MAY = {
    "Operators": SEE + ACKNOWLEDGE,
    "Approvers": SEE + ACKNOWLEDGE,
    "Auditors": SEE,
    "Administrators": SEE + ACKNOWLEDGE + RULES,
}
FOR_ADMINISTRATORS = ("BACKUP", "NEW_DEVICE", "WRONG_PASSWORDS")
"""Kinds of which the bell tells nobody else, until a rule says otherwise."""


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("recharge")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    ours = Permission.objects.filter(content_type__app_label="recharge")
    for name, codenames in MAY.items():
        Group.objects.get_or_create(name=name)[0].permissions.add(*ours.filter(codename__in=codenames))


def narrow(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    AlertRule, Group = apps.get_model("recharge", "AlertRule"), apps.get_model("auth", "Group")
    for kind in FOR_ADMINISTRATORS:
        rule = AlertRule.objects.create(kind=kind, can_wait=kind == "BACKUP")
        rule.groups.add(Group.objects.get(name="Administrators"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("recharge", "0028_views_saved"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertQuietHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begin", models.TimeField(verbose_name="from")),
                ("end", models.TimeField(verbose_name="until")),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AlertReading",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("read_until", models.BigIntegerField(help_text="key of the newest alert that was shown")),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                (
                    "kind",
                    models.CharField(
                        choices=AlertKind.choices, max_length=16, primary_key=True, serialize=False, verbose_name="kind"
                    ),
                ),
                ("on", models.BooleanField(default=True, verbose_name="on")),
                ("threshold", models.PositiveIntegerField(null=True)),
                ("again_after", models.PositiveIntegerField(default=0, help_text="minutes; 0: only once")),
                (
                    "can_wait",
                    models.BooleanField(default=False, help_text="whether it is told after the quiet hours only"),
                ),
            ],
            options={
                "verbose_name": "rule for alerts",
                "default_permissions": ("change",),
            },
        ),
        migrations.AlterModelOptions(
            name="alert",
            options={
                "default_permissions": ("change", "view"),
                "ordering": ["-id"],
                "verbose_name": "alert",
                "verbose_name_plural": "alerts",
            },
        ),
        migrations.AlterModelOptions(
            name="alertchannel",
            options={"default_permissions": ("change",), "ordering": ["id"], "verbose_name": "channel for alerts"},
        ),
        migrations.RemoveConstraint(
            model_name="alert",
            name="alert_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="alertmessage",
            name="alert_message_once",
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledged_at",
            field=models.DateTimeField(null=True, verbose_name="seen at"),
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledged_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="seen by",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledgement",
            field=models.CharField(blank=True, max_length=200, verbose_name="words"),
        ),
        migrations.AddField(
            model_name="alert",
            name="amount",
            field=models.PositiveIntegerField(default=0, help_text="how many it is about, where it may grow"),
        ),
        migrations.AddField(
            model_name="alert",
            name="reminders",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="alert",
            name="told_amount",
            field=models.PositiveIntegerField(default=0, help_text="how many of them were told of"),
        ),
        migrations.AddField(
            model_name="alert",
            name="told_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), help_text="when messages were made last"
            ),
        ),
        migrations.AddField(
            model_name="alertchannel",
            name="from_settings",
            field=models.BooleanField(default=True, help_text="whether ALERT_URLS names it, or did"),
        ),
        migrations.AddField(
            model_name="alertchannel",
            name="kind",
            field=models.CharField(blank=True, choices=AlertChannelKind.choices, max_length=8, verbose_name="kind"),
        ),
        migrations.AddField(
            model_name="alertchannel",
            name="name",
            field=models.CharField(blank=True, max_length=60, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="alertmessage",
            name="number",
            field=models.PositiveIntegerField(default=0, help_text="of reminders, from 1 on"),
        ),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(choices=AlertKind.choices, max_length=16, verbose_name="kind"),
        ),
        # Whatever there is now came from the settings; what is added from now on says so itself.
        migrations.AlterField(
            model_name="alertchannel",
            name="from_settings",
            field=models.BooleanField(default=False, help_text="whether ALERT_URLS names it, or did"),
        ),
        migrations.AlterField(
            model_name="alertchannel",
            name="on",
            field=models.BooleanField(default=True, help_text="switched off, it is sent nothing", verbose_name="on"),
        ),
        migrations.AlterField(
            model_name="alertmessage",
            name="alert",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="recharge.alert",
            ),
        ),
        migrations.AlterField(
            model_name="alertmessage",
            name="phase",
            field=models.CharField(choices=AlertPhase.choices, max_length=7),
        ),
        migrations.AlterField(
            model_name="portalevent",
            name="kind",
            field=models.CharField(choices=PortalEventKind.choices, max_length=24, verbose_name="event"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", AlertKind.values)), name="alert_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("acknowledged_at", None), ("acknowledged_by", None), ("acknowledgement", "")),
                    models.Q(
                        ("acknowledged_at__isnull", False),
                        ("acknowledged_by__isnull", False),
                        models.Q(("acknowledgement", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="alert_acknowledged_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertmessage",
            constraint=models.UniqueConstraint(
                fields=("alert", "channel", "phase", "number"), name="alert_message_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("alert", None), ("phase", "TEST")),
                    models.Q(("alert__isnull", False), models.Q(("phase", "TEST"), _negated=True)),
                    _connector="OR",
                ),
                name="alert_message_test_or_alert",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertquiethours",
            constraint=models.CheckConstraint(condition=models.Q(("pk", 1)), name="alert_quiet_hours_one_row"),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="channels",
            field=models.ManyToManyField(blank=True, related_name="+", to="recharge.alertchannel"),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="auth.group"),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(narrow, migrations.RunPython.noop),
    ]
