"""allauth's pages that the portal shows, under the names that allauth calls them by, and at addresses of ours.

What is not listed does not exist here: several e-mails for one person, log-in by codes in mails, telephone numbers.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.account.decorators import reauthentication_required
from django.urls import include, path, re_path

from accounts.views import devices, session

urlpatterns = [
    path("login", session.LoginView.as_view(), name="account_login"),
    path("logout", session.log_out, name="account_logout"),
    path("password", session.PasswordView.as_view(), name="account_change_password"),
    path("password", session.PasswordView.as_view(), name="account_set_password"),
    path("switched-off", account.account_inactive, name="account_inactive"),
    path("sign-up", account.signup, name="account_signup"),
    path("confirm-email", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)$", account.confirm_email, name="account_confirm_email"),
    path("password/reset", account.password_reset, name="account_reset_password"),
    path("password/reset/sent", account.password_reset_done, name="account_reset_password_done"),
    path("password/reset/done", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("settings/password-again", account.reauthenticate, name="account_reauthenticate"),
    path("settings/email", reauthentication_required(account.email, app="allauth.mfa"), name="account_email"),
    path("settings/devices", devices.list_devices, name="usersessions_list"),
    path("settings/security/", include("allauth.mfa.urls")),
]
