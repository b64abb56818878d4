from django.urls import path

from catalog.views import media, product, products, undo, uploads

app_name = "catalog"

urlpatterns = [
    path("", products.product_list, name="products"),
    path("products/new", uploads.new_product, name="new_product"),
    path("products/<slug:public_id>", product.product_page, name="product"),
    path("products/<slug:public_id>/live", product.live, name="live"),
    path("products/<slug:public_id>/values", product.values, name="values"),
    path("products/<slug:public_id>/review", product.review, name="review"),
    path("products/<slug:public_id>/details", product.details, name="details"),
    path("products/<slug:public_id>/images", uploads.add_images, name="add_images"),
    path(
        "products/<slug:public_id>/images/<slug:image_id>/remove",
        uploads.remove_image,
        name="remove_image",
    ),
    path(
        "products/<slug:public_id>/images/<slug:image_id>/put-back",
        uploads.put_back_image,
        name="put_back_image",
    ),
    path(
        "products/<slug:public_id>/images/<slug:image_id>/delete",
        uploads.delete_image,
        name="delete_image",
    ),
    path("products/<slug:public_id>/undo", undo.undo, name="undo"),
    path("products/<slug:public_id>/delete", product.delete, name="delete"),
    path("products/<slug:public_id>/moves/<slug:action>", product.move, name="move"),
    path("media/<slug:public_id>/<slug:variant>", media.media, name="media"),
]
