from django.contrib.auth import views as auth_views
from django.urls import path

from . import factor_views, views
from .outside import views as outside_views

urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/outside/<slug:provider>/", outside_views.outside_begin, name="outside_begin"),
    path("accounts/outside/<slug:provider>/back/", outside_views.outside_back, name="outside_back"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/password_change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password_change/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("accounts/factor/", factor_views.factor_check, name="factor_check"),
    path("accounts/factors/", factor_views.factor_list, name="factors"),
    path("accounts/factors/app/", factor_views.factor_app, name="factor_app"),
    path("accounts/factors/passkey/", factor_views.factor_passkey, name="factor_passkey"),
    path("accounts/factors/<int:factor_id>/remove/", factor_views.factor_remove, name="factor_remove"),
    path("accounts/factors/codes/", factor_views.factor_codes, name="factor_codes"),
    path("accounts/factors/codes/new/", factor_views.factor_codes_new, name="factor_codes_new"),
    path("sessions/", views.session_list, name="session_list"),
    path("sessions/end-others/", views.sessions_end, name="sessions_end"),
    path("sessions/<int:session_id>/end/", views.session_end, name="session_end"),
    path("admin/login/", views.LoginView.as_view()),  # sessions of admin's own would have no limits
    path("admin/password_change/", views.PasswordChangeView.as_view()),  # admin's own counts no wrong ones
]
