"""The order, the one table of both products.

Rows of `Order` are written by the rooms' services alone. What must never be is forbidden by the database itself:
see the constraints.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Coalesce, Now, Right
from django.utils.translation import gettext_lazy as _

from oilcards.models import SECRET_FIELDS, OilCard
from portal.kit.database import from_now
from recharge.choices import (
    NOT_HANDED_OVER,
    BatchState,
    Carrier,
    KnownFrom,
    MarkKind,
    Product,
    Speed,
    Submission,
    kinds_in,
)
from recharge.status import FINAL, Status

from .batches import Batch, is_open
from .portal_wide.accounts import Account

DEAD_SUBMISSIONS = (Submission.REJECTED, Submission.NOT_RECEIVED, Submission.WITHDRAWN)
"""Nothing was spent, and nothing will be."""

NOTHING_ARRIVED = Q(part_arrived=False) & (Q(credited_amount=None) | Q(credited_amount=0))
ALL_CAME_BACK = Q(status=Status.REFUNDED, confirmed_at__isnull=False) & NOTHING_ARRIVED
OWING = (Status.FAILED, Status.CANCELLED, Status.REVERSED, Status.PARTLY_ARRIVED)
OWED = Q(status__in=[*OWING]) | Q(status=Status.REFUNDED, confirmed_at=None)
"""Money was spent on it, and the platform's own answer hasn't confirmed it back."""

PROVABLY_UNSPENT = Q(doubts=0) & (Q(submission__in=DEAD_SUBMISSIONS) & NOTHING_ARRIVED | ALL_CAME_BACK)
"""The same as `Order.is_provably_unspent`, for the database; a property test compares the two."""

NEEDS_A_PERSON = Q(open_marks__gt=0) | Q(submission=Submission.UNKNOWN) | OWED
"""A case for the desk: a mark is open, it isn't known whether it arrived, or a refund is owed."""

CONFIRMED_FAILED = (
    Q(doubts=0, failure_confirmed_at__isnull=False, status__in=[Status.FAILED, Status.CANCELLED, Status.REFUNDED])
    & NOTHING_ARRIVED
)
"""The same as `Order.is_confirmed_failed`: the platform's own answer said that it failed.

Nothing since tells otherwise. Its money may still be away, so that only a second person lets a replacement go out.
"""

BOUND_SLACK = dt.timedelta(hours=1)
"""How much the order of `id` and that of `placed_at` may differ: longer than any transaction lives."""


def calm() -> Q:
    """Return what finds the cases that most likely settle by themselves: none is marked, and none waits for long."""
    waiting = Q(submission=Submission.UNKNOWN, submitted_at__gte=from_now(-settings.DESK_UNKNOWN_CALM_FOR))
    owed = OWED & Q(status_at__gte=from_now(-settings.DESK_REFUND_CALM_FOR))
    return Q(open_marks=0) & (waiting | owed)


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> OrderQuerySet:
        """Orders of which something more is expected."""
        return self.filter(settled_at=None)

    def needing_attention(self) -> OrderQuerySet:
        return self.filter(open_marks__gt=0)

    def cases(self) -> OrderQuerySet:
        """Orders that are on the desk, also those that most likely settle by themselves."""
        return self.filter(NEEDS_A_PERSON)

    def urgent(self) -> OrderQuerySet:
        """Cases that a person should look at now."""
        return self.cases().exclude(calm())

    def put_off(self) -> OrderQuerySet:
        """Cases that somebody wants to see again later, and not before."""
        return self.filter(case__look_again_at__gt=Now())

    def marked(self, kind: MarkKind) -> OrderQuerySet:
        """Orders with an open mark of this kind."""
        return self.needing_attention().filter(marks__kind=kind, marks__closed_at=None)

    def in_chain_of(self, order: Order) -> OrderQuerySet:
        """All attempts of the order's chain of replacements, itself among them, the first one first."""
        first = order.first_attempt_id or order.pk
        return self.filter(Q(pk=first) | Q(first_attempt=first)).order_by("id")

    def attempts_like(self, order: Order) -> OrderQuerySet:
        """The other attempts of the order's chain of replacements."""
        return self.in_chain_of(order).exclude(pk=order.pk)

    def placed_again(self) -> OrderQuerySet:
        """Those of which a later attempt is with the platform and may have succeeded.

        One that waits, is held, spent nothing for certain, or failed by the platform's own answer is none: what comes
        after it asks for the others anew.
        """
        first = Coalesce(OuterRef("first_attempt"), OuterRef("pk"))
        later = Order.objects.filter(first_attempt=first, pk__gt=OuterRef("pk"))
        later = later.exclude(submission__in=NOT_HANDED_OVER).exclude(PROVABLY_UNSPENT).exclude(CONFIRMED_FAILED)
        return self.filter(Exists(later))

    def with_people_and_cards(self) -> OrderQuerySet:
        """Fetch along who placed them, of their cards what may be shown to everybody, and the state of their batch."""
        secrets = (f"oil_card__{name}" for name in SECRET_FIELDS)
        read_along = self.select_related("placed_by", "oil_card").defer(*secrets)
        return read_along.annotate(batch_state=F("batch__state"))

    def with_last_event(self) -> OrderQuerySet:
        """Read along the key of the last entry of its history, as `last_event`."""
        return self.annotate(last_event=Max("events"))

    def single(self) -> OrderQuerySet:
        """Orders that a person placed by itself and may be waiting for: they go before those of batches."""
        return self.filter(batch=None)

    def in_batches(self) -> OrderQuerySet:
        return self.filter(batch__isnull=False)

    def awaiting_approval(self) -> OrderQuerySet:
        """Single orders that a second person has to approve; those of a batch are approved with it."""
        return self.single().filter(submission=Submission.AWAITING_APPROVAL)

    def due_for_submission(self) -> OrderQuerySet:
        """Single orders to be handed over; those of a batch wait for their batch, see `next_in_batch`."""
        return self.single().filter(submission=Submission.QUEUED, next_push_at__lte=Now()).order_by("next_push_at")

    def next_in_batch(self, batch_id: int) -> OrderQuerySet:
        """Orders of a batch that may go out now, in the order of its rows: all of them, or only its first ones."""
        goes_ahead = Q(batch__state=BatchState.CANARY, line__lte=F("batch__canary_until"))
        due = self.filter(is_open("batch__"), submission=Submission.QUEUED, batch=batch_id, next_push_at__lte=Now())
        return due.filter(Q(batch__state=BatchState.RUNNING) | goes_ahead).order_by("next_push_at", "id")

    def due_for_check(self) -> OrderQuerySet:
        return self.filter(next_check_at__lte=Now()).order_by("next_check_at")

    def with_expired_lease(self) -> OrderQuerySet:
        return self.filter(submission=Submission.SUBMITTING, lease_until__lt=Now())

    def placed_between(self, start: dt.datetime | None, end: dt.datetime | None) -> OrderQuerySet:
        """Orders placed from `start` on and before `end`, in a form that stays fast when sorted by id.

        The moments are turned into bounds of the primary key, so that a page of an old day is read from the
        index of the very order in which it is shown.
        """
        orders = self
        if start:
            first = Order.objects.filter(placed_at__gte=start - BOUND_SLACK).order_by("placed_at", "id")
            orders = orders.filter(placed_at__gte=start, id__gte=first.values_list("id", flat=True).first() or 0)
        if end:
            last = Order.objects.filter(placed_at__lt=end + BOUND_SLACK).order_by("-placed_at", "-id")
            orders = orders.filter(placed_at__lt=end, id__lte=last.values_list("id", flat=True).first() or 0)
        return orders

    def settled_between(self, start: dt.datetime, end: dt.datetime) -> OrderQuerySet:
        """Orders settled from `start` on and before `end`; sorted by `settled_at` and id, an index has a page."""
        return self.filter(settled_at__gte=start, settled_at__lt=end)


class Order(models.Model):
    """A wish to spend prepaid money, and all that is known of its fate."""

    order_no = models.CharField(_("order number"), max_length=20, unique=True)
    product = models.CharField(_("product"), max_length=6, choices=Product)
    mobile = models.CharField(_("mobile number"), max_length=11, blank=True)
    oil_card = models.ForeignKey(
        OilCard, models.PROTECT, null=True, verbose_name=_("oil card"), related_name="orders", db_index=False
    )
    face_value = models.PositiveIntegerField(_("face value"), help_text=_("yuan"))
    speed = models.PositiveSmallIntegerField(_("speed"), choices=Speed, default=Speed.FAST)
    switch_channel = models.BooleanField(_("try another channel on failure"), null=True)
    channel = models.PositiveIntegerField(_("channel"), null=True)

    carrier = models.CharField(
        _("carrier"),
        max_length=8,
        choices=Carrier,
        blank=True,
        default="",
        db_default="",
        help_text=_("of the number when the order was placed, as far as it was known; empty in older orders"),
    )
    province = models.CharField(_("province"), max_length=20, blank=True, default="", db_default="")
    ported = models.BooleanField(_("ported"), null=True, help_text=_("only the platform can tell"))
    known_from = models.CharField(
        _("known from"), max_length=8, choices=KnownFrom, blank=True, default="", db_default=""
    )

    purpose = models.CharField(
        _("purpose"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("what a slow order is for, where the settings ask for that"),
    )
    reference = models.CharField(_("customer's reference"), max_length=64, blank=True, default="", db_default="")

    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, verbose_name=_("batch"), related_name="orders", db_index=False
    )
    line = models.PositiveIntegerField(_("line"), null=True, help_text=_("of the batch's sheet"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("placed by"),
        related_name="orders",
        db_index=False,
    )
    placed_at = models.DateTimeField(_("placed at"), db_default=Now())
    nonce = models.UUIDField(unique=True, null=True, help_text=_("makes one order of a form that is sent twice"))
    duplicate_reason = models.CharField(_("reason for the repetition"), max_length=200, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, verbose_name=_("replaces"), related_name="replaced_by"
    )
    first_attempt = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="later_attempts",
        db_index=False,
        help_text=_("of the chain of replacements that it belongs to; empty in the first attempt itself"),
    )

    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("approved by"),
        related_name="+",
        db_index=False,
    )
    proof = models.ForeignKey(
        "recharge.OrderEvent",
        models.PROTECT,
        null=True,
        verbose_name=_("proof"),
        related_name="+",
        db_index=False,
        help_text=_("of a replacement: the answer that confirmed the original's failure, as its approver named it"),
    )
    counted_on = models.DateField(null=True, help_text=_("the day whose spending it counts towards"))

    submission = models.CharField(_("submission"), max_length=17, choices=Submission, default=Submission.QUEUED)
    next_push_at = models.DateTimeField(null=True)
    claims = models.PositiveIntegerField(default=0, help_text=_("how often a worker took it up"))
    not_sent = models.PositiveIntegerField(default=0, help_text=_("how often no byte could be sent"))
    lease_until = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(_("handed over at"), null=True)
    refusal = models.CharField(_("refusal"), max_length=300, blank=True)
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        verbose_name=_("account at the platform"),
        related_name="+",
        db_index=False,
        help_text=_("under which it was pushed; empty before the claim, and in orders older than accounts"),
    )

    gateway_order_no = models.CharField(_("platform number"), max_length=64, null=True, unique=True)  # noqa: DJ001  (unique where it is known)
    status = models.PositiveIntegerField(_("status"), choices=Status, null=True)
    status_at = models.DateTimeField(_("status since"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    failure_confirmed_at = models.DateTimeField(
        _("failure confirmed at"),
        null=True,
        help_text=_("when the platform's own answer first said that it failed or was cancelled; it stays"),
    )
    declared_at = models.DateTimeField(
        _("declared never to have arrived at"),
        null=True,
        help_text=_("by two persons, in the vendor's words; the platform's answers don't prove it"),
    )
    one_witness = models.BooleanField(
        _("one witness only"),
        default=False,
        help_text=_("no query exists for it, callbacks are all there is"),
    )
    cost_price = models.DecimalField(_("cost price"), max_digits=12, decimal_places=4, null=True)
    rebate = models.DecimalField(_("rebate"), max_digits=12, decimal_places=4, null=True)
    credited_amount = models.DecimalField(_("credited amount"), max_digits=12, decimal_places=4, null=True)
    reason = models.CharField(_("platform's reason"), max_length=300, blank=True)

    next_check_at = models.DateTimeField(_("next query at"), null=True)
    checks = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(_("last query at"), null=True)
    missing_answers = models.PositiveSmallIntegerField(default=0)
    first_missing_at = models.DateTimeField(null=True)
    last_missing_at = models.DateTimeField(null=True)
    heard = models.PositiveIntegerField(
        default=0, help_text=_("how often evidence counted: a query that began at another number was overtaken")
    )
    open_marks = models.PositiveIntegerField(default=0, help_text=_("which kinds of marks are open, as MARK_BITS says"))
    doubts = models.PositiveIntegerField(
        default=0, help_text=_("which kinds of marks, open or closed by a person, no evidence has answered")
    )
    part_arrived = models.BooleanField(default=False, help_text=_("the platform said so once; it stays true"))
    settled_at = models.DateTimeField(_("settled at"), null=True, help_text=_("nothing more is expected"))

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        default_permissions = ("add", "change", "view")
        permissions = [
            ("see_numbers", _("Can see whole phone numbers in lists")),
            ("export_order", _("Can export orders")),
            ("approve_order", _("Can approve what others placed")),
        ]
        constraints = [
            # A top-up has a phone number, a recharge a card, none has both.
            models.CheckConstraint(
                name="order_one_target",
                condition=Q(product=Product.MOBILE, oil_card=None) & ~Q(mobile="")
                | Q(product=Product.OIL, oil_card__isnull=False, mobile=""),
            ),
            # Four eyes: nobody approves what he placed.
            models.CheckConstraint(
                name="order_approver_is_another", condition=Q(approved_by=None) | ~Q(approved_by=F("placed_by"))
            ),
            # A proof is named by the one who approves a replacement.
            models.CheckConstraint(
                name="order_proof_is_approved",
                condition=Q(proof=None) | Q(approved_by__isnull=False, replaces__isnull=False),
            ),
            # What is known of a number, somebody has said; that it was ported, only the platform can say.
            models.CheckConstraint(
                name="order_number_known_from_somebody",
                condition=Q(known_from=KnownFrom.PLATFORM)
                | Q(known_from=KnownFrom.HINT, ported=None)
                | Q(known_from="", carrier="", province="", ported=None),
            ),
            # An order of a batch names its line in the list, no other does.
            models.CheckConstraint(
                name="order_line_iff_in_batch",
                condition=Q(batch=None, line=None) | Q(batch__isnull=False, line__isnull=False),
            ),
            # One order a line, however often the form is sent.
            models.UniqueConstraint(
                fields=["batch", "line"], name="order_line_once_in_batch", condition=Q(batch__isnull=False)
            ),
            # An order is for some money.
            models.CheckConstraint(name="order_face_value_positive", condition=Q(face_value__gt=0)),
            # The platform takes and credits money, or says nothing.
            models.CheckConstraint(
                name="order_amounts_not_negative",
                condition=(Q(cost_price=None) | Q(cost_price__gte=0))
                & (Q(credited_amount=None) | Q(credited_amount__gte=0)),
            ),
            # Our own states are those of `submissions.py`.
            models.CheckConstraint(name="order_submission_known", condition=Q(submission__in=Submission.values)),
            # The platform knows two speeds.
            models.CheckConstraint(name="order_speed_known", condition=Q(speed__in=Speed.values)),
            # A code that nobody knows is kept with its event, never taken over.
            models.CheckConstraint(name="order_status_known", condition=Q(status=None) | Q(status__in=Status.values)),
            # ACCEPTED means that the platform has named its number.
            models.CheckConstraint(
                name="order_number_of_platform_iff_accepted",
                condition=Q(submission=Submission.ACCEPTED, gateway_order_no__isnull=False) & ~Q(gateway_order_no="")
                | ~Q(submission=Submission.ACCEPTED) & Q(gateway_order_no=None),
            ),
            # The platform has no status for what it has not.
            models.CheckConstraint(
                name="order_status_only_if_accepted",
                condition=Q(submission=Submission.ACCEPTED) | Q(status=None, confirmed_at=None),
            ),
            # It is a status that is confirmed.
            models.CheckConstraint(
                name="order_confirmed_only_with_status",
                condition=Q(confirmed_at=None) | Q(status__isnull=False),
            ),
            # Settled: dead, or a final status that is confirmed or never can be.
            models.CheckConstraint(
                name="order_settled_iff_over",
                condition=Q(settled_at__isnull=False)
                & (
                    Q(submission__in=DEAD_SUBMISSIONS)
                    | Q(submission=Submission.ACCEPTED, status__in=FINAL, confirmed_at__isnull=False)
                    | Q(submission=Submission.ACCEPTED, status__in=FINAL, one_witness=True)
                )
                | Q(settled_at=None) & ~Q(submission__in=DEAD_SUBMISSIONS),
            ),
            # A claim has a lease, so that a dead worker is noticed.
            models.CheckConstraint(
                name="order_lease_iff_submitting",
                condition=Q(submission=Submission.SUBMITTING, lease_until__isnull=False)
                | ~Q(submission=Submission.SUBMITTING) & Q(lease_until=None),
            ),
            # Whatever is queued is due at some time.
            models.CheckConstraint(
                name="order_push_due_iff_queued",
                condition=Q(submission=Submission.QUEUED, next_push_at__isnull=False)
                | ~Q(submission=Submission.QUEUED) & Q(next_push_at=None),
            ),
            # Nothing unfinished without a next query or a mark.
            models.CheckConstraint(
                name="order_has_a_next_step",
                condition=Q(settled_at__isnull=False)
                | Q(submission__in=[*NOT_HANDED_OVER])
                | Q(next_check_at__isnull=False)
                | Q(open_marks__gt=0),
            ),
            # A replacement knows the first attempt of its chain.
            models.CheckConstraint(
                name="order_chain_iff_replacement",
                condition=Q(replaces=None, first_attempt=None) | Q(replaces__isnull=False, first_attempt__isnull=False),
            ),
        ]
        indexes = [
            # A number's orders: the list's search, duplicates.
            models.Index(F("mobile"), F("id").desc(), name="order_mobile", condition=~Q(mobile="")),
            # A search for the last four digits of a number.
            models.Index(Right("mobile", 4), F("id").desc(), name="order_mobile_end", condition=~Q(mobile="")),
            # A search for words in the latest notes.
            models.Index(F("id").desc(), name="order_noted", condition=~Q(note="")),
            # A search for a customer's reference.
            models.Index(F("reference"), F("id").desc(), name="order_reference", condition=~Q(reference="")),
            # A card's orders: its page, duplicates.
            models.Index(F("oil_card"), F("id").desc(), name="order_oil_card", condition=Q(oil_card__isnull=False)),
            # The list filtered by status.
            models.Index(F("status"), F("id").desc(), name="order_status"),
            # The list filtered by submission.
            models.Index(F("submission"), F("id").desc(), name="order_submission"),
            # The list filtered by person.
            models.Index(F("placed_by"), F("id").desc(), name="order_placed_by"),
            # The list filtered by product.
            models.Index(F("product"), F("id").desc(), name="order_product"),
            # Overview and metrics, which read nothing but this index; dates as bounds in the list.
            models.Index(
                "placed_at",
                name="order_placed_at",
                include=["submission", "status", "face_value", "confirmed_at", "id"],
            ),
            # What the platform owes: page and overview.
            models.Index(F("id").desc(), name="order_owed", condition=OWED),
            # What is on the desk: list and badge.
            models.Index(F("id").desc(), name="order_case", condition=NEEDS_A_PERSON),
            # What is marked: metrics, the list's filter.
            models.Index(F("id").desc(), name="order_marked", condition=Q(open_marks__gt=0)),
            # Whether another attempt lives: the claim, `living_attempt`.
            models.Index("first_attempt", name="order_chain", condition=Q(first_attempt__isnull=False)),
            # What is not settled: open orders counted, duplicates of any age.
            models.Index(F("id").desc(), name="order_open", condition=Q(settled_at=None)),
            # The list of what was settled in a period.
            models.Index(
                F("settled_at").desc(), F("id").desc(), name="order_settled", condition=Q(settled_at__isnull=False)
            ),
            # The queue of approvals.
            models.Index(
                F("id").desc(),
                name="order_awaiting",
                condition=Q(submission=Submission.AWAITING_APPROVAL, batch=None),
            ),
            # The sweep: single orders to be sent.
            models.Index("next_push_at", name="order_push_due", condition=Q(next_push_at__isnull=False, batch=None)),
            # The drain: the next order of a batch.
            models.Index(
                "batch",
                "next_push_at",
                "id",
                name="order_batch_due",
                condition=Q(submission=Submission.QUEUED, batch__isnull=False),
            ),
            # The brake: the latest orders of a batch.
            models.Index(
                F("batch"),
                F("submitted_at").desc(),
                name="order_batch_lately",
                condition=Q(batch__isnull=False, submitted_at__isnull=False),
            ),
            # A batch's page, its sums, exports by key.
            models.Index(
                "batch",
                "id",
                name="order_batch",
                include=["submission", "status", "face_value"],
                condition=Q(batch__isnull=False),
            ),
            # Queries that are due, of single orders.
            models.Index("next_check_at", name="order_check_due", condition=Q(next_check_at__isnull=False, batch=None)),
            # Queries that are due, of batches.
            models.Index(
                "next_check_at",
                name="order_batch_check_due",
                condition=Q(next_check_at__isnull=False, batch__isnull=False),
            ),
            # The sweep: leases that ran out.
            models.Index("lease_until", name="order_lease", condition=Q(lease_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.order_no

    @property
    def is_provably_unspent(self) -> bool:
        """Whether it is proven that this order spent nothing, or that all that it spent came back."""
        if self.doubts or self.part_arrived or self.credited_amount:
            return False
        returned = self.status == Status.REFUNDED and self.confirmed_at is not None
        return self.submission in DEAD_SUBMISSIONS or returned

    @property
    def owes_refund(self) -> bool:
        """Whether money was spent on it that isn't confirmed back; the same as OWED."""
        returned = self.status == Status.REFUNDED and self.confirmed_at is None
        return returned or self.status in OWING

    @property
    def needs_a_person(self) -> bool:
        """Whether it is on the desk; the same as NEEDS_A_PERSON."""
        return bool(self.open_marks) or self.submission == Submission.UNKNOWN or self.owes_refund

    @property
    def is_confirmed_failed(self) -> bool:
        """Whether the platform's own answer said that it failed or was cancelled, and nothing since tells otherwise."""
        if self.doubts or self.part_arrived or self.credited_amount:
            return False
        failed = self.status in (Status.FAILED, Status.CANCELLED, Status.REFUNDED)
        return failed and self.failure_confirmed_at is not None

    @property
    def marked_as(self) -> list[MarkKind]:
        """The kinds of its open marks."""
        return kinds_in(self.open_marks)
