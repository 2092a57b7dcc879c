"""`OilCard.deed` is called `action`. Its column keeps its name, so the database has nothing to do."""

from django.db import migrations, models

THERE = models.Q(state__in=["ACTIVE", "CHANGING", "CHANGE_FAILED", "DELETING"]) | models.Q(
    action__in=["CHANGE", "DELETE"], state="UNKNOWN"
)
NOT_THERE = models.Q(state__in=["ADDING", "ADD_FAILED"]) | models.Q(action="ADD", state="UNKNOWN")


class Migration(migrations.Migration):
    dependencies = [("oilcards", "0003_restored")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("oilcard", "oilcard_platform_id_where_it_is_there"),
                migrations.RemoveConstraint("oilcard", "oilcard_deed_where_under_way"),
                migrations.RenameField("oilcard", "deed", "action"),
                migrations.AlterField(
                    "oilcard",
                    "action",
                    models.CharField(
                        "under way",
                        blank=True,
                        choices=[("ADD", "Add"), ("CHANGE", "Change"), ("DELETE", "Delete")],
                        db_column="deed",
                        max_length=6,
                    ),
                ),
                migrations.AlterField(
                    "oilcard",
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="counts the actions; an answer to an older one is late"
                    ),
                ),
                migrations.AddConstraint(
                    "oilcard",
                    models.CheckConstraint(
                        condition=models.Q(
                            THERE,
                            ("platform_card_id__isnull", False),
                            models.Q(("platform_card_id", ""), _negated=True),
                        )
                        | models.Q(NOT_THERE, ("platform_card_id", None))
                        | models.Q(state="DELETED"),
                        name="oilcard_platform_id_where_it_is_there",
                    ),
                ),
                migrations.AddConstraint(
                    "oilcard",
                    models.CheckConstraint(
                        condition=models.Q(action="ADD", state="ADDING")
                        | models.Q(action="CHANGE", state="CHANGING")
                        | models.Q(action="DELETE", state="DELETING")
                        | models.Q(action__in=["ADD", "CHANGE", "DELETE"], state="UNKNOWN")
                        | models.Q(
                            models.Q(("state__in", ["ADDING", "CHANGING", "DELETING", "UNKNOWN"]), _negated=True),
                            ("action", ""),
                        ),
                        name="oilcard_deed_where_under_way",
                    ),
                ),
            ],
        ),
    ]
