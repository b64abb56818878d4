"""What Django REST framework and drf-spectacular are told: nothing of it depends on where the site runs."""

from __future__ import annotations

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.access.ApiAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.SentenceJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "core.api.CursorPages",
    "DEFAULT_METADATA_CLASS": None,  # the schema says it all
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.access.ApiThrottle"],
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Otjang API",
    "DESCRIPTION": (
        "Create products, upload their images, read what models see in them, and override it.\n\n"
        "- Send a key with every request, `Authorization: Bearer otj_…`. Owners make keys in the merchant's settings. "
        "Who is logged in to the portal can try every operation on `/api/v1/docs` without one.\n"
        "- Errors are `application/problem+json`; `code` is for programs, and `/api/v1/problems` explains all codes.\n"
        "- A POST or PATCH with an `Idempotency-Key` of your own can be sent again without being done twice.\n"
        "- Lists have pages: follow `next`."
    ),
    "TAGS": [  # in the order in which pages show them
        {"name": "products", "description": "What a merchant sells, with its images, proposals and values."},
        {"name": "images", "description": "A product's images."},
        {"name": "values", "description": "A product's category and other attributes: read, decide, take back."},
        {"name": "attributes", "description": "The attributes that there are, with all values that can be decided."},
        {"name": "classify", "description": "What images show, without storing them."},
        {"name": "classifications", "description": "The jobs of looking at stored images."},
        {"name": "operations", "description": "Long jobs on many products: bulk actions, exports, imports."},
        {"name": "webhooks", "description": "Being called when something happens."},
        {"name": "models", "description": "The models that serve or have served."},
        {"name": "usage", "description": "What a key may do, and what is left of the day."},
        {"name": "problems", "description": "The codes of errors."},
    ],
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        "ProductStatus": "catalog.models.Product.Status",
        "TopCategorySource": "catalog.models.Product.TopCategorySource",
        "ValueState": "catalog.models.ProductAttribute.State",
        "ValueSource": "catalog.shown_values.SOURCES",
        "Channel": "accounts.channels.Channel",
        "DecisionKind": "catalog.models.Decision.Kind",
        "UploadOutcome": "catalog.api.serializers.images.OUTCOMES",
        "ReasonCode": "catalog.proposal.ReasonCode",
        "ClassificationState": "catalog.api.serializers.images.JOB_STATES",
        "FetchState": "catalog.models.FetchedImage.State",
        "DeliveryState": "webhooks.models.Delivery.State",
        "EventType": "webhooks.models.EventType",
        "SubscribableEventType": "webhooks.models.SUBSCRIBABLE_CHOICES",
        "EndpointOffReason": "webhooks.models.Endpoint.OffReason",
        "ClassifyState": "classifier.api.stateless.STATES",
        "GarmentState": "classifier.api.garments.STATES",
        "ModelState": "classifier.api.models.STATES",
    },
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "pattern": "^[0-9abcdefghjkmnpqrstvwxyz]{20}$"}},
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.idempotent_views.describe_keys",
        "core.api.schema.summarise",
        "core.api.schema.complete_refusals",
    ],
}
