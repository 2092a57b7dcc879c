"""What the callback door is measured against: one SELECT FOR UPDATE, one UPDATE, one INSERT in one transaction.

Three ways to write it, from the easiest yardstick to the hardest: the ORM on the portal's own tables, the ORM on two
slim tables, and SQL through a bare cursor on the slim tables.
"""

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from recharge.choices import EventKind
from recharge.models import Order, OrderEvent

SLIM_TABLES = """
    CREATE TABLE bare_order (
        id bigserial PRIMARY KEY, order_no varchar(20) NOT NULL UNIQUE, status integer, status_at timestamptz);
    CREATE TABLE bare_event (
        id bigserial PRIMARY KEY, order_id bigint NOT NULL REFERENCES bare_order,
        at timestamptz NOT NULL DEFAULT statement_timestamp(), status integer NOT NULL, raw text NOT NULL);
    CREATE INDEX bare_event_of_order ON bare_event (order_id, id);
"""


class BareOrder(models.Model):
    order_no = models.CharField(max_length=20, unique=True)
    status = models.PositiveIntegerField(null=True)
    status_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "bare"
        db_table = "bare_order"
        managed = False

    def __str__(self) -> str:
        return self.order_no


class BareEvent(models.Model):
    order = models.ForeignKey(BareOrder, models.PROTECT)
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveIntegerField()
    raw = models.TextField()

    class Meta:
        app_label = "bare"
        db_table = "bare_event"
        managed = False

    def __str__(self) -> str:
        return self.raw


@csrf_exempt
def on_our_tables(request: HttpRequest, order_no: str) -> HttpResponse:
    status = int(request.POST["status"])
    with transaction.atomic():
        order = Order.objects.select_for_update().get(order_no=order_no)
        Order.objects.filter(pk=order.pk).update(status=status, status_at=Now())
        OrderEvent.objects.create(order=order, kind=EventKind.CALLBACK, reported_status=status, raw="x" * 200)
    return HttpResponse("success", content_type="text/plain", headers={"Content-Length": "7"})


@csrf_exempt
def on_slim_tables(request: HttpRequest, order_no: str) -> HttpResponse:
    status = int(request.POST["status"])
    with transaction.atomic():
        order = BareOrder._default_manager.select_for_update().get(order_no=order_no)
        BareOrder._default_manager.filter(pk=order.pk).update(status=status, status_at=Now())
        BareEvent._default_manager.create(order=order, status=status, raw="x" * 200)
    return HttpResponse("success", content_type="text/plain", headers={"Content-Length": "7"})


@csrf_exempt
def by_cursor(request: HttpRequest, order_no: str) -> HttpResponse:
    status = int(request.POST["status"])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, status FROM bare_order WHERE order_no = %s FOR UPDATE", [order_no])
        pk = cursor.fetchone()[0]
        cursor.execute("UPDATE bare_order SET status = %s, status_at = now() WHERE id = %s", [status, pk])
        cursor.execute("INSERT INTO bare_event (order_id, status, raw) VALUES (%s, %s, %s)", [pk, status, "x" * 200])
    return HttpResponse("success", content_type="text/plain", headers={"Content-Length": "7"})


urlpatterns = [
    path("our-tables/<str:order_no>/", on_our_tables),
    path("slim-tables/<str:order_no>/", on_slim_tables),
    path("cursor/<str:order_no>/", by_cursor),
]
