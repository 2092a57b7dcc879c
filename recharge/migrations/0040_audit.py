"""What the audit page shows: what an event of the portal is about, and its details; changes that wait for a second administrator."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("recharge", "0039_slow_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("RIGHTS", "More rights for a person"),
                            ("PASSWORD", "A new password for a person"),
                            ("FACTORS", "New second factors for a person"),
                            ("GROUP", "More rights for a group"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "wanted",
                    models.JSONField(default=dict, help_text="keys of groups and permissions, and flags of the user"),
                ),
                (
                    "password",
                    models.CharField(blank=True, help_text="the hash; empty again once it is decided", max_length=128),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="asked for at"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CONFIRMED", "Confirmed"),
                            ("REFUSED", "Refused"),
                            ("WITHDRAWN", "Withdrawn"),
                            ("EXPIRED", "Expired"),
                        ],
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("words", models.CharField(blank=True, help_text="of who decided", max_length=200)),
            ],
            options={
                "verbose_name": "change of rights",
                "verbose_name_plural": "changes of rights",
                "ordering": ("-id",),
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="portalevent",
            name="about",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="what it was done to, such as order:20261129000000000001 or user:7",
                max_length=64,
                verbose_name="about",
            ),
        ),
        migrations.AddField(
            model_name="portalevent",
            name="details",
            field=models.JSONField(
                help_text="never phone numbers, cards or secrets", null=True, verbose_name="details"
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="asked for by",
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                help_text="nobody where it expired, or was confirmed at the command line",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="auth.group",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="accountchange",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.UniqueConstraint(
                models.F("kind"),
                models.F("user"),
                condition=models.Q(("outcome", "")),
                name="account_change_of_user_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.UniqueConstraint(
                models.F("kind"),
                models.F("group"),
                condition=models.Q(("outcome", "")),
                name="account_change_of_group_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("outcome", "")),
                    models.Q(
                        ("outcome__in", ["CONFIRMED", "REFUSED", "WITHDRAWN", "EXPIRED"]),
                        ("decided_at__isnull", False),
                        ("password", ""),
                    ),
                    _connector="OR",
                ),
                name="account_change_decided_as_a_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "CONFIRMED"), _negated=True),
                    ("decided_by", None),
                    models.Q(
                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                        models.Q(
                            ("user", None), models.Q(("decided_by", models.F("user")), _negated=True), _connector="OR"
                        ),
                    ),
                    _connector="OR",
                ),
                name="account_change_confirmed_by_another",
            ),
        ),
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
                    ("ALERT_RULE", "A rule for alerts was changed"),
                    ("ALERT_CHANNEL", "A channel for alerts was changed"),
                    ("READING", "A reading of the platform's codes and words was changed"),
                    ("NUMBER_LIMIT", "A limit per number was changed"),
                    ("CHECK_MENDED", "A check of the books holds again"),
                    ("OTHER_WAYS", "Orders by other ways than this portal"),
                    ("FACTORS", "Somebody's second factors were changed"),
                    ("SIGNED_IN", "Signed in"),
                    ("SIGNED_OUT", "Signed out"),
                    ("SIGN_IN_FAILED", "A sign-in failed"),
                    ("PASSWORD_CHANGED", "Changed their own password"),
                    ("PASSWORD_SET", "A password was set by another person"),
                    ("USER_ADDED", "A user was added"),
                    ("USER_CHANGED", "A user was changed"),
                    ("GROUP_CHANGED", "A group was changed"),
                    ("CHANGE_ASKED", "A change of rights was asked for"),
                    ("CHANGE_CONFIRMED", "A change of rights was confirmed"),
                    ("CHANGE_REFUSED", "A change of rights was refused or withdrawn"),
                    ("EXPORTED", "A sheet was downloaded"),
                    ("CARD_REVEALED", "A card's data was shown in full"),
                    ("NUMBERS_SHOWN", "Whole phone numbers were shown for printing"),
                    ("SEARCHED", "A list was searched for"),
                    ("APPROVED", "Approved"),
                    ("DISAPPROVED", "Disapproved"),
                    ("STOPPED", "Everything was stopped"),
                    ("WENT_ON", "The emergency stop was ended"),
                ],
                max_length=24,
                verbose_name="event",
            ),
        ),
    ]
