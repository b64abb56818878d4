"""What people decided leaves as a data set: no model's opinion, nothing of a merchant that refuses, no names."""

import csv
import datetime
import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from PIL import Image

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent, Merchant
from catalog import services as catalog
from catalog.models import Attribute, AttributeValue, Decision, Product
from catalog.services.uploads import add_images
from classifier import exports
from classifier.exports import Selection, export_dataset
from classifier.jobs import batches
from classifier.jobs.requests import classify_again
from classifier.models import Garment, ModelVersion
from core.errors import Forbidden
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.written_thresholds import allow
from vision.training.dataset import read_dataset

pytestmark = pytest.mark.django_db

JACKET = garment({"Jacket": 0.8, "Jumper": 0.15}, material="denim", sleeve_length="long")
JEANS = garment("Jeans", box=(0.3, 0.5, 0.7, 1.0), material="denim")


@pytest.fixture
def see(monkeypatch):
    """Let the worker find these garments in every image."""

    def use(*garments):
        serve(monkeypatch, StubEngine(*garments))

    return use


@pytest.fixture
def classified(see):
    """Make a product of the merchant with classified images of these colours."""

    def make(merchant, *colors, garments=(JACKET,)):
        see(*garments)
        made = ProductFactory(merchant=merchant)
        files = [upload(f"{color}.jpg", color=color) for color in colors or ("red",)]
        add_images(actor=system(), product=made, files=files)
        batches.classify_waiting()
        made.refresh_from_db()
        return made

    return make


@pytest.fixture
def as_alice(alice, actor_of):
    return actor_of(alice)


def export(out, **options):
    output = io.StringIO()
    call_command("export_dataset", out=out, verbosity=0, stdout=output, **options)
    return output.getvalue()


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def labels(out):
    return table(out / "labels.csv")


def test_it_exports_what_people_decided_with_images_and_boxes(classified, merchant, as_alice, tmp_path):
    product = classified(merchant, "red", "green")
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jumper")
    catalog.decide(actor=as_alice, product=product, attribute="material", value="denim")

    said = export(tmp_path / "out")

    assert "2 photos of 1 products" in said
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


def test_it_names_nobody(classified, merchant, alice, bob, actor_of, tmp_path):
    for person, color in ((alice, "red"), (bob, "green"), (alice, "blue")):
        product = classified(merchant, color)
        catalog.decide(actor=actor_of(person), product=product, attribute="category", value="Jacket")

    export(tmp_path / "out")
    export(tmp_path / "again")

    by = [row["category_by"] for row in labels(tmp_path / "out")]
    assert by[0] == by[2] != by[1]
    assert by == [row["category_by"] for row in labels(tmp_path / "again")]
    text = (tmp_path / "out" / "labels.csv").read_text()
    assert not any(word in text for word in ("alice", "bob", "example.com", "red.jpg"))


def test_it_exports_no_opinion_of_a_model_or_a_program(classified, merchant, api_key, as_alice, tmp_path):
    undecided, accepted, by_key, by_command, imported, taken_back = (
        classified(merchant, color) for color in ("red", "green", "blue", "orange", "pink", "olive")
    )
    catalog.decide(actor=system(), product=accepted, attribute="category", value="Jacket", source=Decision.Source.AUTO)
    key = Actor(channel=Channel.API, api_key=api_key[0], merchant=merchant)
    catalog.decide(actor=key, product=by_key, attribute="category", value="Jacket")
    catalog.decide(actor=system(), product=by_command, attribute="category", value="Jacket")
    catalog.decide(
        actor=as_alice, product=imported, attribute="category", value="Jacket", source=Decision.Source.IMPORT
    )
    catalog.decide(actor=as_alice, product=taken_back, attribute="category", value="Jacket")
    catalog.withdraw(actor=as_alice, product=taken_back, attribute="category")

    with pytest.raises(CommandError, match="nobody decided anything that matches"):
        export(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not AuditEvent.objects.filter(action="merchant.export_dataset").exists()
    assert undecided.proposal.candidates


def test_what_was_accepted_by_itself_stays_a_models_opinion_when_it_is_published(
    classified, merchant, as_alice, settings, tmp_path
):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    classified(merchant, "red")  # the models have versions from now on
    for code, threshold in (("category", 0.75), ("material", 0.99)):
        row = allow(code, threshold)
        row.model_version = ModelVersion.objects.exclude(pk=row.model_version_id).get(role=code)
        row.scope = row.scope_of(None, row.attribute_id, None, row.model_version_id)
        row.save()
    kept, corrected = classified(merchant, "green"), classified(merchant, "blue")
    catalog.decide(actor=as_alice, product=corrected, attribute="category", value="Jumper")
    for product in (kept, corrected):
        catalog.publish(actor=as_alice, product=product)

    export(tmp_path / "out")

    found = {row["product"]: (row["category"], row["material"]) for row in labels(tmp_path / "out")}
    assert found == {corrected.public_id: ("Jumper", "")}


def test_what_a_bulk_publish_decided_is_nobody_s_opinion(classified, admin, client_of, tmp_path, merchant):
    products = [classified(merchant, color) for color in ("red", "green")]
    client_of(admin).post(
        reverse("admin:catalog_product_changelist"),
        {"action": "publish_selected", "_selected_action": [product.pk for product in products]},
    )
    assert Decision.objects.filter(user=admin, answers="published").count() == 6

    with pytest.raises(CommandError, match="nobody decided anything that matches"):
        export(tmp_path / "out")


def test_it_leaves_out_merchants_that_refuse(
    classified, merchant, other_merchant, charlie, actor_of, as_alice, tmp_path
):
    catalog.decide(actor=as_alice, product=classified(merchant), attribute="category", value="Jacket")
    theirs = classified(other_merchant, "green")
    catalog.decide(actor=actor_of(charlie), product=theirs, attribute="category", value="Jacket")
    Merchant.objects.filter(pk=other_merchant.pk).update(images_for_training=False)

    said = export(tmp_path / "out")
    with pytest.raises(CommandError, match=r"These refuse: Charlie's shop.*“photos may train models”.*admin"):
        export(tmp_path / "asked", merchant=[other_merchant.public_id])

    assert {row["merchant"] for row in labels(tmp_path / "out")} == {merchant.public_id}
    assert len(list((tmp_path / "out" / "images").iterdir())) == 1
    assert not (tmp_path / "asked").exists()
    assert "merchants that refuse: Charlie's merchant" in said
    events = AuditEvent.objects.filter(action="merchant.export_dataset")
    assert [event.merchant for event in events] == [merchant]


def test_a_merchant_that_refuses_while_it_runs_is_left_out_from_then_on(
    classified, merchant, as_alice, tmp_path, monkeypatch
):
    for color in ("red", "green"):
        catalog.decide(actor=as_alice, product=classified(merchant, color), attribute="category", value="Jumper")
    monkeypatch.setattr(exports, "PRODUCTS_AT_A_TIME", 1)

    def refuse(_done, _total, _rejected):
        Merchant.objects.update(images_for_training=False)

    export_dataset(actor=system(), folder=tmp_path / "out", selection=Selection(), val_share=0.2, progress=refuse)

    assert len(list((tmp_path / "out" / "images").iterdir())) == 1


def test_an_administrator_switches_it_for_a_merchant(admin, client_of, merchant):
    client, page = client_of(admin), reverse("admin:accounts_merchant_change", args=[merchant.pk])
    assert "images_for_training" in client.get(page).content.decode()
    empty = {
        f"{prefix}-{field}": value
        for prefix in ("memberships", "api_keys")
        for field, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
    }

    response = client.post(page, {"name": merchant.name, "is_active": "on", **empty})

    assert response.status_code == 302
    merchant.refresh_from_db()
    assert not merchant.images_for_training
    assert AuditEvent.objects.filter(action="merchant.change", merchant=merchant).exists()


def test_it_filters_by_merchant_date_and_attribute(
    classified, merchant, other_merchant, charlie, actor_of, as_alice, tmp_path
):
    mine, theirs = classified(merchant), classified(other_merchant, "green")
    for product, actor in ((mine, as_alice), (theirs, actor_of(charlie))):
        catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")
        catalog.decide(actor=actor, product=product, attribute="material", value="denim")
    old = datetime.datetime(2026, 3, 5, 23, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))  # in Seoul
    Decision.objects.filter(product=mine, attribute__code="category").update(created_at=old)

    def exported(name, **filters):
        export(tmp_path / name, **filters)
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


def test_it_takes_the_box_of_the_chosen_garment(classified, merchant, as_alice, tmp_path):
    product = classified(merchant, garments=(JACKET, JEANS))
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jeans")

    export(tmp_path / "out", trust_boxes=True)

    (row,) = labels(tmp_path / "out")
    assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.3, 0.5, 0.7, 1.0]
    assert row["category_model_wrong"] == "0"
    assert row["box_ok"] == "0"  # the jacket beside it has no label, so that the image teaches no detector


def test_a_correction_across_top_categories_keeps_the_only_garments_box(classified, merchant, as_alice, tmp_path):
    alone, beside = classified(merchant, "red"), classified(merchant, "green", garments=(JACKET, JEANS))
    for product in (alone, beside):
        catalog.decide(actor=as_alice, product=product, attribute="category", value="Dress")

    export(tmp_path / "out")
    export(tmp_path / "trusting", trust_boxes=True)

    (row,) = labels(tmp_path / "out")
    assert (row["product"], row["category"], row["category_model_wrong"]) == (alone.public_id, "Dress", "1")
    assert row["box_ok"] == "0"
    assert [row["box_ok"] for row in labels(tmp_path / "trusting")] == ["1"]
    (reject,) = table(tmp_path / "out" / "rejects.csv")
    assert (reject["file"], reject["reason"]) == (beside.images.get().public_id, "no_garment_box")


def test_a_box_that_a_person_drew_is_good(classified, merchant, alice, as_alice, tmp_path):
    product = classified(merchant)
    Garment.objects.create(
        image=product.images.get(), source="human", x1=0.25, y1=0.25, x2=0.75, y2=0.75, created_by=alice
    )
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jacket")

    export(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["x1"], row["y2"], row["box_ok"]) == ("0.25000", "0.75000", "1")


def test_a_image_of_two_products_is_not_in_both_splits(classified, merchant, as_alice, tmp_path):
    for _number in range(8):
        product = classified(merchant, "red", garments=(JACKET, JEANS))
        catalog.decide(actor=as_alice, product=product, attribute="category", value="Jacket")

    export(tmp_path / "out", val_share=0.5)

    rows = labels(tmp_path / "out")
    assert len({row["split"] for row in rows}) == 1
    assert len(rows) + len(table(tmp_path / "out" / "rejects.csv")) == 8


def test_a_product_stays_in_its_split(classified, merchant, as_alice, tmp_path):
    for color in ("red", "green", "blue", "orange"):
        product = classified(merchant, color)
        catalog.decide(actor=as_alice, product=product, attribute="category", value="Jacket")
    export(tmp_path / "before", val_share=0.5)
    Product.objects.filter(pk=product.pk).update(name="Another name")
    catalog.decide(actor=as_alice, product=classified(merchant, "pink"), attribute="category", value="Jacket")

    export(tmp_path / "after", val_share=0.5)

    before, after = ({row["product"]: row["split"] for row in labels(tmp_path / name)} for name in ("before", "after"))
    assert before.items() <= after.items()
    assert len(after) == 5


def test_it_takes_attributes_that_were_added_and_follows_merged_values(classified, merchant, as_alice, tmp_path):
    neckline = Attribute.objects.create(code="neckline", name_ko="네크라인", name_en="Neckline", position=9)
    AttributeValue.objects.create(attribute=neckline, code="round", name_ko="라운드", name_en="Round")
    product = classified(merchant)
    catalog.decide(actor=as_alice, product=product, attribute="neckline", value="round")
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jumper")
    jacket = AttributeValue.objects.get(attribute__code="category", code="Jacket")
    AttributeValue.objects.filter(attribute__code="category", code="Jumper").update(merged_into=jacket)

    export(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["neckline"], row["category"], row["category_model_wrong"]) == ("round", "Jacket", "0")
    taxonomy = read_dataset(tmp_path / "out").taxonomy
    assert taxonomy.attributes["neckline"].leaves == ("round",)
    assert (taxonomy.code_of("category", "Jumper"), taxonomy.parent_of("category", "Jacket")) == ("Jacket", "Outer")


def test_not_applicable_is_a_decision_that_models_can_miss(classified, merchant, as_alice, tmp_path):
    product = classified(merchant)
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jacket")
    catalog.decide_not_applicable(actor=as_alice, product=product, attribute="sleeve_length")

    export(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["sleeve_length"], row["sleeve_length_predicted"], row["sleeve_length_model_wrong"]) == ("", "long", "1")
    assert row["sleeve_length_by"]


def test_it_tells_what_was_answered_whatever_a_later_model_says(classified, merchant, as_alice, see, tmp_path):
    product = classified(merchant)
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jumper")
    catalog.decide(actor=as_alice, product=product, attribute="material", value="denim")
    see(garment("Jumper", material="knit", sleeve_length="long"))
    classify_again(actor=as_alice, product=product)
    batches.classify_waiting()
    assert Product.objects.get().proposal.candidates[0].attributes["material"].value == "knit"

    export(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["category_predicted"], row["category_model_wrong"]) == ("Jacket", "1")
    assert (row["material_predicted"], row["material_model_wrong"]) == ("denim", "0")
    assert row["material_model"] == "material-1"


def test_a_model_that_agreed_on_a_value_is_not_wrong_because_it_was_switched_off(
    classified, merchant, as_alice, tmp_path
):
    product = classified(merchant)
    catalog.decide(actor=as_alice, product=product, attribute="category", value="Jacket")
    catalog.decide(actor=as_alice, product=product, attribute="material", value="denim")
    AttributeValue.objects.filter(attribute__code="material", code="denim").update(active=False)

    export(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["material"], row["material_predicted"], row["material_model_wrong"]) == ("", "denim", "0")


def test_it_writes_into_a_new_folder_only(classified, merchant, as_alice, tmp_path):
    catalog.decide(actor=as_alice, product=classified(merchant), attribute="category", value="Jacket")
    export(tmp_path / "out")
    before = (tmp_path / "out" / "labels.csv").read_bytes()

    with pytest.raises(CommandError, match="holds files"):
        export(tmp_path / "out")
    with pytest.raises(CommandError, match="no attribute “colour”"):
        export(tmp_path / "other", attribute=["colour"])

    assert (tmp_path / "out" / "labels.csv").read_bytes() == before
    assert not (tmp_path / "other").exists()


def test_members_of_a_merchant_cannot_export(as_alice, tmp_path):
    with pytest.raises(Forbidden):
        export_dataset(actor=as_alice, folder=tmp_path / "out", selection=Selection(), val_share=0.2)

    assert not (tmp_path / "out").exists()
    assert not AuditEvent.objects.filter(action="merchant.export_dataset").exists()


def test_it_asks_the_database_no_more_for_more_products(
    classified, merchant, as_alice, tmp_path, django_assert_max_num_queries
):
    for color in ("red", "green", "blue"):
        catalog.decide(actor=as_alice, product=classified(merchant, color), attribute="category", value="Jacket")

    # Which exist, who refuses, the taxonomy (3); the trail (3); products, images in val; and for two hundred
    # products: they, their values, images, garments and predictions.
    with django_assert_max_num_queries(18):
        export(tmp_path / "out")

    assert len(labels(tmp_path / "out")) == 3
