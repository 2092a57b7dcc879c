from django.urls import path

from . import actions, export_views, upload_views, views

urlpatterns = [
    path("batches/", views.batch_list, name="batch_list"),
    path("batches/new/", upload_views.batch_new, name="batch_new"),
    path("batches/new/<uuid:draft_id>/", upload_views.batch_preview, name="batch_preview"),
    path("batches/new/<uuid:draft_id>/columns/", upload_views.batch_columns, name="batch_columns"),
    path("batches/new/<uuid:draft_id>/quantities/", upload_views.batch_quantities, name="batch_quantities"),
    path("batches/new/<uuid:draft_id>/numbers/", upload_views.batch_numbers, name="batch_numbers"),
    path("batches/new/<uuid:draft_id>/again/", upload_views.batch_judge_again, name="batch_judge_again"),
    path("batches/new/<uuid:draft_id>/<lines:which>.<sheet:kind>", upload_views.batch_lines, name="batch_lines"),
    path("batches/template/<product:product>.<sheet:kind>", upload_views.batch_template, name="batch_template"),
    path("batches/<batch_key:batch_id>/", views.batch_detail, name="batch_detail"),
    path("batches/<batch_key:batch_id>/results.<sheet:kind>", export_views.batch_results, name="batch_results"),
    path("batches/<batch_key:batch_id>/pause/", actions.pause, name="batch_pause"),
    path("batches/<batch_key:batch_id>/resume/", actions.resume, name="batch_resume"),
    path("batches/<batch_key:batch_id>/withdraw/", actions.withdraw, name="batch_withdraw"),
    path("batches/<batch_key:batch_id>/skip/", actions.skip_canary, name="batch_skip"),
    path("batches/<batch_key:batch_id>/schedule/", actions.schedule, name="batch_schedule"),
    path("batches/<batch_key:batch_id>/again/", actions.make_anew, name="batch_again"),
]
