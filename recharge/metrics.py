"""Metrics about orders, computed at each scrape, and only those that an index makes cheap."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from recharge.limits.services import restore_guard
from recharge.limits.services.emergency_stop import current_stop
from recharge.operations.services.standstill import standstills

from .models import CheckRun
from .overview import services as overview


class OrdersCollector(Collector):
    def describe(self) -> list[GaugeMetricFamily]:
        return []  # else it would be counted once at the start, before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ["submission", "status"]
        recent = GaugeMetricFamily("portal_orders", "Orders placed in the last 24 hours", labels=labels)
        unsettled = GaugeMetricFamily("portal_open_orders", "Orders not settled", labels=labels)
        for family, counts in ((recent, overview.last_day_counts()), (unsettled, overview.open_counts())):
            for submission, status, count in counts:
                family.add_metric([submission, "" if status is None else str(status)], count)
            yield family
        batches = GaugeMetricFamily("portal_batches", "Batches, by state", labels=["state"])
        for state, count in overview.batch_counts():
            batches.add_metric([state], count)
        yield batches
        yield GaugeMetricFamily(
            "portal_emergency_stop", "1 while no order goes to the platform", value=int(bool(current_stop()))
        )
        yield GaugeMetricFamily(
            "portal_restore_guard_closed",
            "1 while nothing is pushed since the database may have been restored",
            value=int(bool(restore_guard.closed())),
        )
        backup = overview.last_backup()
        if backup:
            yield GaugeMetricFamily(
                "portal_last_backup_timestamp_seconds", "When the last backup was made", value=backup.at.timestamp()
            )
        books = GaugeMetricFamily("portal_books_broken", "Rows that break a check of the books", labels=["check"])
        for run in CheckRun.objects.all():
            books.add_metric([run.check_name], run.broken)
        yield books
        yield GaugeMetricFamily(
            "portal_queue_age_seconds", "Age of the oldest single order waiting to be sent", value=overview.queue_age()
        )
        undone = GaugeMetricFamily(
            "portal_undone_since_seconds", "When work that is left undone was due (Unix time)", labels=["work"]
        )
        for one in standstills():
            undone.add_metric([one.work], one.since.timestamp())
        yield undone
        yield GaugeMetricFamily(
            "portal_attention_orders", "Orders that need a person", value=overview.attention_count()
        )


ORDERS = CollectorRegistry()
ORDERS.register(OrdersCollector())
