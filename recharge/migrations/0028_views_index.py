"""What was settled in a period is found by an index."""

from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0027_refund_claims")]

    operations = [
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("settled_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("settled_at__isnull", False)),
                name="order_settled",
            ),
        ),
    ]
