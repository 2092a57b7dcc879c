"""What administrators taught the portal about the platform's codes and words."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Least, Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from portal.kit.database import from_now
from recharge.choices import RefusalMeaning
from recharge.status import Status

SETTLED_AFTER = dt.timedelta(minutes=2)
"""Longer than any transaction: what was judged without it, as it came into force, is stored by then, and found."""

REFUSAL_CODE_LENGTH = 50

HARMLESS = (RefusalMeaning.UNCLEAR, RefusalMeaning.DUPLICATE)
"""Nothing is dead by them; what was refused comes into doubt."""

DECIDED = Q(decided_by=None, decided_at=None, agreed=None) | Q(
    decided_by__isnull=False, decided_at__isnull=False, agreed__isnull=False
)


class ReadingQuerySet(models.QuerySet["Reading"]):
    def waiting(self) -> ReadingQuerySet:
        """Those about which a second administrator has to decide: to teach them, or to take them back."""
        return self.live().filter(Q(agreed=None) | Q(removal_asked_by__isnull=False))

    def in_force(self) -> ReadingQuerySet:
        """Those that the platform's words are read by."""
        return self.filter(agreed=True, removed_at=None)

    def live(self) -> ReadingQuerySet:
        """Those in force, and those that may come to be."""
        return self.filter(Q(agreed=None) | Q(agreed=True, removed_at=None))

    def to_apply(self) -> ReadingQuerySet:
        """Those by which the stored evidence has yet to be read anew: at once, and once more some minutes later.

        A code that is taken back is among them: what rests on it is brought into doubt.
        """
        settled = Q(removed_at=None, decided_at__lt=from_now(-SETTLED_AFTER)) | Q(
            removed_at__lt=from_now(-SETTLED_AFTER)
        )
        counts = Q(removed_at=None) | Q(code__isnull=False)
        return self.filter(counts, Q(rounds=0) | Q(rounds=1) & settled, agreed=True)

    def read_again_from(self, order_id: int) -> None:
        """Have those that bring orders into doubt read the evidence once more, from an order on.

        They left alone what had been placed again, since a later attempt may have spent money. That one is dead now.

        Args:
            order_id: the first attempt's key, before which nothing has changed.
        """
        doubting = Q(removed_at=None, means__in=HARMLESS) | Q(removed_at__isnull=False, code__isnull=False)
        before = Value(order_id - 1, output_field=models.BigIntegerField())
        self.filter(doubting, agreed=True).update(
            rounds=0,
            applied_to=Case(When(rounds__gte=2, then=before), default=Least(F("applied_to"), before)),
        )


class Reading(models.Model):
    """What a code, or the words of a refusal, mean: taught by one administrator, in force once another has agreed."""

    code = models.PositiveIntegerField(_("code"), null=True)
    means_status = models.PositiveIntegerField(_("meaning"), choices=Status, null=True)
    words = models.CharField(_("words"), max_length=200, blank=True, help_text="as `readings.key_of` makes them")
    refusal_code = models.CharField(
        max_length=REFUSAL_CODE_LENGTH, blank=True, db_default="", help_text="of the refusal; empty: whatever it is"
    )
    exact = models.BooleanField(
        db_default=False, help_text="whether a number in the words stands for itself, and not for any number"
    )
    means = models.CharField(_("meaning"), max_length=13, choices=RefusalMeaning, blank=True)
    reason = models.CharField(_("reason"), max_length=200)

    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)

    removal_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    removal_reason = models.CharField(max_length=200, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    removed_at = models.DateTimeField(null=True)

    rounds = models.PositiveSmallIntegerField(default=0, help_text="how often all stored evidence was read anew")
    applied_to = models.BigIntegerField(default=0, help_text="the order that the present round has come to")
    changed = models.PositiveIntegerField(default=0, help_text="how many orders that changed")

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("taught reading")
        verbose_name_plural = _("taught readings")
        ordering = ("id",)
        default_permissions = ("view",)
        permissions = (("teach_reading", _("Can teach what the platform's codes and words mean")),)
        constraints = (
            models.CheckConstraint(
                name="reading_of_code_or_words",
                condition=Q(code__isnull=False, means_status__isnull=False, words="", means="")
                | Q(code=None, means_status=None, means__in=RefusalMeaning.values) & ~Q(words=""),
            ),
            # A code that is known has its meaning already.
            models.CheckConstraint(name="reading_of_unknown_code", condition=Q(code=None) | ~Q(code__in=Status.values)),
            models.CheckConstraint(name="reading_decided_as_a_whole", condition=DECIDED),
            # Four eyes, both when it is taught and when it is taken back.
            models.CheckConstraint(
                name="reading_decided_by_another", condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="reading_removed_by_another",
                condition=Q(removed_by=None, removed_at=None)
                | Q(removed_by__isnull=False, removed_at__isnull=False, removal_asked_by__isnull=False)
                & ~Q(removed_by=F("removal_asked_by")),
            ),
            # One meaning at a time.
            models.UniqueConstraint(
                "code",
                name="reading_of_code_once",
                condition=Q(code__isnull=False, removed_at=None) & (Q(agreed=None) | Q(agreed=True)),
            ),
            models.UniqueConstraint(
                "words",
                "refusal_code",
                name="reading_of_refusal_once",
                condition=Q(code=None, removed_at=None) & (Q(agreed=None) | Q(agreed=True)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} → {self.meaning}"

    @property
    def subject(self) -> str:
        """The code or the words that it is about, for people."""
        if self.code is not None:
            return str(_("Code %(code)s") % {"code": self.code})
        return f"{self.refusal_code} “{self.words}”".lstrip()

    @property
    def meaning(self) -> str:
        """What they mean, for people."""
        return str(self.get_means_status_display() if self.code is not None else self.get_means_display())

    @cached_property
    def taught_again_at(self) -> dt.datetime | None:
        """Since when the same code means something once more; None where it doesn't, or was never taken back."""
        if self.removed_at is None:
            return None
        later = Reading.objects.filter(code=self.code, agreed=True, decided_at__gt=self.removed_at)
        return later.order_by("decided_at").values_list("decided_at", flat=True).first()

    @property
    def is_exact(self) -> bool:
        """Whether its words are compared number by number; words without one always are."""
        return self.exact or "0" not in self.words

    @property
    def is_void(self) -> bool:
        """Whether it can't hold: nobody knows which number was meant by words that would make orders dead."""
        return self.code is None and not self.is_exact and not self.is_harmless

    @property
    def is_harmless(self) -> bool:
        """Whether nothing is dead by it: it holds for the words whatever code stands beside them."""
        return self.means in HARMLESS
