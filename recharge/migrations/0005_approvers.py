"""Who may approve what others placed, and who may make batches. Administrators may change it later."""

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GROUPS = {
    "Approvers": [
        "view_order",
        "view_orderevent",
        "view_batch",
        "view_batchevent",
        "view_emergencystop",
        "change_order",
        "change_batch",
        "approve_order",
        "see_numbers",
    ],
    "Operators": ["view_batch", "view_batchevent", "view_emergencystop", "add_batch", "change_batch"],
    "Auditors": ["view_batch", "view_batchevent", "view_emergencystop"],
    "Administrators": [
        "view_batch",
        "view_batchevent",
        "view_emergencystop",
        "add_batch",
        "change_batch",
        "approve_order",
    ],
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
    dependencies = [("recharge", "0004_batches")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
