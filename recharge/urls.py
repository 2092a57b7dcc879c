from django.urls import path, register_converter

from . import approval_views, intervention_views, overview_views, stop_views, views
from .callback import callback


class OrderNumber:
    """Our own number of an order; anything else names none and never reaches the database."""

    regex = "[0-9A-Za-z]{1,20}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(OrderNumber, "order_no")

urlpatterns = [
    path("", overview_views.overview, name="overview"),
    path("orders/", views.order_list, name="order_list"),
    path("orders/new/", views.order_new, name="order_new"),
    path("orders/new/oil/", views.order_new_oil, name="order_new_oil"),
    path("orders/new/hint/", views.mobile_hint, name="mobile_hint"),
    path("orders/<order_no:order_no>/", views.order_detail, name="order_detail"),
    path("orders/<order_no:order_no>/ask/", intervention_views.ask, name="order_ask"),
    path("orders/<order_no:order_no>/cancel/", intervention_views.cancel, name="order_cancel"),
    path("orders/<order_no:order_no>/withdraw/", intervention_views.withdraw, name="order_withdraw"),
    path("orders/<order_no:order_no>/acknowledge/", intervention_views.acknowledge, name="order_acknowledge"),
    path("attention/", views.attention, name="attention"),
    path("approvals/", approval_views.approval_list, name="approval_list"),
    path("approvals/orders/<order_no:order_no>/", approval_views.order_approve, name="order_approve"),
    path("approvals/batches/<int:batch_id>/", approval_views.batch_approve, name="batch_approve"),
    path("stop/", stop_views.emergency_stop, name="emergency_stop"),
    path("stop/go-on/", stop_views.go_on, name="go_on"),
    path("callback/<str:token>/", callback, name="callback"),
]
