"""Models in the admin: shown with their state and what blocks them, promoted and rolled back by one click."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import AuditEvent
from catalog.models import Attribute
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import model_sets
from tests.support.factories import UserFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.registered_versions import version

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(monkeypatch):
    serve(monkeypatch, StubEngine(garment("Jacket")))
    model_sets.register_shipped()
    return Deployment.objects.get().active


@pytest.fixture
def candidate(shipped):
    return version("material", "material-new", classes=["Denim", "Teflon"], mapping={"Denim": "denim"})


def _press(client, button, row, **fields):
    page = reverse(f"admin:classifier_{row._meta.model_name}_{button}", args=[row.pk])
    assert client.get(page).status_code == 200
    return client.post(page, {"_form_submitted": "on", **fields})


def _offers(client, button, row):
    page = client.get(reverse("admin:classifier_modelversion_change", args=[row.pk])).text
    url = reverse(f"admin:classifier_modelversion_{button}", args=[row.pk])
    assert (client.get(url).status_code == 200) is (url in page)
    return url in page


def test_it_lists_states_and_classes_that_block(candidate, client_of, admin, django_assert_max_num_queries):
    client = client_of(admin)
    with django_assert_max_num_queries(10):
        page = client.get(reverse("admin:classifier_modelversion_changelist")).text
    for text in ("material-new", "candidate", "active", "Teflon"):
        assert text in page
    page = client.get(reverse("admin:classifier_modelversion_change", args=[candidate.pk])).text
    assert "Denim → denim" in page
    assert "Teflon → ?" in page


def test_it_says_in_which_shapes_a_version_sees(candidate, client_of, admin):
    candidate.serving["input_shapes"] = [[64, 48], [48, 64]]
    candidate.save()
    client = client_of(admin)

    listed = client.get(reverse("admin:classifier_modelversion_changelist")).text
    shown = client.get(reverse("admin:classifier_modelversion_change", args=[candidate.pk])).text

    assert "64 × 64 · 64 × 48 · 48 × 64" in listed
    assert "64 × 64 · 64 × 48 · 48 × 64" in shown


def test_it_asks_for_no_values_of_an_attribute_that_was_switched_off(candidate, client_of, admin):
    Attribute.objects.filter(code="material").update(active=False)
    assert not _offers(client_of(admin), "map_classes", candidate)


def test_it_asks_for_values_only_where_a_class_has_none(candidate, client_of, admin):
    client = client_of(admin)
    assert _offers(client, "map_classes", candidate)
    _press(client, "map_classes", candidate, class_0="vinyl")
    assert not _offers(client, "map_classes", candidate)


def test_it_does_not_say_mapped_when_nothing_was_chosen(candidate, client_of, admin):
    client = client_of(admin)
    _press(client, "map_classes", candidate, class_0="")

    page = client.get(reverse("admin:classifier_modelversion_change", args=[candidate.pk])).text
    assert "Choose a value for at least one class." in page
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_its_badges_have_colours_in_every_language(shipped, client_of, admin, language):
    page = client_of(admin, language).get(reverse("admin:classifier_modelversion_changelist")).text
    assert page.count("bg-green-100") == shipped.versions.count()


def test_its_history_is_the_audit_trail(candidate, client_of, admin):
    client = client_of(admin)
    _press(client, "map_classes", candidate, class_0="vinyl")
    page = client.get(reverse("admin:classifier_modelversion_history", args=[candidate.pk]), follow=True)
    assert [event.action for event in page.context["cl"].result_list] == ["model_version.map"]


def test_the_history_of_the_deployment_is_what_was_promoted(candidate, client_of, admin):
    client = client_of(admin)
    _press(client, "map_classes", candidate, class_0="vinyl")
    _press(client, "promote", candidate)
    page = client.get(reverse("admin:classifier_deployment_history", args=[1]), follow=True)
    assert [event.action for event in page.context["cl"].result_list] == ["deployment.promote"]


def test_who_may_not_see_the_audit_trail_is_not_sent_there(candidate, client_of):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="classifier"))
    page = reverse("admin:classifier_modelversion_history", args=[candidate.pk])
    assert client_of(clerk).get(page, follow=True).status_code == 200


def test_the_deployment_says_what_serves_and_where_a_roll_back_leads(candidate, shipped, client_of, admin):
    client = client_of(admin)
    _press(client, "map_classes", candidate, class_0="vinyl")
    _press(client, "promote", candidate)
    page = client.get(reverse("admin:classifier_deployment_change", args=[1])).text
    assert "material: material-new" in page
    assert "material: material-1" in page


def test_it_maps_promotes_and_rolls_back(candidate, shipped, client_of, admin):
    client = client_of(admin)
    _press(client, "promote", candidate)
    assert Deployment.objects.get().active == shipped

    _press(client, "map_classes", candidate, class_0="vinyl")
    candidate.refresh_from_db()
    assert candidate.mapping == {"Denim": "denim", "Teflon": "vinyl"}
    _press(client, "promote", candidate)
    promoted = Deployment.objects.get().active
    assert candidate in promoted.versions.all()

    _press(client, "roll_back", Deployment.objects.get())
    assert Deployment.objects.get().active == shipped
    _press(client, "promote", promoted)
    deployment = Deployment.objects.get()
    assert (deployment.active, deployment.changed_by) == (promoted, admin)
    actions = AuditEvent.objects.filter(user=admin).order_by("id").values_list("action", flat=True)
    assert list(actions) == [
        "model_version.map",
        "deployment.promote",
        "deployment.roll_back",
        "deployment.promote",
    ]


def test_it_promotes_several_together(shipped, client_of, admin):
    chosen = [version("material", "material-new", classes=["denim"]), version("category", "new", classes=["Jacket"])]
    client_of(admin).post(
        reverse("admin:classifier_modelversion_changelist"),
        {"action": "promote_selected", "_selected_action": [row.pk for row in chosen]},
    )
    members = {row.role: row.name for row in Deployment.objects.get().active.versions.all()}
    assert members == {"category": "new", "material": "material-new", "sleeve_length": "sleeve_length-1"}


def test_who_may_only_look_presses_nothing(candidate, shipped, client_of):
    clerk = UserFactory(is_staff=True)
    looks = Permission.objects.filter(content_type__app_label="classifier", codename__startswith="view_")
    clerk.user_permissions.set(looks)
    client = client_of(clerk)
    assert client.get(reverse("admin:classifier_modelversion_changelist")).status_code == 200
    for button, row in (
        ("promote", candidate),
        ("map_classes", candidate),
        ("try_out", candidate),
        ("promote", shipped),
        ("roll_back", Deployment.objects.get()),
        ("reclassify", Deployment.objects.get()),
    ):
        page = reverse(f"admin:classifier_{row._meta.model_name}_{button}", args=[row.pk])
        assert client.post(page, {"_form_submitted": "on"}).status_code == 403
    assert (ModelSet.objects.count(), Deployment.objects.get().version, AuditEvent.objects.count()) == (1, 1, 0)
    assert ModelVersion.objects.get(pk=candidate.pk).mapping == {"Denim": "denim"}
