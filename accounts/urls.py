from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import shop, views
from accounts.portal import posted_from

app_name = "accounts"

urlpatterns = [
    path("login", views.LoginView.as_view(), name="login"),
    path("logout", posted_from("accounts:login")(LogoutView.as_view()), name="logout"),
    path("password", views.PasswordView.as_view(), name="password"),
    path("language", views.set_language, name="language"),
    path("shops/<slug:public_id>/settings", shop.settings, name="shop_settings"),
    path("shops/<slug:public_id>/keys", shop.create_key, name="create_key"),
    path("shops/<slug:public_id>/keys/<int:key_id>/revoke", shop.revoke_key, name="revoke_key"),
    path("shop", views.switch_merchant, name="switch_merchant"),
]
