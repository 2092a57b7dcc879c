"""Looking cards up. Nothing is changed here, and nothing personal is shown: that has its own permission and reason."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin import by_name

from .models import OilCard, OilCardEvent


class ReadOnlyAdmin(admin.ModelAdmin):
    """A page to look at. The services write, and they call the platform outside of any transaction."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(OilCard)
class OilCardAdmin(ReadOnlyAdmin):
    list_display = by_name(OilCard, ["id", "number", "card_type", "state", "platform_card_id", "added_by", "added_at"])
    list_filter = ["state", "card_type"]
    list_select_related = ["added_by"]
    search_fields = ["last_four", "platform_card_id"]
    search_help_text = _("Last four digits, or the platform's card id")
    fields = by_name(
        OilCard,
        [
            "number",
            "card_type",
            "name",
            "phone",
            "id_number",
            "platform_card_id",
            "state",
            "action",
            "problem",
            "compared_at",
            "added_by",
            "added_at",
            "changed_by",
            "changed_at",
        ],
    )
    readonly_fields = fields

    @admin.display(description=_("card number"), ordering="last_four")
    def number(self, card: OilCard) -> str:
        return card.masked_number

    @admin.display(description=_("holder's name"))
    def name(self, card: OilCard) -> str:
        return card.masked_name

    @admin.display(description=_("holder's phone"))
    def phone(self, card: OilCard) -> str:
        return card.masked_phone

    @admin.display(description=_("ID number"))
    def id_number(self, card: OilCard) -> str:
        return card.masked_national_id


@admin.register(OilCardEvent)
class OilCardEventAdmin(ReadOnlyAdmin):
    list_display = by_name(OilCardEvent, ["id", "at", "card", "kind", "verdict", "state_from", "state_to", "actor"])
    list_filter = ["kind", "verdict"]
    list_select_related = ["card", "actor"]
