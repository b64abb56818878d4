from django.urls import path

from webhooks import views

app_name = "webhooks"

_ONE = "settings/webhooks/<slug:number>"

urlpatterns = [
    path("settings/webhooks/", views.webhooks, name="webhooks"),
    path("merchants/<slug:public_id>/webhooks", views.create, name="create"),
    path(f"{_ONE}/", views.webhook, name="webhook"),
    path(f"{_ONE}/change", views.change, name="change"),
    path(f"{_ONE}/switch", views.switch, name="switch"),
    path(f"{_ONE}/rotate", views.rotate, name="rotate"),
    path(f"{_ONE}/test", views.test, name="test"),
    path(f"{_ONE}/delete", views.delete, name="delete"),
    path(f"{_ONE}/deliveries/<slug:delivery>/replay", views.replay, name="replay"),
]
