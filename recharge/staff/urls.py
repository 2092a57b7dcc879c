from django.urls import path

from . import views

urlpatterns = [
    path("accounts/changes/", views.account_changes, name="account_changes"),
    path("accounts/changes/<batch_key:change_id>/", views.account_change, name="account_change"),
]
