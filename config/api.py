"""The one place where the API's routes come together, under /api/v1/."""

from django.http import Http404
from django.urls import path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.api import images, products, taxonomy, values
from classifier.api import classification, garments

app_name = "api"


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
    path("attributes", taxonomy.TaxonomyView.as_view(), name="attributes"),
    path("products", products.ProductListView.as_view(), name="products"),
    path("products/<slug:public_id>", products.ProductView.as_view(), name="product"),
    path("products/<slug:public_id>/publish", products.ProductPublishView.as_view(), name="publish"),
    path("products/<slug:public_id>/classify", classification.ProductClassifyView.as_view(), name="classify"),
    path("products/<slug:public_id>/attributes/<slug:code>", values.ProductAttributeView.as_view(), name="attribute"),
    path("products/<slug:public_id>/images", images.ProductImageListView.as_view(), name="images"),
    path("products/<slug:public_id>/images/<slug:image_id>", images.ProductImageView.as_view(), name="image"),
    path(
        "products/<slug:public_id>/images/<slug:image_id>/garments",
        garments.ImageGarmentListView.as_view(),
        name="garments",
    ),
    path(
        "products/<slug:public_id>/images/<slug:image_id>/garments/<int:garment>",
        garments.ImageGarmentView.as_view(),
        name="garment",
    ),
    # The schema is the same for everybody, so nobody needs to say who they are.
    path("schema", SpectacularAPIView.as_view(authentication_classes=[]), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="api:schema", authentication_classes=[]), name="docs"),
    re_path("", NoSuchEndpointView.as_view()),
]
