"""Lists as people want them again: which filters, which columns."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recharge.choices import ListPage


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def seen_by(self, user: User) -> SavedViewQuerySet:
        """A person's own views, and those that everybody shares, which come first."""
        return self.filter(Q(shared=True) | Q(owner=user)).order_by("-shared", "name", "pk")


class SavedView(models.Model):
    """A name for filters and columns of a list."""

    page = models.CharField(_("list"), max_length=6, choices=ListPage)
    name = models.CharField(_("name"), max_length=40)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("made by"), related_name="+", db_index=False
    )
    shared = models.BooleanField(_("shared"), default=False, help_text=_("everybody sees it"))
    query = models.JSONField(
        default=dict, help_text=_("names of filters, with their values; never words that were searched for")
    )
    changed_at = models.DateTimeField(db_default=Now())

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        default_permissions = ()
        permissions = [("share_savedview", _("Can share views of lists with everybody"))]
        constraints = [
            models.UniqueConstraint("page", "name", name="saved_view_once_shared", condition=Q(shared=True)),
            models.UniqueConstraint("owner", "page", "name", name="saved_view_once_a_person"),
            models.CheckConstraint(name="saved_view_page_known", condition=Q(page__in=ListPage.values)),
        ]

    def __str__(self) -> str:
        return self.name
