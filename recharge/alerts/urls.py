from django.urls import path

from . import actions, channel_views, views

urlpatterns = [
    path("alerts/", views.alert_list, name="alert_list"),
    path("alerts/<int:alert_id>/", views.alert_detail, name="alert_detail"),
    path("alerts/<int:alert_id>/acknowledge/", actions.acknowledge, name="alert_acknowledge"),
    path("alerts/rules/", views.alert_rules, name="alert_rules"),
    path("alerts/rules/<str:kind>/", views.alert_rule, name="alert_rule"),
    path("alerts/quiet-hours/", views.alert_quiet_hours, name="alert_quiet_hours"),
    path("alerts/channels/", channel_views.alert_channels, name="alert_channels"),
    path("alerts/channels/new/<str:kind>/", channel_views.alert_channel_new, name="alert_channel_new"),
    path("alerts/channels/<int:channel_id>/", channel_views.alert_channel, name="alert_channel"),
    path("alerts/channels/<int:channel_id>/test/", actions.send_test, name="alert_channel_test"),
    path("alerts/channels/<int:channel_id>/remove/", actions.remove, name="alert_channel_remove"),
]
