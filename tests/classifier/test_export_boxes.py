"""Boxes and splits of an exported data set teach no model what is wrong."""

import pytest

from catalog import services as catalog
from catalog.models import Product
from classifier.models import Garment
from tests.support.exported_datasets import JACKET, JEANS, export_to, labels
from tests.support.stored_files import rows_of

pytestmark = pytest.mark.django_db


def test_it_takes_the_box_of_the_chosen_garment(classified, merchant, actor, tmp_path):
    product = classified(merchant, garments=(JACKET, JEANS))
    catalog.decide(actor=actor, product=product, attribute="category", value="Jeans")

    export_to(tmp_path / "out", trust_boxes=True)

    (row,) = labels(tmp_path / "out")
    assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.3, 0.5, 0.7, 1.0]
    assert row["category_model_wrong"] == "0"
    assert row["box_ok"] == "0"  # the jacket beside it has no label, so that the image teaches no detector


def test_a_correction_across_top_categories_keeps_the_only_garments_box(classified, merchant, actor, tmp_path):
    alone, beside = classified(merchant, "red"), classified(merchant, "green", garments=(JACKET, JEANS))
    for product in (alone, beside):
        catalog.decide(actor=actor, product=product, attribute="category", value="Dress")

    export_to(tmp_path / "out")
    export_to(tmp_path / "trusting", trust_boxes=True)

    (row,) = labels(tmp_path / "out")
    assert (row["product"], row["category"], row["category_model_wrong"]) == (alone.public_id, "Dress", "1")
    assert row["box_ok"] == "0"
    assert [row["box_ok"] for row in labels(tmp_path / "trusting")] == ["1"]
    (reject,) = rows_of(tmp_path / "out" / "rejects.csv")
    assert (reject["file"], reject["reason"]) == (beside.images.get().public_id, "no_garment_box")


def test_a_box_that_a_person_drew_is_good(classified, merchant, alice, actor, tmp_path):
    product = classified(merchant)
    Garment.objects.create(
        image=product.images.get(), source="human", x1=0.25, y1=0.25, x2=0.75, y2=0.75, created_by=alice
    )
    catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert (row["x1"], row["y2"], row["box_ok"]) == ("0.25000", "0.75000", "1")


def test_a_image_of_two_products_is_not_in_both_splits(classified, merchant, actor, tmp_path):
    for _number in range(8):
        product = classified(merchant, "red", garments=(JACKET, JEANS))
        catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")

    export_to(tmp_path / "out", val_share=0.5)

    rows = labels(tmp_path / "out")
    assert len({row["split"] for row in rows}) == 1
    assert len(rows) + len(rows_of(tmp_path / "out" / "rejects.csv")) == 8


def test_a_product_stays_in_its_split(classified, merchant, actor, tmp_path):
    for color in ("red", "green", "blue", "orange"):
        product = classified(merchant, color)
        catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")
    export_to(tmp_path / "before", val_share=0.5)
    Product.objects.filter(pk=product.pk).update(name="Another name")
    catalog.decide(actor=actor, product=classified(merchant, "pink"), attribute="category", value="Jacket")

    export_to(tmp_path / "after", val_share=0.5)

    before, after = ({row["product"]: row["split"] for row in labels(tmp_path / name)} for name in ("before", "after"))
    assert before.items() <= after.items()
    assert len(after) == 5
