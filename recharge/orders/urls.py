from django.urls import path

from . import actions, bulk_views, export_views, views

urlpatterns = [
    path("orders/", views.order_list, name="order_list"),
    path("orders/new/", views.order_new, name="order_new"),
    path("orders/new/oil/", views.order_new_oil, name="order_new_oil"),
    path("orders/new/hint/", views.mobile_hint, name="mobile_hint"),
    path("orders/export.<sheet:kind>", export_views.order_export, name="order_export"),
    path("orders/bulk/", bulk_views.order_bulk, name="order_bulk"),
    path("orders/<order_no:order_no>/", views.order_detail, name="order_detail"),
    path("orders/<order_no:order_no>/ask/", actions.ask, name="order_ask"),
    path("orders/<order_no:order_no>/cancel/", actions.cancel, name="order_cancel"),
    path("orders/<order_no:order_no>/withdraw/", actions.withdraw, name="order_withdraw"),
    path("orders/<order_no:order_no>/enter-number/", actions.enter_number, name="order_enter_number"),
    path("orders/<order_no:order_no>/acknowledge/", actions.acknowledge, name="order_acknowledge"),
]
