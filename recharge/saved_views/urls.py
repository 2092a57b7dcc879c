from django.urls import path

from . import views

urlpatterns = [
    path("views/<order_no:page>/new/", views.view_new, name="view_new"),
    path("views/<batch_key:view_id>/change/", views.view_change, name="view_change"),
    path("views/<batch_key:view_id>/delete/", views.view_delete, name="view_delete"),
]
