from django.urls import path

from . import intervention_views, views

urlpatterns = [
    path("oil-cards/", views.card_list, name="card_list"),
    path("oil-cards/new/", views.card_new, name="card_new"),
    path("oil-cards/<int:card_id>/", views.card_detail, name="card_detail"),
    path("oil-cards/<int:card_id>/edit/", views.card_edit, name="card_edit"),
    path("oil-cards/<int:card_id>/compare/", intervention_views.compare, name="card_compare"),
    path("oil-cards/<int:card_id>/send-ours/", intervention_views.send_ours, name="card_send_ours"),
    path("oil-cards/<int:card_id>/take-theirs/", intervention_views.take_theirs, name="card_take_theirs"),
    path("oil-cards/<int:card_id>/enter-id/", intervention_views.enter_id, name="card_enter_id"),
    path("oil-cards/<int:card_id>/never-arrived/", intervention_views.never_arrived, name="card_never_arrived"),
    path("oil-cards/<int:card_id>/delete/", intervention_views.delete, name="card_delete"),
    path("oil-cards/<int:card_id>/gone/", intervention_views.gone, name="card_gone"),
    path("oil-cards/<int:card_id>/reveal/", intervention_views.reveal, name="card_reveal"),
]
