from django.urls import path

from . import actions, claim_views, views

urlpatterns = [
    path("refunds/", views.refunds, name="refunds"),
    path("refunds/claims/", claim_views.claim_list, name="claim_list"),
    path("refunds/claims/new/", claim_views.claim_new, name="claim_new"),
    path("refunds/claims/<batch_key:claim_id>/", claim_views.claim_detail, name="claim_detail"),
    path("refunds/claims/<batch_key:claim_id>/claim.<sheet:kind>", claim_views.claim_sheet, name="claim_sheet"),
    path("refunds/claims/<batch_key:claim_id>/refused/", actions.refuse, name="claim_refused"),
    path("refunds/claims/<batch_key:claim_id>/take-out/", actions.withdraw, name="claim_take_out"),
]
