"""Orders that are known to have failed keep since when; a proof is named by an approver alone."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from portal.kit.online_migrations import AddCheckOnline


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Found by the index of what is owed: a few thousand rows at most."""
    failed = apps.get_model("recharge", "Order").objects.filter(status__in=[3, 9], confirmed_at__isnull=False)
    failed.update(failure_confirmed_at=models.F("confirmed_at"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0021_proofs_columns")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        AddCheckOnline(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proof", None),
                    models.Q(("approved_by__isnull", False), ("replaces__isnull", False)),
                    _connector="OR",
                ),
                name="order_proof_is_approved",
            ),
        ),
    ]
