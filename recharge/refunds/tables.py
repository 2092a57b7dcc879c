"""What the platform owes and what was claimed, as rows."""

from decimal import Decimal

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person
from portal.web.rendering import count, digits, moment, money
from portal.web.tables import LOOK, Rows, column
from recharge.choices import ClaimOutcome
from recharge.core.masking import hide_mobile, shown_target
from recharge.models import ClaimedOrder, Order, RefundClaim
from recharge.orders.tables import ChoosableTable

from .wording import OUTCOMES


class RefundTable(ChoosableTable):
    owed = column(_("Owed"))
    since = column(_("Since"))
    claims = column(_("Claimed"))

    class Meta(ChoosableTable.Meta):
        exclude: tuple[str, ...] = ("placed_by",)
        sequence: tuple[str, ...] = (
            "choose",
            "state",
            "order_no",
            "target",
            "face_value",
            "owed",
            "since",
            "claims",
            "...",
        )

    def render_owed(self, record: Order) -> SafeString:
        return format_html('<strong class="number">{}</strong>', money(record.owed))  # type: ignore[attr-defined]

    def render_since(self, record: Order) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.status_at))

    def render_claims(self, record: Order) -> SafeString | str:
        """Link each open claim that it is in, with the moment since when it is."""
        rows = record.open_claims  # type: ignore[attr-defined]  # prefetched by `owing`
        links = (("/refunds/claims/", row.claim_id, row.claim_id, moment(row.claim.made_at)) for row in rows)
        return format_html_join(" ", '<a class="number" href="{}{}/">{} · {}</a>', links) or "–"


class ClaimTable(Rows):
    number = column(_("Refund claim"))
    made_at = column(_("Made at"))
    made_by = column(_("By"))
    orders = column(_("Orders"))
    total = column(_("Claimed sum"))
    outcome = column(_("What came of it"))

    class Meta:
        attrs = LOOK

    def __init__(self, claims: list[RefundClaim], sums: dict[int, dict[ClaimOutcome, tuple[int, Decimal]]]) -> None:
        super().__init__(claims)
        self._sums = sums

    def render_number(self, record: RefundClaim) -> SafeString:
        return format_html('<a href="/refunds/claims/{0}/">{0}</a>', record.pk)

    def render_made_at(self, record: RefundClaim) -> SafeString:
        return format_html('<span class="number">{}</span>', moment(record.made_at))

    def render_made_by(self, record: RefundClaim) -> str:
        return person(record.made_by)

    def render_orders(self, record: RefundClaim) -> str:
        return count(record.size)

    def render_total(self, record: RefundClaim) -> SafeString:
        return format_html('<strong class="number">{}</strong>', money(record.total))

    def render_outcome(self, record: RefundClaim) -> SafeString:
        """Say how many orders and how much money each outcome has."""
        sums = self._sums.get(record.pk, {})
        parts = ((OUTCOMES[outcome].label, count(sums[outcome][0]), money(sums[outcome][1])) for outcome in sums)
        return format_html_join("", '<div class="number">{} {} · {}</div>', parts)


class ClaimedOrderTable(Rows):
    outcome = column(_("What came of it"))
    order_no = column(_("Order number"))
    target = column(_("Recharged"))
    face_value = column(_("Face value"))
    owed = column(_("Owed"))
    status = column(_("Status when claimed"))
    words = column(_("Words"))

    class Meta:
        attrs = LOOK

    def __init__(self, rows: list[ClaimedOrder], *, viewer: User) -> None:
        super().__init__(rows)
        self._viewer = viewer
        self._badges = {outcome: _badge(outcome) for outcome in {row.outcome for row in rows}}

    def render_outcome(self, record: ClaimedOrder) -> SafeString:
        return self._badges[record.outcome]

    def render_order_no(self, record: ClaimedOrder) -> SafeString:
        return format_html('<a href="/orders/{}/">{}</a>', record.order.order_no, digits(record.order.order_no))

    def render_target(self, record: ClaimedOrder) -> SafeString:
        return format_html('<span class="number">{}</span>', shown_target(record.order, self._viewer))

    def render_face_value(self, record: ClaimedOrder) -> SafeString:
        return format_html('<span class="number">{}</span>', money(record.order.face_value))

    def render_owed(self, record: ClaimedOrder) -> SafeString:
        return format_html('<strong class="number">{}</strong>', money(record.owed))

    def render_status(self, record: ClaimedOrder) -> SafeString:
        return format_html("{} <span>{}</span>", record.get_status_display(), moment(record.status_at))

    def render_words(self, record: ClaimedOrder) -> SafeString | str:
        """Show what a person said of it, his name and the moment."""
        if record.said_by is None:
            return ""
        words = hide_mobile(record.words, record.order, self._viewer)
        return format_html(
            '<span class="text-break">{}</span> <span class="text-secondary">{}, {}</span>',
            words,
            person(record.said_by),
            moment(record.said_at),
        )


def _badge(outcome: ClaimOutcome) -> SafeString:
    return render_to_string("includes/state.html", {"outcome": OUTCOMES[outcome], "only_reported": False, "size": ""})
