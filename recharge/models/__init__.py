"""Rows of these are written by the rooms' services alone."""

from .accounts import Account
from .balance import Balance
from .batches import UNDER_WAY, Batch, BatchDraft, BatchEvent, ColumnChoice, LeftOutLines
from .checks import CheckRun
from .generations import Generation
from .limits import EmergencyStop, Pace, Spending
from .marks import Mark
from .order_events import OrderEvent
from .orders import DEAD_SUBMISSIONS, OWED, PROVABLY_UNSPENT, Order, OrderQuerySet
from .portal_events import PortalEvent

__all__ = [
    "DEAD_SUBMISSIONS",
    "OWED",
    "PROVABLY_UNSPENT",
    "UNDER_WAY",
    "Account",
    "Balance",
    "Batch",
    "BatchDraft",
    "BatchEvent",
    "CheckRun",
    "ColumnChoice",
    "EmergencyStop",
    "Generation",
    "LeftOutLines",
    "Mark",
    "Order",
    "OrderEvent",
    "OrderQuerySet",
    "Pace",
    "PortalEvent",
    "Spending",
]
