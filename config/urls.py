"""All addresses of the site."""

from django.contrib import admin
from django.urls import include, path

from config.api import NoSuchEndpointView
from config.components import components
from config.measuring import metrics
from config.views import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("components/", components, name="components"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("impersonation/", include("hijack.urls")),
    path("api/v1", NoSuchEndpointView.as_view()),  # or Django would send callers on by a page
    path("api/v1/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("accounts.entrance")),
    path("", include("webhooks.urls")),
    path("", include("catalog.urls")),
    path("", include("classifier.urls")),
]

handler400 = "config.views.bad_request"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
