from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.views import merchant, session
from core.portal import posted_from

app_name = "accounts"

urlpatterns = [
    path("login", session.LoginView.as_view(), name="login"),
    path("logout", posted_from("accounts:login")(LogoutView.as_view()), name="logout"),
    path("password", session.PasswordView.as_view(), name="password"),
    path("language", session.set_language, name="language"),
    path("theme", session.set_theme, name="theme"),
    path("merchants/<slug:public_id>/settings", merchant.settings, name="merchant_settings"),
    path("merchants/<slug:public_id>/keys", merchant.create_key, name="create_key"),
    path("merchants/<slug:public_id>/keys/<int:key_id>/revoke", merchant.revoke_key, name="revoke_key"),
    path("merchant", session.switch_merchant, name="switch_merchant"),
]
