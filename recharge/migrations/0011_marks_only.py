"""Indexes and checks over marks and chains, without a long lock, and the end of the single mark."""

from django.db import migrations, models

from portal.kit.online_migrations import AddCheckOnline, AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("recharge", "0010_marks_from_attention")]

    operations = [
        migrations.RemoveConstraint(
            model_name="order",
            name="order_has_a_next_step",
        ),
        migrations.RemoveIndex(
            model_name="order",
            name="order_attention",
        ),
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("open_marks__gt", 0)),
                name="order_marked",
            ),
        ),
        AddIndexOnline(
            model_name="order",
            index=models.Index(
                models.F("first_attempt"), condition=models.Q(("first_attempt__isnull", False)), name="order_chain"
            ),
        ),
        AddCheckOnline(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("settled_at__isnull", False),
                    ("submission__in", ["AWAITING_APPROVAL", "QUEUED", "SUBMITTING"]),
                    ("next_check_at__isnull", False),
                    ("open_marks__gt", 0),
                    _connector="OR",
                ),
                name="order_has_a_next_step",
            ),
        ),
        AddCheckOnline(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first_attempt", None), ("replaces", None)),
                    models.Q(("first_attempt__isnull", False), ("replaces__isnull", False)),
                    _connector="OR",
                ),
                name="order_chain_iff_replacement",
            ),
        ),
        migrations.RemoveField(
            model_name="order",
            name="attention",
        ),
    ]
