from django.urls import include, path

from .core import converters

converters.register()

urlpatterns = [
    path("", include("recharge.overview.urls")),
    path("", include("recharge.orders.urls")),
    path("", include("recharge.batches.urls")),
    path("", include("recharge.attention.urls")),
    path("", include("recharge.refunds.urls")),
    path("", include("recharge.search.urls")),
    path("", include("recharge.approvals.urls")),
    path("", include("recharge.saved_views.urls")),
    path("", include("recharge.emergency_stop.urls")),
    path("", include("recharge.platform.urls")),
    path("", include("recharge.books.urls")),
    path("", include("recharge.audit.urls")),
    path("", include("recharge.staff.urls")),
    path("", include("recharge.alerts.urls")),
    path("", include("recharge.teaching.urls")),
    path("", include("recharge.fulfilment.urls")),
]
