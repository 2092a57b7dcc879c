"""What the search looks orders up by."""

import django.db.models.functions.text
from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0016_who_sees_checks")]

    operations = [
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                django.db.models.functions.text.Right("mobile", 4),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("mobile", ""), _negated=True),
                name="order_mobile_end",
            ),
        ),
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("note", ""), _negated=True),
                name="order_noted",
            ),
        ),
    ]
