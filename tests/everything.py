"""One of everything that has a page, and the addresses of these pages."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User

from oilcards.models import OilCard
from recharge.choices import EventKind, Verdict
from recharge.models import AccountChange, Alert, AlertChannel, Declaration, Order, Reading, RefundClaim, SavedView
from tests.batches import batch_of, mobiles, upload


def one_of_everything(*, made_by: User, owner: User, order: Order, card: OilCard) -> dict[str, Any]:
    """Make what pages are about, and return what stands in their addresses.

    Args:
        made_by: whose batch, claim and declaration it is.
        owner: whose upload and saved view it is, and who asked for a change of rights.
        order: the order that the pages of orders show.
        card: the card that the pages of cards show.
    """
    code = {"code": 99, "means_status": 3, "proposed_by": made_by, "reason": "the vendor says so"}
    other = User.objects.create(username="who has a second factor")
    event, _ = order.events.get_or_create(kind=EventKind.CALLBACK, verdict=Verdict.UNKNOWN_CODE, reported_status=98)
    return {
        "order_no": order.order_no,
        "batch_id": batch_of(*mobiles(3), made_by=made_by).pk,
        "draft_id": upload(owner, mobiles(2, first=50)).pk,
        "card_id": card.pk,
        "alert_id": Alert.objects.create(kind="STOP", key="1").pk,
        "channel_id": AlertChannel.objects.create(kind="WECOM", address_index="1", address="x").pk,
        "claim_id": RefundClaim.objects.create(nonce=uuid.UUID(int=0), made_by=made_by, size=1, total=50).pk,
        "declaration_id": Declaration.objects.create(order=order, declared_by=made_by, words="不在").pk,
        "view_id": SavedView.objects.create(owner=owner, page="orders", name="x", query={"status": ["2"]}).pk,
        "reading_id": Reading.objects.create(**code).pk,
        "event_id": event.pk,
        "factor_id": TOTP.activate(other, generate_totp_secret()).instance.pk,
        "session_id": UserSession.objects.create(user=other, session_key="x", ip="127.0.0.1", user_agent="x").pk,
        "change_id": AccountChange.objects.create(kind="FACTORS", user=made_by, asked_by=owner, reason="x").pk,
        "page": "orders",
        "product": "mobile",
        "which": "bad",
        "token": "no.token",
        "provider": "dingtalk",
    }


def address_of(name: str, path: str, ids: Mapping[str, Any]) -> str:
    """Return the address that a pattern makes of what `one_of_everything` returned."""
    kind = "csv" if "<sheet:kind>" in path else "STOP" if name == "alert_rule" else "WECOM"
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str({**ids, "kind": kind}[found[1]]), path)
