from django.urls import path

from . import views

urlpatterns = [
    path("platform/", views.platform, name="platform"),
    path("platform/confirm/", views.account_confirm, name="account_confirm"),
    path("platform/same/", views.account_same, name="account_same"),
]
