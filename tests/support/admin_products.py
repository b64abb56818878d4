"""The page of a product in the admin, and what its form would send."""

from django.urls import reverse


def product_page(product):
    return reverse("admin:catalog_product_change", args=[product.pk])


def product_fields(client, product):
    """What the page's form would send if nothing were touched."""
    response = client.get(product_page(product))
    form = response.context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields if name != "images"}
    data |= {
        form[name].html_initial_name: form[name].initial or ""
        for name, field in form.fields.items()
        if field.show_hidden_initial
    }
    for inline in response.context["inline_admin_formsets"]:
        management = inline.formset.management_form
        data |= {management.add_prefix(name): management[name].value() for name in management.fields}
    return data
