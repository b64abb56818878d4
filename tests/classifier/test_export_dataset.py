"""What people decided leaves as a data set: their labels, beside what the models had said."""

import datetime

import pytest
from django.core.management import CommandError
from PIL import Image

from catalog import services as catalog
from catalog.models import Attribute, AttributeValue, Decision, Product
from classifier.jobs import batches
from classifier.jobs.requests import classify_again
from tests.support.exported_datasets import export_to, labels
from tests.support.fake_engines import garment
from vision.training.dataset import read_dataset

pytestmark = pytest.mark.django_db


def test_it_exports_what_people_decided_with_images_and_boxes(classified, merchant, actor, tmp_path):
    product = classified(merchant, "red", "green")
    catalog.decide(actor=actor, product=product, attribute="category", value="Jumper")
    catalog.decide(actor=actor, product=product, attribute="material", value="denim")

    said = export_to(tmp_path / "out")

    assert "2 images of 1 products" in said
    rows = labels(tmp_path / "out")
    assert len(rows) == 2
    for row in rows:
        assert (row["category"], row["material"], row["sleeve_length"]) == ("Jumper", "denim", "")
        assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.2, 0.1, 0.8, 0.9]
        assert (row["product"], row["merchant"], row["sender"]) == (
            product.public_id,
            merchant.public_id,
            product.public_id,
        )
        # The model took the jumper for a jacket and was right about the denim; nobody said anything of the sleeves.
        assert (row["category_predicted"], row["category_model"], row["category_model_wrong"]) == (
            "Jacket",
            "category-1",
            "1",
        )
        assert (row["material_predicted"], row["material_model_wrong"]) == ("denim", "0")
        assert (row["sleeve_length_predicted"], row["sleeve_length_model_wrong"]) == ("long", "")
        with Image.open(tmp_path / "out" / "images" / row["image"]) as image:
            assert not image.getexif()
    dataset = read_dataset(tmp_path / "out")
    assert dataset.counts(rows[0]["split"], "category") == {"Jumper": 2}


def test_it_filters_by_merchant_date_and_attribute(
    classified, merchant, other_merchant, charlie, actor_of, actor, tmp_path
):
    mine, theirs = classified(merchant), classified(other_merchant, "green")
    for product, person in ((mine, actor), (theirs, actor_of(charlie))):
        catalog.decide(actor=person, product=product, attribute="category", value="Jacket")
        catalog.decide(actor=person, product=product, attribute="material", value="denim")
    old = datetime.datetime(2026, 3, 5, 23, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))  # in Seoul
    Decision.objects.filter(product=mine, attribute__code="category").update(created_at=old)

    def exported(name, **filters):
        export_to(tmp_path / name, **filters)
        return {(row["merchant"], row["category"], row["material"]) for row in labels(tmp_path / name)}

    own, other = merchant.public_id, other_merchant.public_id
    day = datetime.date(2026, 3, 5)
    assert exported("all") == {(own, "Jacket", "denim"), (other, "Jacket", "denim")}
    assert exported("merchant", merchant=["Charlie's merchant"]) == {(other, "Jacket", "denim")}
    assert exported("since", since=day + datetime.timedelta(days=1)) == {
        (own, "", "denim"),
        (other, "Jacket", "denim"),
    }
    assert exported("until", until=day) == {(own, "Jacket", "")}
    assert exported("day", since=day, until=day) == {(own, "Jacket", "")}
    assert exported("attribute", attribute=["material"]) == {(own, "", "denim"), (other, "", "denim")}


def test_it_takes_attributes_that_were_added_and_follows_merged_values(classified, merchant, actor, tmp_path):
    neckline = Attribute.objects.create(code="neckline", name_ko="네크라인", name_en="Neckline", position=9)
    AttributeValue.objects.create(attribute=neckline, code="round", name_ko="라운드", name_en="Round")
    product = classified(merchant)
    catalog.decide(actor=actor, product=product, attribute="neckline", value="round")
    catalog.decide(actor=actor, product=product, attribute="category", value="Jumper")
    jacket = AttributeValue.objects.get(attribute__code="category", code="Jacket")
    AttributeValue.objects.filter(attribute__code="category", code="Jumper").update(merged_into=jacket)

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["neckline"], row["category"], row["category_model_wrong"]) == ("round", "Jacket", "0")
    taxonomy = read_dataset(tmp_path / "out").taxonomy
    assert taxonomy.attributes["neckline"].leaves == ("round",)
    assert (taxonomy.code_of("category", "Jumper"), taxonomy.parent_of("category", "Jacket")) == ("Jacket", "Outer")


def test_not_applicable_is_a_decision_that_models_can_miss(classified, merchant, actor, tmp_path):
    product = classified(merchant)
    catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")
    catalog.decide_not_applicable(actor=actor, product=product, attribute="sleeve_length")

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["sleeve_length"], row["sleeve_length_predicted"], row["sleeve_length_model_wrong"]) == ("", "long", "1")
    assert row["sleeve_length_by"]


def test_it_tells_what_was_answered_whatever_a_later_model_says(classified, merchant, actor, see, tmp_path):
    product = classified(merchant)
    catalog.decide(actor=actor, product=product, attribute="category", value="Jumper")
    catalog.decide(actor=actor, product=product, attribute="material", value="denim")
    see(garment("Jumper", material="knit", sleeve_length="long"))
    classify_again(actor=actor, product=product)
    batches.classify_waiting()
    assert Product.objects.get().proposal.candidates[0].attributes["material"].value == "knit"

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["category_predicted"], row["category_model_wrong"]) == ("Jacket", "1")
    assert (row["material_predicted"], row["material_model_wrong"]) == ("denim", "0")
    assert row["material_model"] == "material-1"


def test_a_model_that_agreed_on_a_value_is_not_wrong_because_it_was_switched_off(classified, merchant, actor, tmp_path):
    product = classified(merchant)
    catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")
    catalog.decide(actor=actor, product=product, attribute="material", value="denim")
    AttributeValue.objects.filter(attribute__code="material", code="denim").update(active=False)

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["material"], row["material_predicted"], row["material_model_wrong"]) == ("", "denim", "0")


def test_it_writes_into_a_new_folder_only(classified, merchant, actor, tmp_path):
    catalog.decide(actor=actor, product=classified(merchant), attribute="category", value="Jacket")
    export_to(tmp_path / "out")
    before = (tmp_path / "out" / "labels.csv").read_bytes()

    with pytest.raises(CommandError, match="holds files"):
        export_to(tmp_path / "out")
    with pytest.raises(CommandError, match="no attribute “colour”"):
        export_to(tmp_path / "other", attribute=["colour"])

    assert (tmp_path / "out" / "labels.csv").read_bytes() == before
    assert not (tmp_path / "other").exists()


def test_it_asks_the_database_no_more_for_more_products(
    classified, merchant, actor, tmp_path, django_assert_max_num_queries
):
    for color in ("red", "green", "blue"):
        catalog.decide(actor=actor, product=classified(merchant, color), attribute="category", value="Jacket")

    # Which exist, who refuses, the taxonomy (3); the trail (3); products, images in val; and for two hundred
    # products: they, their values, images, garments and predictions.
    with django_assert_max_num_queries(18):
        export_to(tmp_path / "out")

    assert len(labels(tmp_path / "out")) == 3
