"""What was recorded can be read in the admin and by nobody changed; the models can be asked to look again."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import AuditEvent, Operation
from catalog.models import AttributeValue, Decision, Product, ProductImage
from catalog.services import decide, decide_not_applicable
from classifier.jobs import operations
from classifier.models import (
    Classification,
    Deployment,
    Garment,
    ModelSet,
    ModelVersion,
    Prediction,
    ShadowReport,
)
from classifier.registry import shadow, uploads
from tests.support.factories import ProductImageFactory, staff_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(product, alice, actor_of):
    """A product with one image that was classified, and whose material Alice decided."""
    image = ProductImageFactory(product=product, original_name="front.jpg")
    version = ModelVersion.objects.create(
        role="category", name="category-test", task="classify", sha256="c" * 64, input_size=224, metrics={"top1": 0.8}
    )
    model_set = ModelSet.objects.create(name="set", fingerprint="f" * 64)
    model_set.versions.add(version)
    Deployment.objects.create(active=model_set)
    Classification.objects.filter(image=image).delete()
    job = Classification.objects.create(image=image, state="done", model_set=model_set, timings={"decode": 12.5})
    ProductImage.objects.filter(pk=image.pk).update(current_classification=job)
    garment = Garment.objects.create(image=image, classification=job, x1=0.25, y1=0.1, x2=0.75, y2=0.9)
    jacket = AttributeValue.objects.get(attribute__code="category", code="Jacket")
    Prediction.objects.create(
        garment=garment,
        attribute=jacket.attribute,
        value=jacket,
        confidence=0.914,
        alternatives=[{"value": "Jumper", "confidence": 0.05}],
        model_version=version,
    )
    decide(actor=actor_of(alice), product=product, attribute="material", value="linen")
    operation = Operation.objects.create(kind="import", merchant=product.merchant)
    figures = {"images": 1, "products": 1, "changed": 0, "attributes": {}, "moves": []}
    ShadowReport.objects.create(operation=operation, candidate=model_set, figures=figures)
    return product


READ_ONLY = [
    AuditEvent,
    Operation,
    Decision,
    ProductImage,
    Classification,
    Prediction,
    ModelVersion,
    ModelSet,
    Deployment,
    ShadowReport,
]


def _name(model, page):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("model", READ_ONLY)
def test_it_shows_a_record(admin, seen, client_of, model, language):
    page = client_of(admin, language).get(reverse(_name(model, "change"), args=[model.objects.first().pk]))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


HEADINGS = [
    (Decision, "Material: Linen"),
    (Prediction, "Category: Jacket"),
    (Classification, "front.jpg: done"),
    (Operation, "Upload weights: material-new"),
    (AuditEvent, "decided a value"),
]


def _history(client, row):
    page, history = (reverse(_name(type(row), name), args=[row.pk]) for name in ("change", "history"))
    return history if history in client.get(page).text else None


@pytest.mark.parametrize("model", READ_ONLY)
def test_it_offers_a_history_only_where_there_is_one(admin, seen, client_of, model):
    # Alice's decision is written down of the product, and images have their product's history.
    assert bool(_history(client_of(admin), model.objects.first())) is (model is ProductImage)


@pytest.mark.parametrize("model", [ModelVersion, ModelSet, Deployment])
def test_it_offers_the_history_to_whoever_may_read_it(admin, seen, client_of, model):
    row = model.objects.get()
    subject = {ModelVersion: "model_version", ModelSet: "model_set"}.get(model, "deployment")
    AuditEvent.objects.create(action="deployment.promote", subject_type=subject, subject_id=row.pk, channel="admin")
    assert _history(client_of(admin), row)
    assert not _history(client_of(staff_user(f"view_{model._meta.model_name}", "view_all_merchants")), row)


@pytest.mark.parametrize(("model", "heading"), HEADINGS)
def test_it_calls_a_record_what_a_person_would(admin, seen, client_of, model, heading):
    Operation.objects.update(kind="register_model", parameters={"name": "material-new"})
    page = client_of(admin).get(reverse(_name(model, "change"), args=[model.objects.get().pk]))
    assert page.context["subtitle"] == heading


def test_a_decision_without_a_value_says_so(seen, alice, actor_of):
    decide_not_applicable(actor=actor_of(alice), product=seen, attribute="sleeve_length")
    assert str(Decision.objects.first()) == "Sleeve length: not applicable"


def test_it_calls_a_product_by_its_name_its_sku_or_nothing(product):
    names = [str(Product(name=name, sku=sku)) for name, sku in (("Coat", "C-1"), ("", "C-1"), ("", None))]
    assert names == ["Coat", "C-1", "Without a name"]


@pytest.mark.parametrize("kind", [operations.RECLASSIFY, shadow.KIND, uploads.KIND])
def test_every_kind_of_operation_has_a_name(kind):
    assert str(Operation(kind=kind)) != kind


@pytest.mark.parametrize("model", READ_ONLY)
def test_it_writes_no_record(admin, seen, client_of, model):
    client = client_of(admin)
    row = model.objects.first()
    before = list(model.objects.values())
    for page, arguments in (("add", []), ("change", [row.pk]), ("delete", [row.pk])):
        response = client.post(reverse(_name(model, page), args=arguments), {"post": "yes", "name": "mine"})
        assert response.status_code == 403
    client.post(
        reverse(_name(model, "changelist")),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    assert list(model.objects.values()) == before


def test_it_draws_the_box_and_says_how_sure_the_model_is(admin, seen, client_of):
    image = seen.images.get()
    client = client_of(admin)
    pages = [
        reverse("admin:catalog_product_change", args=[seen.pk]),
        reverse("admin:catalog_productimage_change", args=[image.pk]),
        reverse("admin:catalog_productimage_changelist"),
    ]
    for url in pages:
        page = client.get(url).content.decode()
        assert '<rect x="25.00" y="10.00" width="50.00" height="80.00"/>' in page
        assert "91%" in page
    prediction = client.get(reverse("admin:classifier_prediction_changelist")).content.decode()
    assert '<rect x="25.00"' in prediction
    assert "91%" in prediction


def test_it_says_why_an_image_has_no_result(admin, seen, client_of):
    image = seen.images.get()
    Classification.objects.create(
        image=image, state="failed", error_code="file_missing", error_message="The display copy is not in the storage."
    )
    page = client_of(admin).get(reverse("admin:catalog_product_change", args=[seen.pk])).content.decode()
    assert "The photo&#x27;s file is missing. Upload it again." in page


def _queued(product):
    return Classification.objects.filter(image__product=product, state="queued").count()


@pytest.mark.parametrize("place", ["product", "job"])
def test_it_classifies_again(admin, seen, client_of, place):
    rows = {
        "product": ("admin:catalog_product_classify_again", seen.pk),
        "job": ("admin:classifier_classification_classify_again", Classification.objects.get().pk),
    }
    name, pk = rows[place]
    client = client_of(admin)
    client.get(reverse(name, args=[pk]))
    assert _queued(seen) == 0  # only asked
    response = client.post(reverse(name, args=[pk]), {"_form_submitted": "on"})
    assert response.status_code == 200
    assert _queued(seen) == 1
    event = AuditEvent.objects.get(action="product.classify_again")
    assert (event.channel, event.user) == ("admin", admin)
    client.post(reverse(name, args=[pk]), {"_form_submitted": "on"})
    assert _queued(seen) == 1  # it waits already
    assert Decision.objects.filter(product=seen).count() == 1


def test_it_classifies_the_chosen_jobs_again(admin, seen, client_of):
    job = Classification.objects.get()
    response = client_of(admin).post(
        reverse("admin:classifier_classification_changelist"),
        {"action": "classify_selected_again", "_selected_action": [job.pk]},
    )
    assert _queued(seen) == 1
    assert [str(message) for message in get_messages(response.wsgi_request)]


def test_it_classifies_nothing_again_for_staff_without_the_right(seen, client_of):
    job = Classification.objects.get()
    for permissions in (
        ("view_classification", "view_product", "view_all_merchants"),
        ("view_classification", "view_product", "change_product"),
    ):
        client = client_of(staff_user(*permissions))
        for name, pk in (
            ("admin:catalog_product_classify_again", seen.pk),
            ("admin:classifier_classification_classify_again", job.pk),
        ):
            assert client.post(reverse(name, args=[pk]), {"_form_submitted": "on"}).status_code == 403
    assert _queued(seen) == 0
    assert not AuditEvent.objects.filter(action="product.classify_again").exists()


@pytest.mark.parametrize("model", [AuditEvent, Operation, Decision, ProductImage, Classification, Prediction])
def test_it_shows_no_merchant_s_records_to_staff_who_may_not_see_all_merchants(seen, client_of, model):
    client = client_of(staff_user(f"view_{model._meta.model_name}"))
    assert client.get(reverse(_name(model, "changelist"))).status_code == 403
    page = client.get(reverse(_name(model, "change"), args=[model.objects.first().pk]), follow=True)
    assert page.status_code == 403 or seen.name not in page.content.decode()


def test_it_archives_an_image(admin, seen, client_of):
    image = seen.images.get()
    url = reverse("admin:catalog_productimage_archive", args=[image.pk])
    looker = client_of(staff_user("view_productimage", "view_all_merchants"))
    assert looker.post(url, {"_form_submitted": "on"}).status_code == 403
    image.refresh_from_db()
    assert image.archived_at is None
    assert client_of(admin).post(url, {"_form_submitted": "on"}).status_code == 200
    image.refresh_from_db()
    assert image.archived_at is not None
    assert AuditEvent.objects.get(action="image.archive").user == admin
    history = client_of(admin).get(reverse("admin:catalog_productimage_history", args=[image.pk]), follow=True)
    assert "removed a photo" in history.text


def test_it_puts_an_archived_image_back(admin, seen, client_of):
    image = seen.images.get()
    url = reverse("admin:catalog_productimage_put_back", args=[image.pk])
    archive = reverse("admin:catalog_productimage_archive", args=[image.pk])
    page = reverse("admin:catalog_productimage_change", args=[image.pk])
    staff = client_of(admin)
    assert archive in staff.get(page).text
    assert url not in staff.get(page).text
    staff.post(archive, {"_form_submitted": "on"})
    assert archive not in staff.get(page).text
    assert url in staff.get(page).text
    looker = client_of(staff_user("view_productimage", "view_all_merchants"))
    assert url not in looker.get(page).text
    assert looker.post(url, {"_form_submitted": "on"}).status_code == 403
    assert not seen.images.current().exists()

    assert staff.post(url, {"_form_submitted": "on"}).status_code == 200

    assert seen.images.current().get() == image
    assert AuditEvent.objects.get(action="image.put_back").user == admin


def test_it_says_why_an_image_cannot_be_put_back(admin, seen, client_of):
    image = seen.images.get()
    staff = client_of(admin)
    changes = reverse("admin:catalog_productimage_changelist")
    staff.post(changes, {"action": "archive_selected", "_selected_action": [image.pk]})
    ProductImageFactory(product=seen, sha256=image.sha256)

    answer = staff.post(changes, {"action": "put_back_selected", "_selected_action": [image.pk]}, follow=True)

    assert "This product has the same photo already" in answer.text
    image.refresh_from_db()
    assert image.archived_at is not None
