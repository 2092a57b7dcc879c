from django.urls import path

from . import views

urlpatterns = [
    path("approvals/", views.approval_list, name="approval_list"),
    path("approvals/orders/<order_no:order_no>/", views.order_approve, name="order_approve"),
    path("approvals/batches/<batch_key:batch_id>/", views.batch_approve, name="batch_approve"),
]
