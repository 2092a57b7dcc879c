from django.urls import path

from . import actions, views

urlpatterns = [
    path("oil-cards/", views.card_list, name="card_list"),
    path("oil-cards/new/", views.card_new, name="card_new"),
    path("oil-cards/<int:card_id>/", views.card_detail, name="card_detail"),
    path("oil-cards/<int:card_id>/edit/", views.card_edit, name="card_edit"),
    path("oil-cards/<int:card_id>/compare/", actions.compare, name="card_compare"),
    path("oil-cards/<int:card_id>/send-ours/", actions.send_ours, name="card_send_ours"),
    path("oil-cards/<int:card_id>/take-theirs/", views.take_theirs, name="card_take_theirs"),
    path("oil-cards/<int:card_id>/enter-id/", actions.enter_id, name="card_enter_id"),
    path("oil-cards/<int:card_id>/never-arrived/", actions.never_arrived, name="card_never_arrived"),
    path("oil-cards/<int:card_id>/delete/", actions.delete, name="card_delete"),
    path("oil-cards/<int:card_id>/gone/", actions.gone, name="card_gone"),
    path("oil-cards/<int:card_id>/reveal/", actions.reveal, name="card_reveal"),
]
