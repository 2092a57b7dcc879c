from django.urls import path

from . import actions, bulk_views, case_actions, export_views, number_views, paper_views, slow_actions, views

urlpatterns = [
    path("orders/", views.order_list, name="order_list"),
    path("orders/new/", views.order_new, name="order_new"),
    path("orders/new/oil/", views.order_new_oil, name="order_new_oil"),
    path("orders/new/hint/", number_views.mobile_hint, name="mobile_hint"),
    path("orders/new/answer/", number_views.mobile_answer, name="mobile_answer"),
    path("orders/export.<sheet:kind>", export_views.order_export, name="order_export"),
    path("orders/bulk/", bulk_views.order_bulk, name="order_bulk"),
    path("orders/evidence/", paper_views.orders_evidence, name="orders_evidence"),
    path("orders/<order_no:order_no>/", views.order_detail, name="order_detail"),
    path("orders/<order_no:order_no>/evidence/", paper_views.order_evidence, name="order_evidence"),
    path("orders/<order_no:order_no>/receipt/", paper_views.order_receipt, name="order_receipt"),
    path("orders/<order_no:order_no>/ask/", actions.ask, name="order_ask"),
    path("orders/<order_no:order_no>/cancel/", actions.cancel, name="order_cancel"),
    path("orders/<order_no:order_no>/withdraw/", actions.withdraw, name="order_withdraw"),
    path("orders/<order_no:order_no>/enter-number/", actions.enter_number, name="order_enter_number"),
    path("orders/<order_no:order_no>/take/", case_actions.take, name="order_take"),
    path("orders/<order_no:order_no>/hand-over/", case_actions.hand_over, name="order_hand_over"),
    path("orders/<order_no:order_no>/note/", case_actions.add_note, name="order_add_note"),
    path("orders/<order_no:order_no>/put-off/", case_actions.put_off, name="order_put_off"),
    path("orders/<order_no:order_no>/change-note/", case_actions.change_note, name="order_change_note"),
    path("orders/<order_no:order_no>/declare/", actions.declare, name="order_declare"),
    path("orders/<order_no:order_no>/suspended/", slow_actions.suspended, name="order_suspended"),
    path("orders/<order_no:order_no>/acknowledge/", actions.acknowledge, name="order_acknowledge"),
]
