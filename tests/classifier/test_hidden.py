"""An attribute that an image does not show: stored, shown, and left to the images that show it."""

import io

import pytest
from django.urls import reverse
from PIL import Image

from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Garment, Prediction
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.migrated import database_at

pytestmark = pytest.mark.django_db

SHOWN = garment("Jacket", material="denim", sleeve_length={"long": 0.8, "short": 0.2})
HIDDEN = garment("Jacket", material="denim", hidden=["sleeve_length"])
FOLDED = garment("Jacket", hidden=["sleeve_length", "material"])


@pytest.fixture
def classified_as(product, actor, monkeypatch):
    """Give the product an image for each of these garments, classified."""

    def make(*garments):
        serve(monkeypatch, StubEngine(answer=lambda data: [garments[Image.open(io.BytesIO(data)).width - 400]]))
        files = [upload(f"{number}.jpg", size=(400 + number, 300)) for number in range(len(garments))]
        images = [received.image for received in add_images(actor=actor, product=product, files=files)]
        batches.classify_waiting()
        product.refresh_from_db()
        return images

    return make


def test_it_is_stored_beside_what_was_said(classified_as):
    classified_as(HIDDEN, SHOWN)
    first, second = Garment.objects.order_by("image")  # whichever was looked at first
    assert (first.hidden, second.hidden) == (["sleeve_length"], [])
    said = Prediction.objects.values_list("garment", "attribute__code")
    assert sorted(said) == sorted(
        [(first.pk, code) for code in ("category", "material")]
        + [(second.pk, code) for code in ("category", "material", "sleeve_length")]
    )


def test_attributes_that_are_switched_off_are_left_out(classified_as):
    classified_as(garment("Jacket", hidden=["sleeve_length", "pattern"]))
    assert Garment.objects.get().hidden == ["sleeve_length"]


@pytest.mark.parametrize("garments", [(HIDDEN, SHOWN), (SHOWN, HIDDEN, FOLDED), (SHOWN,)])
def test_an_image_that_shows_it_speaks_for_the_product(product, classified_as, garments):
    """However many do not: they say nothing, neither for it nor against it."""
    classified_as(*garments)
    (candidate,) = product.proposal.candidates
    proposed = candidate.attributes["sleeve_length"]
    assert (proposed.value, proposed.confidence) == ("long", pytest.approx(0.8))
    assert [(other.value, other.confidence) for other in proposed.alternatives] == [("short", pytest.approx(0.2))]
    assert product.attributes.get(attribute__code="sleeve_length").value.code == "long"


def test_nothing_is_proposed_where_no_image_shows_it(product, classified_as):
    classified_as(HIDDEN, FOLDED)
    (candidate,) = product.proposal.candidates
    assert set(candidate.attributes) == {"category", "material"}
    assert candidate.images == 2


def test_the_api_says_so_of_each_garment(product, classified_as, api):
    hidden, shown = classified_as(HIDDEN, SHOWN)
    found = {
        image.pk: api.send("get", f"/products/{product.public_id}/images/{image.public_id}").json()["garments"][0]
        for image in (hidden, shown)
    }
    assert found[hidden.pk]["hidden"] == ["sleeve_length"]
    assert set(found[hidden.pk]["attributes"]) == {"category", "material"}
    assert found[shown.pk]["hidden"] == []
    assert set(found[shown.pk]["attributes"]) == {"category", "material", "sleeve_length"}


def test_the_api_takes_garments_from_before_for_shown(product, classified_as, api):
    classified_as(SHOWN)
    Garment.objects.update(hidden=None)
    (image,) = api.send("get", f"/products/{product.public_id}").json()["images"]
    assert image["garments"][0]["hidden"] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "1: Sleeve length, Material not visible in this photo"),
        ("ko", "1: 이 사진에서 보이지 않음 – 소매 길이, 소재"),
    ],
)
def test_the_portal_says_so_below_the_photo(product, classified_as, client_of, alice, language, text):
    folded, shown = classified_as(FOLDED, SHOWN)
    page = client_of(alice, language).get(f"/products/{product.public_id}").text
    assert f'<span class="hidden-attributes" id="hidden-{folded.public_id}"><span>{text}</span>' in page
    assert f'<span class="hidden-attributes" id="hidden-{shown.public_id}"></span>' in page
    live = client_of(alice, language).get(f"/products/{product.public_id}/live").text
    assert text in live


def test_the_admin_says_so_beside_the_photo(classified_as, client_of, admin):
    image, _ = classified_as(FOLDED, SHOWN)
    client = client_of(admin)
    assert (
        "(not visible in the photo: sleeve_length, material)"
        in client.get(reverse("admin:catalog_productimage_change", args=[image.pk])).text
    )
    assert client.get(reverse("admin:catalog_productimage_changelist")).text.count("not visible in the photo") == 1


@pytest.mark.django_db(transaction=True)
def test_garments_from_before_the_column_stay(classified_as):
    classified_as(HIDDEN, SHOWN)
    before = list(Garment.objects.order_by("pk").values_list("pk", "x1", "confidence"))

    with database_at(("classifier", "0009_words")) as then:
        assert then.get_model("classifier", "Garment").objects.count() == 2

    assert list(Garment.objects.order_by("pk").values_list("pk", "x1", "confidence")) == before
    assert set(Garment.objects.values_list("hidden", flat=True)) == {None}


def test_no_value_may_be_called_so(client_of, admin):
    from catalog.models import Attribute

    material = Attribute.objects.get(code="material")
    fields = {
        "attribute": material.pk,
        "code": "not_visible",
        "name_ko": "안 보임",
        "name_en": "hidden",
        "aliases": "[]",
    }
    page = client_of(admin).post(reverse("admin:catalog_attributevalue_add"), fields)
    assert "This code has a meaning of its own" in page.text
    assert not material.values.filter(code="not_visible").exists()
