"""Cards as rows; nothing that identifies a holder is shown."""

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person
from portal.web.rendering import moment
from portal.web.tables import LOOK, Rows, column

from . import wording
from .models import OilCard


class CardTable(Rows):
    state = column(_("State"))
    card = column(_("Card"))
    holder = column(_("Holder"))
    platform_card_id = column(_("Platform's id"))
    added_at = column(_("Added at"))
    added_by = column(_("Added by"))

    class Meta:
        attrs = LOOK

    def render_state(self, record: OilCard) -> SafeString:
        return render_to_string("includes/state.html", wording.badge(record))

    def render_card(self, record: OilCard) -> SafeString:
        return format_html('<a class="number" href="/oil-cards/{}/">{}</a>', record.pk, record.short_name)

    def render_holder(self, record: OilCard) -> str:
        return record.masked_name

    def render_platform_card_id(self, record: OilCard) -> str:
        return record.platform_card_id or "–"

    def render_added_at(self, record: OilCard) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.added_at))

    def render_added_by(self, record: OilCard) -> str:
        return person(record.added_by)
