from django.urls import path

from . import views

urlpatterns = [
    path("stop/", views.emergency_stop, name="emergency_stop"),
    path("stop/go-on/", views.go_on, name="go_on"),
]
