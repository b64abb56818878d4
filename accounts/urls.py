from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views
from accounts.portal import posted_from

app_name = "accounts"

urlpatterns = [
    path("login", views.LoginView.as_view(), name="login"),
    path("logout", posted_from("accounts:login")(LogoutView.as_view()), name="logout"),
    path("language", views.set_language, name="language"),
    path("shops/<slug:public_id>/settings", views.shop_settings, name="shop_settings"),
    path("shop", views.switch_merchant, name="switch_merchant"),
]
