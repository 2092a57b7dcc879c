"""Rows of these are written by the rooms' services alone."""

from .batches import (
    UNDER_WAY,
    Batch,
    BatchDraft,
    BatchEvent,
    BatchMaking,
    BatchQuerySet,
    ColumnChoice,
    LeftOutLines,
    ListReading,
    is_open,
)
from .cases import Case
from .claims import ClaimedOrder, RefundClaim
from .declarations import Declaration
from .marks import Mark
from .number_checks import NumberCheck
from .numbers import NumberInfo, NumberLimit, NumberOffer, NumberRule
from .order_events import OrderEvent
from .orders import (
    CONFIRMED_FAILED,
    DEAD_SUBMISSIONS,
    NEEDS_A_PERSON,
    OWED,
    PROVABLY_UNSPENT,
    Order,
    OrderQuerySet,
    calm,
)
from .portal_wide.account_changes import AccountChange
from .portal_wide.accounts import Account, OtherWays
from .portal_wide.alerts import (
    Alert,
    AlertChannel,
    AlertLetter,
    AlertMessage,
    AlertQuerySet,
    AlertQuietHours,
    AlertReading,
    AlertRule,
    Heartbeat,
)
from .portal_wide.balance import Balance
from .portal_wide.checks import CheckRun, PlatformCheck
from .portal_wide.generations import Generation
from .portal_wide.limits import EmergencyStop, Outage, Pace, SlowHold, Spending
from .portal_wide.portal_events import ABOUT_ACCOUNTS, PortalEvent, Seal
from .portal_wide.saved_views import SavedView
from .portal_wide.sign_ins import KnownDevice
from .readings import REFUSAL_CODE_LENGTH, Reading

__all__ = [
    "ABOUT_ACCOUNTS",
    "CONFIRMED_FAILED",
    "DEAD_SUBMISSIONS",
    "NEEDS_A_PERSON",
    "OWED",
    "PROVABLY_UNSPENT",
    "REFUSAL_CODE_LENGTH",
    "UNDER_WAY",
    "Account",
    "AccountChange",
    "Alert",
    "AlertChannel",
    "AlertLetter",
    "AlertMessage",
    "AlertQuerySet",
    "AlertQuietHours",
    "AlertReading",
    "AlertRule",
    "Balance",
    "Batch",
    "BatchDraft",
    "BatchEvent",
    "BatchMaking",
    "BatchQuerySet",
    "Case",
    "CheckRun",
    "ClaimedOrder",
    "ColumnChoice",
    "Declaration",
    "EmergencyStop",
    "Generation",
    "Heartbeat",
    "KnownDevice",
    "LeftOutLines",
    "ListReading",
    "Mark",
    "NumberCheck",
    "NumberInfo",
    "NumberLimit",
    "NumberOffer",
    "NumberRule",
    "Order",
    "OrderEvent",
    "OrderQuerySet",
    "OtherWays",
    "Outage",
    "Pace",
    "PlatformCheck",
    "PortalEvent",
    "Reading",
    "RefundClaim",
    "SavedView",
    "Seal",
    "SlowHold",
    "Spending",
    "calm",
    "is_open",
]
