from django.urls import path

from . import views

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/export.<sheet:kind>", views.audit_export, name="audit_export"),
]
