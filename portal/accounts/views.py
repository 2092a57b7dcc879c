"""Django's pages for signing in and for a new password; whoever comes through has just typed the password."""

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from . import password


class LoginView(views.LoginView):
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        password.remember(self.request)
        return response


class PasswordChangeView(views.PasswordChangeView):
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        password.remember(self.request)
        return response

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        if form.has_error("old_password", "password_incorrect"):
            password.count_wrong(self.request)
        return signed_out(self.request) if self.request.user.is_anonymous else super().form_invalid(form)


def signed_out(request: HttpRequest) -> HttpResponse:
    """Send whoever was signed out for too many wrong passwords to sign in again."""
    messages.error(request, _("The password was wrong too often: you have been signed out. Nothing was changed."))
    return redirect("login")
