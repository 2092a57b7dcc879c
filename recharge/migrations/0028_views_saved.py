"""Views of lists that people save, and who may share them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("recharge")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    permission = Permission.objects.get(content_type__app_label="recharge", codename="share_savedview")
    Group.objects.get_or_create(name="Administrators")[0].permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("recharge", "0028_views_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "page",
                    models.CharField(
                        choices=[("orders", "Orders"), ("desk", "Attention")], max_length=6, verbose_name="list"
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                ("shared", models.BooleanField(default=False, help_text="everybody sees it", verbose_name="shared")),
                (
                    "query",
                    models.JSONField(
                        default=dict,
                        help_text="names of filters, with their values; never words that were searched for",
                    ),
                ),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "permissions": [("share_savedview", "Can share views of lists with everybody")],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("page"),
                        models.F("name"),
                        condition=models.Q(("shared", True)),
                        name="saved_view_once_shared",
                    ),
                    models.UniqueConstraint(
                        models.F("owner"), models.F("page"), models.F("name"), name="saved_view_once_a_person"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("page__in", ["orders", "desk"])), name="saved_view_page_known"
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
