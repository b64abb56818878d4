"""What must open after bad images were sent: lists, pages and files, in the portal, the API and the admin."""

from django.urls import reverse

from catalog.models import Product, ProductImage

ADMIN_LISTS = (
    *("catalog_product", "catalog_productimage", "catalog_decision"),
    *("classifier_classification", "classifier_prediction", "accounts_auditevent"),
)
VARIANTS = ("display", "thumbnail", "small", "original")


def portal_pages():
    """The portal's lists, and the page of each product."""
    yield from ("/", "/products/", "/products/?view=grid", "/review/")
    for public_id in Product.objects.values_list("public_id", flat=True):
        yield f"/products/{public_id}"


def admin_pages():
    """The admin's lists, and the page of each image."""
    for name in ADMIN_LISTS:
        yield reverse(f"admin:{name}_changelist")
    for pk in ProductImage.objects.values_list("pk", flat=True):
        yield reverse("admin:catalog_productimage_change", args=[pk])


def api_pages():
    """The API's lists, and each product."""
    yield from ("/api/v1/products", "/api/v1/products?page_size=5", "/api/v1/products?q=photo")
    for public_id in Product.objects.values_list("public_id", flat=True):
        yield f"/api/v1/products/{public_id}"


def files():
    """Each file of each image."""
    for public_id in ProductImage.objects.values_list("public_id", flat=True):
        yield from (f"/media/{public_id}/{variant}" for variant in VARIANTS)


def unopened(client, addresses):
    """Those of the addresses that are not answered with a page or file, with their status."""
    wrong = {}
    for address in addresses:
        response = client.get(address, follow=True)
        if response.status_code != 200:
            wrong[address] = response.status_code
        if response.streaming:
            b"".join(response.streaming_content)
    return wrong
