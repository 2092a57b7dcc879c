from django.urls import path

from . import actions, views

urlpatterns = [
    path("stop/", views.emergency_stop, name="emergency_stop"),
    path("stop/go-on/", actions.go_on, name="go_on"),
]
