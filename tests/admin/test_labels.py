"""Every field that the admin shows is called something in the reader's language, not by the code's name for it."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.test import RequestFactory
from django.utils.functional import Promise

from tests.support.factories import UserFactory

OURS = {"accounts", "catalog", "classifier"}
SAME_EVERYWHERE = {"ID", "SKU", "SHA-256"}
PAGES = [(model, page) for model, page in admin.site._registry.items() if model._meta.app_label in OURS]


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda part: getattr(part, "__name__", ""))
def test_it_names_what_it_shows(db, model, page):
    request = RequestFactory().get("/admin/")
    request.user = UserFactory(is_staff=True, is_superuser=True)
    shown = {(model, name) for name in page.get_list_display(request)}
    shown |= {(model, name) for name in flatten_fieldsets(page.get_fieldsets(request, model(pk=1)))}
    for inline in page.get_inline_instances(request, model(pk=1)):
        shown |= {(inline.model, name) for name in flatten_fieldsets(inline.get_fieldsets(request, model(pk=1)))}

    unnamed = set()
    for owner, name in shown:
        try:
            field = owner._meta.get_field(name) if isinstance(name, str) else None
        except FieldDoesNotExist:  # a method, which has a description of its own
            continue
        if (
            field is not None
            and field.concrete  # else the form has a control of its own by that name
            and not isinstance(field.verbose_name, Promise)
            and field.verbose_name not in SAME_EVERYWHERE
        ):
            unnamed.add(f"{owner.__name__}.{name}")
    assert unnamed == set()
