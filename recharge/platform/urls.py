from django.urls import path

from . import probe_views, views

urlpatterns = [
    path("platform/", views.platform, name="platform"),
    path("platform/confirm/", views.account_confirm, name="account_confirm"),
    path("platform/other-ways/", views.other_ways_ask, name="other_ways_ask"),
    path("platform/other-ways/decide/", views.other_ways_decide, name="other_ways_decide"),
    path("platform/check/", views.platform_check, name="platform_check"),
    path("callback/probe/<str:token>/", probe_views.callback_probe, name="callback_probe"),
    path("platform/same/", views.account_same, name="account_same"),
]
