"""Words that are taught keep their numbers and their code; those taught before keep what is certain of them.

Until now any run of digits in the words stood for all, and the code beside them counted for nothing. The words as they
came are not kept, so that nobody can say which number two persons had before their eyes. Hence, of the rows that there
are (all get `exact` false, `refusal_code` empty):

- words without a number mean what they meant: they read the same by both ways;
- words with a number that say “unclear” or “exists already” hold for any number, as before: that is the safe side;
- words with a number that make a definite no, “no such order” or “no such interface” hold no longer; the page says so.

Nothing is lost, and the table has a few rows: a lock on it is over at once.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recharge", "0043_outside_identities")]

    operations = [
        migrations.AddField(
            model_name="reading",
            name="exact",
            field=models.BooleanField(
                db_default=False, help_text="whether a number in the words stands for itself, and not for any number"
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="refusal_code",
            field=models.CharField(
                blank=True, db_default="", help_text="of the refusal; empty: whatever it is", max_length=50
            ),
        ),
        migrations.RemoveConstraint(model_name="reading", name="reading_of_words_once"),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                models.F("words"),
                models.F("refusal_code"),
                condition=models.Q(
                    ("code", None),
                    ("removed_at", None),
                    models.Q(("agreed", None), ("agreed", True), _connector="OR"),
                ),
                name="reading_of_refusal_once",
            ),
        ),
    ]
