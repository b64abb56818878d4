from django.urls import path

from catalog.views import bulk, home, media, new_product, product, products, review_queue, saved_views, undo, uploads

app_name = "catalog"

urlpatterns = [
    path("", home.home, name="home"),
    path("home/live", home.live, name="home_live"),
    path("products/", products.product_list, name="products"),
    path("products/new", new_product.new_product, name="new_product"),
    path("products/new/", new_product.new_product, name="new_product"),
    path("products/new/<slug:number>/images", new_product.draft_images, name="draft_images"),
    path(
        "products/new/<slug:number>/images/<slug:image_id>/remove",
        new_product.remove_draft_image,
        name="remove_draft_image",
    ),
    path(
        "products/new/<slug:number>/images/<slug:image_id>/thumbnail",
        new_product.draft_thumbnail,
        name="draft_thumbnail",
    ),
    path("products/new/<slug:number>/save", new_product.save_draft, name="save_draft"),
    path("products/new/<slug:number>/discard", new_product.discard_draft, name="discard_draft"),
    path("products/rows/", products.changed_rows, name="changed_rows"),
    path("products/columns/", products.choose_columns, name="choose_columns"),
    path("products/views/", saved_views.saved_views, name="saved_views"),
    path("products/views/<slug:public_id>/rename", saved_views.rename_saved_view, name="rename_saved_view"),
    path("products/views/<slug:public_id>/delete", saved_views.delete_saved_view, name="delete_saved_view"),
    path("products/bulk/", bulk.recent, name="bulk"),
    path("products/bulk/ask", bulk.ask, name="bulk_ask"),
    path("products/bulk/start", bulk.start, name="bulk_start"),
    path("products/bulk/<slug:public_id>", bulk.operation_page, name="bulk_operation"),
    path("products/bulk/<slug:public_id>/live", bulk.live, name="bulk_live"),
    path("products/bulk/<slug:public_id>/moves/<slug:action>", bulk.move, name="bulk_move"),
    path("products/<slug:public_id>", product.product_page, name="product"),
    path("products/<slug:public_id>/cell", products.edit_cell, name="edit_cell"),
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
    path("review/", review_queue.review_page, name="review_queue"),
    path("review/batch", review_queue.batch, name="review_batch"),
    path("review/claims", review_queue.claims, name="review_claims"),
    path("review/<slug:public_id>/answer", review_queue.answer, name="review_answer"),
    path("review/<slug:public_id>/undo", review_queue.undo, name="review_undo"),
    path("media/<slug:public_id>/<slug:variant>", media.media, name="media"),
]
