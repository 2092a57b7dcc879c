from django.urls import path

from .callback import callback

urlpatterns = [
    path("callback/<str:token>/", callback, name="callback"),
]
