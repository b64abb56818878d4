"""Deleting for good: only what was archived, only by owners and administrators, and then wholly."""

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts.models import AuditEvent
from catalog import services
from catalog.models import Decision, Product, ProductImage
from catalog.services.uploads import add_images
from classifier.jobs import batches, queue, sweep
from classifier.models import Classification, Garment, Prediction
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

VARIANTS = ("display", "thumbnail", "original")


@pytest.fixture
def seen(product, alice, actor_of, monkeypatch):
    """A product with two classified images, of which a decision answers the first."""
    files = [upload("front.jpg"), upload("back.jpg", color="navy")]
    add_images(actor=actor_of(alice), product=product, files=files)
    serve(monkeypatch, StubEngine(garment({"Jacket": 0.9})))
    batches.classify_waiting()
    product.refresh_from_db()
    services.decide(actor=actor_of(alice), product=product, attribute="category", value="Jacket")
    assert Decision.objects.get().prediction is not None
    return product


@pytest.fixture
def front(seen, alice, actor_of):
    """The image that the decision answers, taken away from its product."""
    image = Decision.objects.get().prediction.garment.image
    services.archive_image(actor=actor_of(alice), image=image)
    return image


@pytest.fixture
def archived(seen, alice, actor_of):
    services.archive(actor=actor_of(alice), product=seen)
    return seen


def _rows():
    return [
        sorted(model.objects.values_list("pk", flat=True))
        for model in (Product, ProductImage, Decision, Classification, Garment, Prediction, AuditEvent)
    ]


def _product_path(product):
    return f"/products/{product.public_id}/delete"


def _image_path(image):
    return f"/products/{image.product.public_id}/images/{image.public_id}/delete"


def _files():
    return sum(
        len(default_storage.listdir(f"products/{folder}")[1]) for folder in default_storage.listdir("products")[0]
    )


def test_it_deletes_an_archived_product_with_all_that_belongs_to_it(client_of, alice, archived):
    client = client_of(alice)
    page = client.get(f"/products/{archived.public_id}").text
    assert "(photos: 2, decisions: 1)" in page

    response = client.post(_product_path(archived), follow=True)

    assert "Oversized denim jacket was deleted for good." in response.text
    for model in (Product, ProductImage, Decision, Classification, Garment, Prediction):
        assert not model.objects.exists()
    event = AuditEvent.objects.get(action="product.delete")
    assert (event.user, event.subject_id, event.details["sku"]) == (alice, archived.public_id, "AJ-1042")


def test_it_deletes_the_files_with_the_next_sweep(client_of, alice, archived):
    client_of(alice).post(_product_path(archived))
    assert _files() == 8

    sweep.prune()

    assert _files() == 0


def test_it_deletes_a_removed_image_and_keeps_the_decision(client_of, alice, front):
    client = client_of(alice)
    page = client.get(f"/products/{front.product.public_id}").text
    assert "1 removed photo" in page
    assert _image_path(front) in page

    response = client.post(_image_path(front), follow=True)

    assert f"{front.original_name} was deleted for good." in response.text
    assert f"deleted the photo {front.original_name} for good" in response.text
    assert not ProductImage.objects.filter(pk=front.pk).exists()
    assert Garment.objects.count() == Prediction.objects.count() == 1
    decision = Decision.objects.get()
    assert (decision.prediction, decision.answers, decision.proposed_value.code) == (None, "proposal", "Jacket")
    assert AuditEvent.objects.get(action="image.delete").user == alice
    sweep.prune()
    assert _files() == 4


def test_it_deletes_nothing_that_was_not_archived_first(client_of, alice, seen):
    before = _rows()
    client = client_of(alice)

    product = client.post(_product_path(seen), follow=True)
    image = client.post(_image_path(seen.images.first()), follow=True)

    assert "Archive it before you delete it for good." in product.text
    assert "The product still shows this photo." in image.text
    assert _rows() == before


def test_it_deletes_nothing_for_others_than_owners(client_of, bob, dana, charlie, client, front, archived):
    before = _rows()
    for path in (_product_path(archived), _image_path(front)):
        assert client.post(path).url.startswith("/login")
        for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
            assert client_of(person).post(path).status_code == status
            assert "Delete for good" not in client_of(person).get(f"/products/{archived.public_id}").text
    assert _rows() == before


def test_it_hands_removed_images_to_those_who_may_put_them_back(
    client_of, alice, bob, dana, charlie, admin, api_key, read_only_key, client, front
):
    for variant in VARIANTS:
        path = f"/media/{front.public_id}/{variant}"
        assert client_of(alice).get(path).status_code == 200
        for person in (bob, dana, charlie):
            assert client_of(person).get(path).status_code == 404
        for (_key, secret), status in ((api_key, 200), (read_only_key, 404)):
            assert client.get(path, headers={"authorization": f"Bearer {secret}"}).status_code == status
        media = reverse("admin:catalog_productimage_media", args=[front.public_id, variant])
        assert client_of(admin).get(media).status_code == 200


def test_it_deletes_what_a_worker_has_in_its_hands(client_of, alice, actor_of, product, monkeypatch):
    add_images(actor=actor_of(alice), product=product, files=[upload("front.jpg")])
    services.archive(actor=actor_of(alice), product=product)
    claim = queue.claim

    def claim_and_lose(*args, **options):
        batch = claim(*args, **options)
        client_of(alice).post(_product_path(product))
        return batch

    serve(monkeypatch, StubEngine(garment({"Jacket": 0.9})))
    monkeypatch.setattr(batches.queue, "claim", claim_and_lose)

    assert batches.classify_waiting() == 0

    assert not Product.objects.exists()
    assert not Garment.objects.exists()


def _url(row, page):
    return reverse(f"admin:catalog_{row._meta.model_name}_{page}", args=[] if page == "changelist" else [row.pk])


def test_administrators_delete_archived_products(admin, client_of, archived):
    client = client_of(admin)
    assert _url(archived, "delete") in client.get(_url(archived, "change")).text
    asked = client.get(_url(archived, "delete"))
    assert "Photos: 2" in asked.text

    response = client.post(_url(archived, "delete"), {"post": "yes"})

    assert response.status_code == 302
    assert not Product.objects.exists()
    event = AuditEvent.objects.get(action="product.delete")
    assert (event.user, event.channel) == (admin, "admin")


def test_administrators_delete_chosen_products_and_images(admin, client_of, front, archived):
    client = client_of(admin)
    for row in (front, archived):
        chosen = {"action": "delete_selected", "_selected_action": [row.pk]}
        assert client.post(_url(row, "changelist"), chosen).status_code == 200  # only asks
        assert type(row).objects.filter(pk=row.pk).exists()
        client.post(_url(row, "changelist"), chosen | {"post": "yes"})
        assert not type(row).objects.filter(pk=row.pk).exists()
    assert set(AuditEvent.objects.filter(channel="admin").values_list("action", flat=True)) == {
        "image.delete",
        "product.delete",
    }


def test_administrators_delete_nothing_that_was_not_archived_first(admin, client_of, front, seen):
    before = _rows()
    client = client_of(admin)
    shown = seen.images.current().get()
    for row, chosen in ((seen, [seen.pk]), (shown, [shown.pk, front.pk])):
        assert client.post(_url(row, "delete"), {"post": "yes"}).status_code == 403
        data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        answer = client.post(_url(row, "changelist"), data).text
        assert f"{row}: archive it first" in answer
        assert "protected related objects" not in answer
    assert _rows() == before
