"""All addresses of the site."""

from django.contrib import admin
from django.urls import include, path

from config.components import components
from config.views import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("components/", components, name="components"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("impersonation/", include("hijack.urls")),
    path("api/v1/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("accounts.entrance")),
    path("", include("catalog.urls")),
    path("", include("classifier.urls")),
]

handler400 = "config.views.bad_request"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
