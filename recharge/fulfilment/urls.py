from django.urls import path

from . import views

urlpatterns = [
    path("callback/<str:token>/", views.callback, name="callback"),
]
