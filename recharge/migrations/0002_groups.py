"""The groups that staff belong to. Administrators may change them later; nothing in the code depends on their names."""

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GROUPS = {
    "Operators": ["recharge.view_order", "recharge.view_orderevent", "recharge.add_order", "recharge.change_order"],
    "Auditors": ["recharge.view_order", "recharge.view_orderevent", "recharge.see_numbers", "recharge.export_order"],
    "Administrators": [
        "recharge.view_order",
        "recharge.view_orderevent",
        "recharge.add_order",
        "recharge.change_order",
        "recharge.see_numbers",
        "recharge.export_order",
        "auth.add_user",
        "auth.change_user",
        "auth.view_user",
        "auth.add_group",
        "auth.change_group",
        "auth.view_group",
    ],
}


def create_groups(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _create_permissions(apps, ["auth", "contenttypes", "recharge"])
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        for permission in permissions:
            label, codename = permission.split(".")
            group.permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))


def _create_permissions(apps: Apps, labels: list[str]) -> None:
    """Django makes permissions only after the last migration; groups need them now."""
    for label in labels:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("recharge", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
