"""Rows of these are written by `recharge.services` alone."""

from .balance import Balance
from .batches import UNDER_WAY, Batch, BatchDraft, BatchEvent, LeftOutLines
from .limits import EmergencyStop, Pace, Spending
from .order_events import OrderEvent
from .orders import DEAD_SUBMISSIONS, Order, OrderQuerySet
from .portal_events import PortalEvent

__all__ = [
    "DEAD_SUBMISSIONS",
    "UNDER_WAY",
    "Balance",
    "Batch",
    "BatchDraft",
    "BatchEvent",
    "EmergencyStop",
    "LeftOutLines",
    "Order",
    "OrderEvent",
    "OrderQuerySet",
    "Pace",
    "PortalEvent",
    "Spending",
]
