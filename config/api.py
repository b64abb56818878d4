"""The one place where the API's routes come together, under /api/v1/."""

from django.http import Http404
from django.urls import path, re_path, register_converter
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import usage
from accounts.idempotent_views import idempotent
from catalog.api import bulk, fetches, operation_starts, operations
from catalog.api.images import ProductImageViewSet
from catalog.api.moves import ProductMoveViewSet
from catalog.api.products import ProductViewSet
from catalog.api.taxonomy import AttributeViewSet
from catalog.api.values import ProductValueViewSet
from classifier.api import garments, jobs, models, stateless
from core.api import SentenceJSONParser, problem_pages
from core.api.schema_page import SchemaView
from core.ids import PublicIdConverter
from core.multipart import FormParser
from webhooks.api import deliveries, endpoints

app_name = "api"
register_converter(PublicIdConverter, "id")


@extend_schema(exclude=True)
class NoSuchEndpointView(APIView):
    """Answers every other address in the API's own shape of errors."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse.

        Raises:
            Http404: always, whatever the method.
        """
        raise Http404


urlpatterns = [
    path("attributes", AttributeViewSet.as_view({"get": "list"}), name="attributes"),
    path("attributes/<slug:code>", AttributeViewSet.as_view({"get": "retrieve"}), name="taxonomy_attribute"),
    path(
        "products",
        ProductViewSet.as_view({"get": "list", "post": "create"}, parser_classes=(SentenceJSONParser, FormParser)),
        name="products",
    ),
    path("products/bulk", bulk.ProductBulkView.as_view(), name="bulk"),
    path("products/export", bulk.ProductExportView.as_view(), name="export"),
    path(
        "products/<id:public_id>",
        ProductViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="product",
    ),
    *(
        path(f"products/<id:public_id>/{move}", ProductMoveViewSet.as_view({"post": move}), name=move)
        for move in ("publish", "unpublish", "archive", "restore")
    ),
    path("products/<id:public_id>/attributes", ProductValueViewSet.as_view({"get": "every"}), name="values"),
    path(
        "products/<id:public_id>/attributes/<slug:code>",
        ProductValueViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="attribute",
    ),
    path("products/<id:public_id>/decisions", ProductValueViewSet.as_view({"get": "decisions"}), name="decisions"),
    path(
        "products/<id:public_id>/images",
        ProductImageViewSet.as_view({"get": "list", "post": "create"}, parser_classes=(FormParser, SentenceJSONParser)),
        name="images",
    ),
    path(
        "products/<id:public_id>/images/order",
        ProductImageViewSet.as_view({"put": "reorder"}),
        name="images_order",
    ),
    path(
        "products/<id:public_id>/images/<id:image_id>",
        ProductImageViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="image",
    ),
    *(
        path(
            f"products/<id:public_id>/images/<id:image_id>/{move}",
            ProductImageViewSet.as_view({"post": move}),
            name=f"image_{move}",
        )
        for move in ("archive", "restore")
    ),
    path(
        "products/<id:public_id>/images/<id:image_id>/garments",
        garments.ImageGarmentListView.as_view(),
        name="garments",
    ),
    path(
        "products/<id:public_id>/images/<id:image_id>/garments/<int:garment>",
        garments.ImageGarmentView.as_view(),
        name="garment",
    ),
    # Classification
    path("classify", stateless.ClassifyView.as_view(), name="classify"),
    path("classify/<id:public_id>", stateless.ClassifyRequestView.as_view(), name="classify-request"),
    path("classifications", jobs.JobListView.as_view(), name="classifications"),
    path("classifications/<int:job_id>", jobs.JobView.as_view(), name="classification"),
    path("classifications/<int:job_id>/retry", jobs.JobRetryView.as_view(), name="classification-retry"),
    path("classifications/<int:job_id>/cancel", jobs.JobCancelView.as_view(), name="classification-cancel"),
    path("products/<id:public_id>/classify", jobs.ProductClassificationView.as_view(), name="classify-product"),
    path("models", models.ModelListView.as_view(), name="models"),
    path("models/<int:model_id>", models.ModelView.as_view(), name="model"),
    path("products/<id:public_id>/fetches", fetches.ProductFetchListView.as_view(), name="fetches"),
    path("products/<id:public_id>/fetches/<id:fetch_id>", fetches.ProductFetchView.as_view(), name="fetch"),
    path("webhooks", endpoints.WebhookListView.as_view(), name="webhooks"),
    path("webhooks/<id:webhook_id>", endpoints.WebhookView.as_view(), name="webhook"),
    path("webhooks/<id:webhook_id>/rotate", endpoints.WebhookRotateView.as_view(), name="webhook_rotate"),
    path("webhooks/<id:webhook_id>/test", endpoints.WebhookTestView.as_view(), name="webhook_test"),
    path("webhooks/<id:webhook_id>/deliveries", deliveries.DeliveryListView.as_view(), name="deliveries"),
    path(
        "webhooks/<id:webhook_id>/deliveries/<id:delivery_id>",
        deliveries.DeliveryView.as_view(),
        name="delivery",
    ),
    path(
        "webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/replay",
        deliveries.DeliveryReplayView.as_view(),
        name="delivery_replay",
    ),
    path("operations", operations.OperationListView.as_view(), name="operations"),
    path("operations/bulk", operation_starts.BulkActionView.as_view(), name="start_bulk"),
    path("operations/export", operation_starts.ExportView.as_view(), name="start_export"),
    path("operations/import", operation_starts.ImportView.as_view(), name="start_import"),
    path("operations/<id:public_id>", operations.OperationView.as_view(), name="operation"),
    path("operations/<id:public_id>/pause", operations.PauseView.as_view(), name="pause_operation"),
    path("operations/<id:public_id>/resume", operations.ResumeView.as_view(), name="resume_operation"),
    path("operations/<id:public_id>/cancel", operations.CancelView.as_view(), name="cancel_operation"),
    path("operations/<id:public_id>/undo", operation_starts.UndoView.as_view(), name="undo_operation"),
    path("operations/<id:public_id>/import", operation_starts.StartImportView.as_view(), name="import_checked"),
    path("operations/<id:public_id>/result", operations.ResultView.as_view(), name="operation_result"),
    path("problems", problem_pages.ProblemTypeListView.as_view(), name="problems"),
    path("problems/<slug:code>", problem_pages.ProblemTypeView.as_view(), name="problem"),
    path("usage", usage.UsageView.as_view(), name="usage"),
    # The schema is the same for everybody, so nobody needs to say who they are.
    path("schema", SchemaView.as_view(authentication_classes=[]), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api:schema", authentication_classes=[]), name="docs"),
    path(
        "redoc",
        SpectacularRedocView.as_view(url_name="api:schema", template_name="api/redoc.html", authentication_classes=[]),
        name="redoc",
    ),
    re_path("", NoSuchEndpointView.as_view()),
]

idempotent(urlpatterns)  # whatever is added above takes an Idempotency-Key
