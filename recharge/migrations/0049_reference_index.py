"""Orders are found by the customer's reference."""

from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0048_bad_lines_of_batches")]

    operations = [
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.F("reference"),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("reference", ""), _negated=True),
                name="order_reference",
            ),
        ),
    ]
