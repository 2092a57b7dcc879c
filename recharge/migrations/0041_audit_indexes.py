"""The audit page finds events by person, by what they are about, and by date."""

from django.db import migrations, models

from portal.kit.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0040_audit")]

    operations = [
        AddIndexOnline(
            model_name="portalevent",
            index=models.Index(
                condition=models.Q(("actor__isnull", False)), fields=["actor", "id"], name="portal_event_actor"
            ),
        ),
        AddIndexOnline(
            model_name="portalevent",
            index=models.Index(
                condition=models.Q(("about", ""), _negated=True), fields=["about", "id"], name="portal_event_about"
            ),
        ),
        AddIndexOnline(
            model_name="portalevent",
            index=models.Index(fields=["at", "id"], name="portal_event_at"),
        ),
    ]
