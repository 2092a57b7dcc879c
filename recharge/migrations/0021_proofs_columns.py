"""What a second person needs to approve a replacement before the refund: proof of the failure, and who declared."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recharge", "0020_desk")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="failure_confirmed_at",
            field=models.DateTimeField(
                help_text="when the platform's own answer first said that it failed or was cancelled; it stays",
                null=True,
                verbose_name="failure confirmed at",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="proof",
            field=models.ForeignKey(
                db_index=False,
                help_text="of a replacement: the answer that confirmed the original's failure, as its approver named it",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="recharge.orderevent",
                verbose_name="proof",
            ),
        ),
    ]
