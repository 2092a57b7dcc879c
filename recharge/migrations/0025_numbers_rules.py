"""What is known of prefixes, as data."""

import django.core.validators
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

THINGS, VIRTUAL, DATA = (
    "物联网号段，不能充值。",
    "虚拟运营商号段，不能充值。",
    "曾用作上网卡，现在也有语音号码。",
)
SEEDS = {
    **dict.fromkeys(("140", "141", "144", "146", "148", "149"), ("REFUSE", THINGS)),
    **dict.fromkeys(("162", "165", "167", "170", "171"), ("REFUSE", VIRTUAL)),
    **dict.fromkeys(("145", "147"), ("WARN", DATA)),
    **dict.fromkeys(
        (
            *("130", "131", "132", "133", "134", "135", "136", "137", "138", "139"),
            *("150", "151", "152", "153", "155", "156", "157", "158", "159", "166"),
            *("173", "175", "176", "177", "178"),
            *("180", "181", "182", "183", "184", "185", "186", "187", "188", "189"),
            *("190", "191", "192", "193", "195", "196", "197", "198", "199"),
        ),
        ("ALLOW", ""),
    ),
}


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    NumberRule = apps.get_model("recharge", "NumberRule")
    NumberRule.objects.bulk_create(
        NumberRule(prefix=prefix, verdict=verdict, reason=reason) for prefix, (verdict, reason) in SEEDS.items()
    )


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions only after the last migration; groups need them now.
    config = apps.get_app_config("recharge")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    of_rules = Permission.objects.filter(content_type__app_label="recharge", codename__endswith="_numberrule")
    Group.objects.get_or_create(name="Administrators")[0].permissions.add(*of_rules)
    Group.objects.get_or_create(name="Auditors")[0].permissions.add(of_rules.get(codename="view_numberrule"))


class Migration(migrations.Migration):
    dependencies = [
        ("recharge", "0024_numbers_batches_in_pieces"),
    ]

    operations = [
        migrations.AlterField(
            model_name="portalevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ACCOUNT_SEEN", "A new account at the platform was set"),
                    ("ACCOUNT_CONFIRMED", "An account at the platform was confirmed"),
                    ("ACCOUNT_SAME", "Two accounts were declared to be the same"),
                    ("GUARD_CLOSED", "The restore guard was closed"),
                    ("RESTORED", "Put in order after a restored backup"),
                    ("BELONG_TOGETHER", "Database and generation were declared to belong together"),
                    ("BACKED_UP", "A backup was made"),
                    ("CHECK_BROKEN", "A check of the books is broken"),
                    ("NUMBER_RULE", "A number rule was changed"),
                    ("CHECK_MENDED", "A check of the books holds again"),
                ],
                max_length=24,
                verbose_name="event",
            ),
        ),
        migrations.CreateModel(
            name="NumberRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "prefix",
                    models.CharField(
                        max_length=11,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^1[0-9]{0,10}\\Z", "1 to 11 digits, the first one a 1."
                            )
                        ],
                        verbose_name="prefix or whole number",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("REFUSE", "Refuse"), ("WARN", "Ask once more"), ("ALLOW", "Allow")],
                        max_length=6,
                        verbose_name="what to do",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        help_text="Whoever places an order is shown it.",
                        max_length=200,
                        verbose_name="reason",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "number rule",
                "verbose_name_plural": "number rules",
                "ordering": ["prefix"],
                "default_permissions": ("add", "change", "delete", "view"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["REFUSE", "WARN", "ALLOW"])),
                        name="number_rule_verdict_known",
                    )
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
