from django.urls import path

from . import actions, slow_actions, slow_views, views

urlpatterns = [
    path("stop/", views.emergency_stop, name="emergency_stop"),
    path("stop/go-on/", actions.go_on, name="go_on"),
    path("slow/", slow_views.slow_hold, name="slow_hold"),
    path("slow/release/", slow_actions.release, name="slow_release"),
]
