from django.urls import path, register_converter

from portal.downloads import SheetKind

from . import (
    approval_views,
    batch_deed_views,
    batch_views,
    check_views,
    export_views,
    intervention_views,
    overview_views,
    platform_views,
    stop_views,
    upload_views,
    views,
)
from .callback import callback


class OrderNumber:
    """Our own number of an order; anything else names none and never reaches the database."""

    regex = "[0-9A-Za-z]{1,20}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class BatchKey:
    """A primary key, no longer than the database can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class ProductName(OrderNumber):
    """A product in an address."""

    regex = "mobile|oil"


class WhichLines(OrderNumber):
    """Lines of a sheet that somebody should look at."""

    regex = "bad|suspicious"


register_converter(OrderNumber, "order_no")
register_converter(BatchKey, "batch_key")
register_converter(ProductName, "product")
register_converter(SheetKind, "sheet")
register_converter(WhichLines, "lines")

urlpatterns = [
    path("", overview_views.overview, name="overview"),
    path("orders/", views.order_list, name="order_list"),
    path("orders/new/", views.order_new, name="order_new"),
    path("orders/new/oil/", views.order_new_oil, name="order_new_oil"),
    path("orders/new/hint/", views.mobile_hint, name="mobile_hint"),
    path("orders/export.<sheet:kind>", export_views.order_export, name="order_export"),
    path("orders/<order_no:order_no>/", views.order_detail, name="order_detail"),
    path("orders/<order_no:order_no>/ask/", intervention_views.ask, name="order_ask"),
    path("orders/<order_no:order_no>/cancel/", intervention_views.cancel, name="order_cancel"),
    path("orders/<order_no:order_no>/withdraw/", intervention_views.withdraw, name="order_withdraw"),
    path("orders/<order_no:order_no>/acknowledge/", intervention_views.acknowledge, name="order_acknowledge"),
    path("batches/", batch_views.batch_list, name="batch_list"),
    path("batches/new/", upload_views.batch_new, name="batch_new"),
    path("batches/new/<uuid:draft_id>/", upload_views.batch_preview, name="batch_preview"),
    path("batches/new/<uuid:draft_id>/columns/", upload_views.batch_columns, name="batch_columns"),
    path("batches/new/<uuid:draft_id>/<lines:which>.<sheet:kind>", upload_views.batch_lines, name="batch_lines"),
    path("batches/template/<product:product>.<sheet:kind>", upload_views.batch_template, name="batch_template"),
    path("batches/<batch_key:batch_id>/", batch_views.batch_detail, name="batch_detail"),
    path("batches/<batch_key:batch_id>/results.<sheet:kind>", export_views.batch_results, name="batch_results"),
    path("batches/<batch_key:batch_id>/pause/", batch_deed_views.pause, name="batch_pause"),
    path("batches/<batch_key:batch_id>/resume/", batch_deed_views.resume, name="batch_resume"),
    path("batches/<batch_key:batch_id>/withdraw/", batch_deed_views.withdraw, name="batch_withdraw"),
    path("batches/<batch_key:batch_id>/skip/", batch_deed_views.skip_canary, name="batch_skip"),
    path("batches/<batch_key:batch_id>/again/", batch_deed_views.make_anew, name="batch_again"),
    path("attention/", views.attention, name="attention"),
    path("approvals/", approval_views.approval_list, name="approval_list"),
    path("approvals/orders/<order_no:order_no>/", approval_views.order_approve, name="order_approve"),
    path("approvals/batches/<batch_key:batch_id>/", approval_views.batch_approve, name="batch_approve"),
    path("stop/", stop_views.emergency_stop, name="emergency_stop"),
    path("stop/go-on/", stop_views.go_on, name="go_on"),
    path("platform/", platform_views.platform, name="platform"),
    path("platform/confirm/", platform_views.account_confirm, name="account_confirm"),
    path("platform/same/", platform_views.account_same, name="account_same"),
    path("checks/", check_views.check_list, name="check_list"),
    path("callback/<str:token>/", callback, name="callback"),
]
