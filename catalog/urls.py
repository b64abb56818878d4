from django.urls import path

from catalog.views import media, product, products, uploads

app_name = "catalog"

urlpatterns = [
    path("", products.product_list, name="products"),
    path("products/new", uploads.new_product, name="new_product"),
    path("products/<slug:public_id>", product.product_page, name="product"),
    path("products/<slug:public_id>/live", product.live, name="live"),
    path("products/<slug:public_id>/values", product.values, name="values"),
    path("products/<slug:public_id>/review", product.review, name="review"),
    path("products/<slug:public_id>/details", product.details, name="details"),
    path("products/<slug:public_id>/photographs", uploads.add_photographs, name="add_photographs"),
    path(
        "products/<slug:public_id>/photographs/<slug:image_id>/remove",
        uploads.remove_photograph,
        name="remove_photograph",
    ),
    path(
        "products/<slug:public_id>/photographs/<slug:image_id>/put-back",
        uploads.put_back_photograph,
        name="put_back_photograph",
    ),
    path(
        "products/<slug:public_id>/photographs/<slug:image_id>/delete",
        uploads.delete_photograph,
        name="delete_photograph",
    ),
    path("products/<slug:public_id>/delete", product.delete, name="delete"),
    path("products/<slug:public_id>/moves/<slug:action>", product.move, name="move"),
    path("media/<slug:public_id>/<slug:variant>", media.media, name="media"),
]
