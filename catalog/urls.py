from django.urls import path

from catalog.views import bulk, media, product, products, undo, uploads

app_name = "catalog"

urlpatterns = [
    path("", products.product_list, name="products"),
    path("products/new", uploads.new_product, name="new_product"),
    path("products/bulk/", bulk.recent, name="bulk"),
    path("products/bulk/ask", bulk.ask, name="bulk_ask"),
    path("products/bulk/start", bulk.start, name="bulk_start"),
    path("products/bulk/<slug:public_id>", bulk.operation_page, name="bulk_operation"),
    path("products/bulk/<slug:public_id>/live", bulk.live, name="bulk_live"),
    path("products/bulk/<slug:public_id>/moves/<slug:action>", bulk.move, name="bulk_move"),
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
