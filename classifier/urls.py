from django.urls import path

from classifier import acceptance_views, views

app_name = "classifier"

_BOXES = "products/<slug:public_id>/images/<slug:image_id>/boxes"

urlpatterns = [
    path("settings/thresholds/", acceptance_views.thresholds, name="thresholds"),
    path(
        "merchants/<slug:public_id>/thresholds/<slug:code>", acceptance_views.choose_threshold, name="choose_threshold"
    ),
    path("products/<slug:public_id>/classify-again", views.classify_again, name="classify_again"),
    path(_BOXES, views.boxes, name="boxes"),
    path(f"{_BOXES}/describe", views.describe_boxes, name="describe_boxes"),
    path(f"{_BOXES}/<int:garment>", views.change_box, name="change_box"),
    path(f"{_BOXES}/<int:garment>/remove", views.remove_box, name="remove_box"),
    path(f"{_BOXES}/<int:garment>/take-back", views.take_back_box, name="take_back_box"),
]
