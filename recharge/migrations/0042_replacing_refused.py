"""SQLite's history can't be replaced either: the trigger for that is made after `migrate`, without which nothing starts."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("recharge", "0041_audit_indexes")]

    operations = []
