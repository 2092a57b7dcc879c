"""What the platform owes is found by an index."""

from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0018_lists_as_people_have_them")]

    operations = [
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(
                    ("status__in", [3, 9, 10, 11]), models.Q(("confirmed_at", None), ("status", 4)), _connector="OR"
                ),
                name="order_owed",
            ),
        ),
    ]
