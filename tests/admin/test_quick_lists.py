"""The markup of the admin's lists that is worked out once is what the theme would have written each time."""

import pytest
from django.contrib.admin import AdminSite, site
from django.contrib.admin.templatetags import admin_urls
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override
from unfold import utils
from unfold.templatetags import unfold_list

from catalog.admin.products import STATUS_COLOURS
from catalog.models import Product
from tests.support.factories import UserFactory

IMAGE = {"path": "/media/a?b=1&c=2", "squared": True}


@pytest.mark.parametrize(
    "value",
    [
        ["Coat", "SKU-1", "", IMAGE],
        ["-SUBTITLE-", "-TITLE- -PATH-", "", IMAGE],
        ["<b>Coat</b>", "'\"&", "", {**IMAGE, "path": '"><script>'}],
        ["", "", "", None],
        ["Coat", "", "CO"],
        ["Coat", "SKU-1"],
        ("Coat", "SKU-1", "", {"squared": True}),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_name_with_what_is_beside_it(value, language):
    with override(language):
        for _again in range(2):
            assert unfold_list.display_for_header(value, "-") == utils.display_for_header(value, "-")


@pytest.mark.parametrize("text", ["발행됨", "published", "게시됨", "<i>", "", "nothing of these"])
def test_a_word_on_a_colour(text):
    colours = STATUS_COLOURS | {text: "danger"}
    for label in (STATUS_COLOURS, colours, True):
        for _again in range(2):
            assert unfold_list.display_for_label(text, "-", label) == utils.display_for_label(text, "-", label)


def test_what_is_no_text_is_the_themes():
    colours = {"a": "info"}
    for value in (None, 3, ("a", "b"), gettext_lazy("Products"), mark_safe("a"), mark_safe("<i>a</i>")):
        assert unfold_list.display_for_label(value, "-", colours) == utils.display_for_label(value, "-", colours)


@pytest.mark.parametrize("filters", ["", "_changelist_filters=q%3D%25%26%2B%EB%8B%88%ED%8A%B8%26status%3Dready"])
@pytest.mark.parametrize(
    "address",
    [
        "/admin/catalog/product/{}/change/",
        "/admin/catalog/product/",
        "/admin/catalog/product/{}/change/?x=1",
        "/nowhere/{}",
    ],
)
def test_a_link_that_keeps_the_list_s_filters(filters, address):
    context = {"preserved_filters": filters, "opts": Product._meta}
    for key in (1, 20, 3):
        url = address.format(key)
        assert unfold_list.add_preserved_filters(context, url) == admin_urls.add_preserved_filters(context, url)


def test_the_applications_are_those_of_whoever_asks(admin, rf):
    request = rf.get("/admin/")
    request.user = admin
    labels = [one["app_label"] for one in site.get_app_list(request)]
    assert labels == [one["app_label"] for one in AdminSite.get_app_list(site, request)]
    request.user = UserFactory(is_staff=True)
    assert not site.get_app_list(request)
    assert site.each_context(request)["available_apps"] == []
