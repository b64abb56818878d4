"""The address at which the API's description is read."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_written: dict[str, str | bytes] = {}


class SchemaView(SpectacularAPIView):
    """The description, as YAML or JSON. It is the same for everybody and takes seconds to write: it is written once.

    It is written in English, so what is translated of it is English as well.
    """

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Read it."""
        renderer = request.accepted_renderer
        media_type = str(renderer.media_type)
        if media_type not in _written:
            with translation.override("en"):
                schema = self.generator_class().get_schema(request=request, public=True)  # type: ignore[no-untyped-call]  # spectacular's
                _written[media_type] = renderer.render(schema, renderer_context={})
        return HttpResponse(
            _written[media_type],
            content_type=f"{media_type}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="otjang.{renderer.format}"'},
        )
