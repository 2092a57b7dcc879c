"""Who may see the accounts at the platform and the portal's own history, and who may confirm an account."""

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GROUPS = {
    "Approvers": ["view_account", "view_mark"],
    "Operators": ["view_mark"],
    "Auditors": ["view_account", "view_mark", "view_portalevent"],
    "Administrators": ["view_account", "change_account", "view_mark", "view_portalevent"],
}


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("recharge")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        for codename in permissions:
            group.permissions.add(Permission.objects.get(content_type__app_label="recharge", codename=codename))


class Migration(migrations.Migration):
    dependencies = [("recharge", "0011_marks_only")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
