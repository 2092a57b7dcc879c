"""What was read by a code that was taught is found, should that be taken back. The index has rows of such codes alone."""

from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0044_exact_readings")]

    operations = [
        AddIndexOnline(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("reported_status__gt", 12)),
                fields=["reported_status", "order"],
                name="event_taught_code",
            ),
        ),
    ]
