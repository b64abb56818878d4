from django.urls import path

from classifier import views

app_name = "classifier"

urlpatterns = [
    path("products/<slug:public_id>/classify-again", views.classify_again, name="classify_again"),
]
