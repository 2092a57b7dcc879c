"""The oil card and its append-only history.

Rows of `OilCard` are written by `oilcards.services` alone. What must never be is forbidden by the database itself: see
the constraints. Nothing that identifies the holder is stored in clear, nor shown by a repr.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.fields import BlindIndexField, EncryptedField
from portal.kit.history import AppendOnly

from . import masking
from .choices import BUSY_STATES, CardAction, CardType, CardVerdict, EventKind, State
from .details import CardDetails

_NOT_THERE = Q(state__in=[State.ADDING, State.ADD_FAILED]) | Q(state=State.UNKNOWN, action=CardAction.ADD)
_THERE = Q(state__in=[State.ACTIVE, State.CHANGING, State.CHANGE_FAILED, State.DELETING]) | Q(
    state=State.UNKNOWN, action__in=[CardAction.CHANGE, CardAction.DELETE]
)


SECRET_FIELDS = ("card_number", "holder_name", "holder_phone", "national_id")
"""Encrypted: to be read only where they are needed."""


class OilCardQuerySet(models.QuerySet["OilCard"]):
    def in_the_book(self) -> OilCardQuerySet:
        """All but the deleted ones."""
        return self.exclude(state=State.DELETED)

    def rechargeable(self) -> OilCardQuerySet:
        return self.filter(state=State.ACTIVE)

    def with_number(self, card_number: str) -> OilCardQuerySet:
        """Cards with exactly this number, in its one written form; a deleted card may have it too."""
        return self.filter(number_index__in=number_index_field().indexes(card_number))

    def ending_with(self, digits: str) -> OilCardQuerySet:
        """Cards whose number ends with up to four digits, or is exactly this one; all of them for none."""
        if len(digits) > 4:
            return self.with_number(digits)
        return self.filter(last_four__endswith=digits)

    def needing_attention(self) -> OilCardQuerySet:
        return self.filter(state__in=[State.UNKNOWN, State.CHANGE_FAILED, State.ADD_FAILED])

    def with_expired_lease(self) -> OilCardQuerySet:
        return self.filter(state__in=BUSY_STATES, lease_until__lt=Now())


class OilCard(models.Model):
    """A fuel card in our book, and how far it is in step with the platform's."""

    card_number = EncryptedField(_("card number"))
    number_index = BlindIndexField(of="card_number")
    last_four = models.CharField(_("last four digits"), max_length=4)
    card_type = models.PositiveSmallIntegerField(_("card type"), choices=CardType)
    holder_name = EncryptedField(_("holder's name"))
    holder_phone = EncryptedField(_("holder's phone"))
    national_id = EncryptedField(_("ID number"))
    platform_card_id = models.CharField(_("platform's card id"), max_length=64, null=True)  # noqa: DJ001  (unique where it is known)

    state = models.CharField(_("state"), max_length=13, choices=State, default=State.ADDING)
    action = models.CharField(_("under way"), max_length=6, choices=CardAction, blank=True, db_column="deed")
    lease_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(
        default=1, help_text=_("counts the actions; an answer to an older one is late")
    )
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    compared_at = models.DateTimeField(_("compared at"), null=True)

    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("added by"), related_name="+", db_index=False
    )
    added_at = models.DateTimeField(_("added at"), db_default=Now())
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("changed by"), related_name="+", db_index=False
    )
    changed_at = models.DateTimeField(_("changed at"), db_default=Now())

    objects = OilCardQuerySet.as_manager()

    class Meta:
        verbose_name = _("oil card")
        verbose_name_plural = _("oil cards")
        ordering = ["-id"]
        permissions = [("reveal_oilcard", _("Can reveal personal data of oil cards"))]
        constraints = [
            models.UniqueConstraint(
                fields=["number_index"], name="oilcard_number_once_in_the_book", condition=~Q(state=State.DELETED)
            ),
            models.UniqueConstraint(
                fields=["platform_card_id"],
                name="oilcard_platform_id_once_in_the_book",
                condition=~Q(state=State.DELETED),
            ),
            models.CheckConstraint(name="oilcard_state_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="oilcard_type_known", condition=Q(card_type__in=CardType.values)),
            models.CheckConstraint(name="oilcard_has_an_index", condition=~Q(number_index="")),
            models.CheckConstraint(
                name="oilcard_platform_id_where_it_is_there",
                condition=_THERE & Q(platform_card_id__isnull=False) & ~Q(platform_card_id="")
                | _NOT_THERE & Q(platform_card_id=None)
                | Q(state=State.DELETED),
            ),
            models.CheckConstraint(
                name="oilcard_deed_where_under_way",
                condition=Q(state=State.ADDING, action=CardAction.ADD)
                | Q(state=State.CHANGING, action=CardAction.CHANGE)
                | Q(state=State.DELETING, action=CardAction.DELETE)
                | Q(state=State.UNKNOWN, action__in=CardAction.values)
                | ~Q(state__in=[*BUSY_STATES, State.UNKNOWN]) & Q(action=""),
            ),
            models.CheckConstraint(
                name="oilcard_lease_iff_busy",
                condition=Q(state__in=BUSY_STATES, lease_until__isnull=False)
                | ~Q(state__in=BUSY_STATES) & Q(lease_until=None),
            ),
        ]
        indexes = [
            models.Index("number_index", name="oilcard_number_index"),
            models.Index(F("last_four"), F("id").desc(), name="oilcard_last_four"),
            models.Index(F("state"), F("id").desc(), name="oilcard_state"),
            models.Index("lease_until", name="oilcard_lease", condition=Q(lease_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_card_type_display()} {self.masked_number}"

    @property
    def short_name(self) -> str:
        """Which card it is, by its type and its last digits."""
        return f"{self.get_card_type_display()} ···· {self.last_four}"

    @property
    def masked_number(self) -> str:
        return masking.masked_number(self.last_four)

    @property
    def masked_name(self) -> str:
        return masking.masked_name(self.holder_name)

    @property
    def masked_phone(self) -> str:
        return masking.masked_phone(self.holder_phone)

    @property
    def masked_national_id(self) -> str:
        return masking.masked_national_id(self.national_id)

    @property
    def details(self) -> CardDetails:
        """The five values in clear; their repr shows nothing."""
        return CardDetails(
            card_number=self.card_number,
            card_type=CardType(self.card_type),
            holder_name=self.holder_name,
            holder_phone=self.holder_phone,
            national_id=self.national_id,
        )


def number_index_field() -> BlindIndexField:
    """Return the field that knows how to make a card number's index."""
    field = OilCard._meta.get_field("number_index")
    assert isinstance(field, BlindIndexField)
    return field


class OilCardEvent(AppendOnly):
    """One entry of a card's history. Never changed, never deleted, and never with personal data in it."""

    card = models.ForeignKey(OilCard, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("event"), max_length=16, choices=EventKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("by"),
        related_name="+",
        db_index=False,
    )
    state_from = models.CharField(max_length=13, choices=State, blank=True)
    state_to = models.CharField(max_length=13, choices=State, blank=True)
    verdict = models.CharField(_("verdict"), max_length=15, choices=CardVerdict, blank=True)
    platform_card_id = models.CharField(_("platform's card id"), max_length=64, blank=True)
    changed_fields = models.CharField(_("fields"), max_length=100, blank=True, help_text=_("names, never values"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    raw = models.TextField(_("evidence"), blank=True)

    class Meta:
        verbose_name = _("oil card event")
        verbose_name_plural = _("oil card events")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["card", "id"], name="event_of_oilcard")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"
