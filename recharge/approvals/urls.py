from django.urls import path

from . import bulk_views, views

urlpatterns = [
    path("approvals/", views.approval_list, name="approval_list"),
    path("approvals/orders/decide/", bulk_views.orders_decide, name="orders_decide"),
    path("approvals/orders/<order_no:order_no>/", views.order_approve, name="order_approve"),
    path("approvals/declarations/<batch_key:declaration_id>/", views.declaration_decide, name="declaration_decide"),
    path("approvals/batches/<batch_key:batch_id>/", views.batch_approve, name="batch_approve"),
]
