"""A batch of orders from one sheet, what it was read from, and its append-only history."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Max, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.kit.fields import EncryptedField
from portal.kit.history import AppendOnly
from recharge.choices import BatchEventKind, BatchState, Brake, Product

UNDER_WAY = (BatchState.CANARY, BatchState.RUNNING)
"""Orders of these go out."""


def is_open(batch: str = "") -> Q:
    """Return what asks whether a batch's orders may go out now, as far as its start and its hours say.

    Args:
        batch: what leads to the batch, e.g. "batch__".
    """
    opened = Q(**{f"{batch}opens_at": None}) | Q(**{f"{batch}opens_at__lte": Now()})
    return opened & (Q(**{f"{batch}closes_at": None}) | Q(**{f"{batch}closes_at__gt": Now()}))


class BatchDraft(models.Model):
    """An uploaded sheet that somebody is looking at before anything is made of it. Deleted after a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    product = models.CharField(max_length=6, choices=Product)
    file_name = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    content = EncryptedField(help_text=_("compressed, in base64; it may hold card numbers"))
    value_for_all = models.PositiveIntegerField(null=True, help_text=_("yuan, for lines without a value"))
    purpose_for_all = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text=_("for slow lines without a purpose")
    )
    reference_for_all = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("for slow lines without a reference")
    )
    columns = models.JSONField(null=True, help_text=_("which column is which, where a person said so"))
    quantities = models.BooleanField(
        default=False, db_default=False, help_text=_("whether a line becomes as many orders as its quantity says")
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        indexes = [models.Index("uploaded_at", name="draft_uploaded_at")]

    def __str__(self) -> str:
        return self.file_name or str(self.id)


class ListReading(models.Model):
    """How far a worker has got with judging a list that is too large for a request, and what came of it."""

    draft = models.OneToOneField(BatchDraft, models.CASCADE, primary_key=True, related_name="reading")
    language = models.CharField(max_length=10, help_text=_("of whoever reads what is wrong with its lines"))
    asked_at = models.DateTimeField(default=timezone.now)
    lines = models.PositiveIntegerField(default=0, help_text=_("judged so far"))
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    judged_at = models.DateTimeField(null=True, help_text=_("when it was over"))
    asks_columns = models.BooleanField(default=False, help_text=_("whether a person has to say which column is which"))
    problem = models.CharField(max_length=300, blank=True, help_text=_("why it can't be read"))
    seen_until = models.BigIntegerField(null=True, help_text=_("key of the latest order when the judging began"))
    result = EncryptedField(default="", help_text=_("compressed, in base64; it may hold phone numbers"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.draft_id)


class ColumnChoice(models.Model):
    """Which column is which in lists of one shape, as a person said. The shape is hashed: it may hold names."""

    product = models.CharField(max_length=6, choices=Product)
    shape = models.CharField(max_length=64)
    positions = models.JSONField(help_text=_("from 0, by our names of the columns"))
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    chosen_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint("product", "shape", name="column_choice_once_for_a_shape")]

    def __str__(self) -> str:
        return self.shape


class BatchQuerySet(models.QuerySet["Batch"]):
    def under_way(self) -> BatchQuerySet:
        """Batches whose orders go out."""
        return self.filter(state__in=UNDER_WAY)

    def awaiting_approval(self) -> BatchQuerySet:
        """Batches that a second person has to approve."""
        return self.filter(state=BatchState.AWAITING_APPROVAL)

    def open_now(self) -> BatchQuerySet:
        """Batches that don't wait for their start, or for the hours that they keep to."""
        return self.filter(is_open())

    def with_last_event(self) -> BatchQuerySet:
        """Read along the key of the last entry of its history, as `last_event`."""
        return self.annotate(last_event=Max("events"))

    def of_file(self, digest: str) -> BatchQuerySet:
        """Batches that were made of exactly this file."""
        return self.filter(digest=digest)


class Batch(models.Model):
    """Orders that were placed together and are handed over together. What became of them, only they tell."""

    nonce = models.UUIDField(unique=True, help_text=_("of the draft, so that one sheet makes one batch"))
    product = models.CharField(_("product"), max_length=6, choices=Product)
    file_name = models.CharField(_("file"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(_("orders"))
    total = models.PositiveBigIntegerField(_("total"), help_text=_("yuan"))
    left_out = models.PositiveIntegerField(_("lines left out"), default=0, help_text=_("since they can't be placed"))
    reason = models.CharField(_("reason"), max_length=200, blank=True, help_text=_("for what looked suspicious"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("made by"), related_name="+", db_index=False
    )
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("approved by"),
        related_name="+",
        db_index=False,
    )
    state = models.CharField(_("state"), max_length=17, choices=BatchState)
    canary_until = models.PositiveIntegerField(
        null=True, help_text=_("line of the last order that goes before the others; none go before where it is empty")
    )
    brake = models.CharField(_("brake"), max_length=16, choices=Brake, blank=True)
    braked_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True, help_text=_("what happened before doesn't brake it again"))
    starts_at = models.DateTimeField(_("starts at"), null=True)
    hours_from = models.TimeField(_("from"), null=True, help_text=_("of each day, in the portal's time zone"))
    hours_until = models.TimeField(_("until"), null=True)
    opens_at = models.DateTimeField(null=True, help_text=_("its orders may go out from then on"))
    closes_at = models.DateTimeField(null=True, help_text=_("and until then; the sweep sets both anew each day"))

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        default_permissions = ("add", "change", "view")
        constraints = [
            # Hours have a beginning and an end, and then the day's have moments.
            models.CheckConstraint(
                name="batch_hours_have_moments",
                condition=Q(hours_from=None, hours_until=None, closes_at=None)
                | Q(hours_from__isnull=False, hours_until__isnull=False, closes_at__gt=F("opens_at"))
                & Q(closes_at__isnull=False, opens_at__isnull=False),
            ),
            models.CheckConstraint(name="batch_state_known", condition=Q(state__in=BatchState.values)),
            # One that was given up while it was being made may have come to nothing.
            models.CheckConstraint(
                name="batch_not_empty", condition=Q(size__gt=0, total__gt=0) | Q(state=BatchState.WITHDRAWN)
            ),
            models.CheckConstraint(
                name="batch_approver_is_another", condition=Q(approved_by=None) | ~Q(approved_by=F("made_by"))
            ),
            models.CheckConstraint(
                name="batch_brake_iff_paused",
                condition=Q(state=BatchState.PAUSED, brake__in=Brake.values, braked_at__isnull=False)
                | ~Q(state=BatchState.PAUSED) & Q(brake="", braked_at=None),
            ),
        ]
        indexes = [
            models.Index("digest", name="batch_digest", condition=~Q(digest="")),
            models.Index(F("state"), F("id").desc(), name="batch_state"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.file_name}".strip()

    @property
    def waits(self) -> bool:
        """Whether it waits for its start or its hours; the same as not `is_open()`, by this machine's clock."""
        now = timezone.now()
        return bool((self.opens_at and self.opens_at > now) or (self.closes_at and self.closes_at <= now))

    @property
    def judged_from(self) -> dt.datetime:
        """The moment from which its orders count for the brake."""
        return self.released_at or self.made_at


class BatchMaking(models.Model):
    """How far a batch has got whose orders are placed piece by piece. Gone once the batch is whole, or given up."""

    batch = models.OneToOneField(Batch, models.CASCADE, primary_key=True, related_name="making")
    draft = models.OneToOneField(BatchDraft, models.PROTECT, null=True, related_name="making")
    again_of = models.ForeignKey(
        Batch,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text=_("the batch whose failed orders are placed anew"),
    )
    awaits_approval = models.BooleanField()
    doubtful = models.JSONField(default=list, help_text=_("lines with doubts that a reason was given for"))
    bad = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        help_text=_("lines that could not be placed when the list was judged, which nobody has agreed to"),
    )
    seen_until = models.BigIntegerField(help_text=_("key of the latest order when the list was judged"))
    position = models.BigIntegerField(
        default=0, help_text=_("the last line, or the key of the last failed order, that is dealt with")
    )
    orders = models.PositiveIntegerField(default=0, help_text=_("placed so far"))
    money = models.PositiveBigIntegerField(default=0, help_text=_("yuan, of these"))
    attempts = models.PositiveSmallIntegerField(default=0, help_text=_("since it got further"))
    lease_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.batch_id)


class LeftOutLines(models.Model):
    """The lines of a batch's sheet of which no orders were made: their fate is told, too."""

    batch = models.OneToOneField(Batch, models.PROTECT, primary_key=True, related_name="+")
    content = EncryptedField(help_text=_("compressed, in base64; it may hold card numbers"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.batch_id)


class BatchEvent(AppendOnly):
    """One entry of a batch's history. Never changed, never deleted."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("event"), max_length=16, choices=BatchEventKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("by"),
        related_name="+",
        db_index=False,
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("batch event")
        verbose_name_plural = _("batch events")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["batch", "id"], name="event_of_batch")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"
