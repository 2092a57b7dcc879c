from django.urls import path

from . import views

urlpatterns = [
    path("attention/", views.attention, name="attention"),
    path("mine/", views.mine, name="mine"),
]
