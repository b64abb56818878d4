"""The page that shows every component of the portal in every state, for those who build its pages."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.display import STATUS_SHAPES
from catalog.models import Product

COLOURS = (
    *("ink", "soft", "ground", "paper", "raised", "wash", "line", "line-strong", "accent", "accent-tint"),
    *("doubt", "doubt-tint", "alarm", "alarm-tint", "ok"),
)


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show them to staff, and with DEBUG to everybody; for all others there is no such page."""
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404
    statuses = [(status, STATUS_SHAPES[status], Product.Status(status).label) for status in Product.Status]
    context = {"themes": ("light", "dark"), "colours": COLOURS, "statuses": statuses}
    return render(request, "components/page.html", context)
