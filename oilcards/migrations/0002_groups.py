"""What the groups of staff may do with cards. Administrators may change it later."""

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GROUPS = {
    "Operators": ["view_oilcard", "view_oilcardevent", "add_oilcard", "change_oilcard"],
    "Auditors": ["view_oilcard", "view_oilcardevent"],
    "Administrators": [
        "view_oilcard",
        "view_oilcardevent",
        "add_oilcard",
        "change_oilcard",
        "delete_oilcard",
        "reveal_oilcard",
    ],
}


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("oilcards")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        for codename in permissions:
            group.permissions.add(Permission.objects.get(content_type__app_label="oilcards", codename=codename))


class Migration(migrations.Migration):
    dependencies = [
        ("oilcards", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
