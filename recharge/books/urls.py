from django.urls import path

from . import views

urlpatterns = [
    path("checks/", views.check_list, name="check_list"),
]
