from django.urls import path

from . import views

urlpatterns = [
    path("readings/", views.reading_list, name="reading_list"),
    path("readings/teach/<batch_key:event_id>/", views.reading_teach, name="reading_teach"),
    path("readings/teach/checked/", views.reading_teach_checked, name="reading_teach_checked"),
    path("readings/<batch_key:reading_id>/", views.reading_detail, name="reading_detail"),
]
