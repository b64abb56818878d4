"""Each ready group opens everything that it is offered, and what it is not offered stays closed."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from accounts.ready_groups import NAMES, READY_GROUPS, load_groups
from classifier.models import Classification
from tests.support.admin_world import full_world, page_shape
from tests.support.factories import UserFactory, in_group

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]
_NOT_FOLLOWED = ("logout", "jsi18n", "/export.csv", "/file")


@pytest.fixture
def world(product, alice, actor_of):
    load_groups()
    return full_world(product, actor_of(alice))


def _links(page, text):
    for href in re.findall(r'(?<![:\w-])(?:href|hx-get|action)="([^"#]+)', text):
        address = urljoin(page, unescape(href))
        if address.startswith(("/admin/", "/products", "/review")) and not any(
            word in address for word in _NOT_FOLLOWED
        ):
            yield address


def _walk(client):
    """Open what is offered, page by page; returns the answers that are no page, with where they were offered."""
    waiting, seen, refused = [("/admin/", "")], {page_shape("/admin/")}, []
    while waiting:
        address, came_from = waiting.pop()
        answer = client.get(address, follow=True)
        if answer.status_code not in (200, 405):
            refused.append((answer.status_code, address, came_from))
            continue
        if "text/html" not in answer.headers["Content-Type"]:
            continue
        for link in _links(address, answer.content.decode()):
            if page_shape(link) not in seen:
                seen.add(page_shape(link))
                waiting.append((link, address))
    return refused, seen


@pytest.mark.parametrize("group", sorted(NAMES))
def test_everything_that_is_offered_opens(world, client_of, group):
    refused, seen = _walk(client_of(in_group(group)))
    assert refused == []
    assert len(seen) > 20


@pytest.mark.parametrize("group", sorted(NAMES))
def test_the_first_page_is_not_blank(world, client_of, group):
    page = client_of(in_group(group), "ko").get("/admin/")
    assert page.context["parts"]
    assert all(figure.link for part in page.context["parts"] for figure in part.figures)


def test_staff_without_a_group_are_told_what_to_ask_for(client_of, admin):
    load_groups()
    page = client_of(UserFactory(is_staff=True)).get("/admin/").text
    assert "Taxonomy keeper" in page
    assert f"mailto:{admin.email}" in page


OPENS = {
    "Reviewer": ["admin:catalog_product_review"],
    "Support": ["admin:accounts_user_changelist"],
    "Taxonomy keeper": ["admin:catalog_attributevalue_add"],
    "Model keeper": ["admin:classifier_acceptancethreshold_quality", "admin:classifier_shadowreport_changelist"],
    "Operator": ["admin:classifier_classification_retry_failed", "admin:accounts_operation_changelist"],
}


@pytest.mark.parametrize("group", sorted(NAMES))
@pytest.mark.parametrize("owner", sorted(OPENS))
def test_each_has_its_own_work_and_not_the_others(world, client_of, group, owner):
    client = client_of(in_group(group))
    for name in OPENS[owner]:
        status = client.get(reverse(name)).status_code
        if group == owner:
            assert status == 200
        elif name not in _SHARED.get(group, ()):
            assert status == 403


_SHARED = {
    "Support": ["admin:accounts_operation_changelist"],
    "Model keeper": ["admin:accounts_operation_changelist"],
    "Operator": ["admin:classifier_shadowreport_changelist"],
}


def test_a_reviewer_sees_the_photos(world, client_of):
    image = world.images.first()
    reviewer = client_of(in_group("Reviewer"))
    page = reviewer.get(reverse("admin:catalog_product_change", args=[world.pk])).text
    assert reverse("admin:catalog_productimage_media", args=[image.public_id, "thumbnail"]) in page


def test_preparing_again_puts_the_permissions_right():
    load_groups()
    group = Group.objects.get(name="Reviewer")
    group.permissions.clear()
    call_command("load_groups", verbosity=0)
    ready = next(one for one in READY_GROUPS if one.name == "Reviewer")
    assert group.permissions.count() == len(ready.permissions)


def test_a_ready_group_is_looked_at_and_not_changed(admin, client_of):
    load_groups()
    group = Group.objects.get(name="Reviewer")
    client = client_of(admin, "ko")
    url = reverse("admin:auth_group_change", args=[group.pk])
    assert 'name="_save"' not in client.get(url).text
    assert client.post(url, {"name": "mine"}).status_code == 403


def test_an_operator_stops_operations_but_not_models(world, client_of):
    operator = client_of(in_group("Operator"))
    assert Classification.objects.filter(state="failed").exists()
    deployment = reverse("admin:classifier_deployment_reclassify", args=[1])
    assert operator.post(deployment, {"_form_submitted": "on"}).status_code in (403, 404)
