from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from . import views
from .accounts import views as account_views

handler400 = "portal.views.bad_request"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("accounts/login/", account_views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/password_change/", account_views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password_change/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("language/setlang/", login_not_required(set_language), name="set_language"),
    path("admin/password_change/", account_views.PasswordChangeView.as_view()),  # admin's own counts no wrong ones
    path("admin/", admin.site.urls),
    path("", include("recharge.urls")),
    path("", include("oilcards.urls")),
]
