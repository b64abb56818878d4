"""What people draw goes into a data set: every box of theirs, and as the product's box only what is the product."""

import pytest

from catalog import services as catalog
from classifier import garments
from classifier.jobs import batches
from tests.support.exported_datasets import JACKET, JEANS, export_to, labels
from tests.support.stored_files import rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(alice, actor_of):
    return actor_of(alice)


def test_drawn_boxes_are_exported_and_removed_ones_are_not(actor, classified, merchant, tmp_path):
    product = classified(merchant, garments=(JACKET, JEANS))
    image = product.images.get()
    jacket, jeans = image.garments.order_by("pk")
    drawn = garments.draw(actor=actor, image=image, box=(0.25, 0.125, 0.75, 0.5), top_category="Outer")
    garments.remove(actor=actor, image=image, garment=jacket.pk)
    batches.classify_waiting()
    catalog.decide(actor=actor, product=product, attribute="category", value="Jacket")

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.25, 0.125, 0.75, 0.5]
    assert row["box_ok"] == "1"
    (box,) = rows_of(tmp_path / "out" / "boxes.csv")
    assert (box["x1"], box["top_category"], box["product"]) == ("0.25000", "Outer", product.public_id)
    assert drawn.pk != jeans.pk


def test_a_drawn_garment_beside_the_product_is_not_exported_as_the_product(actor, classified, merchant, tmp_path):
    image = classified(merchant).images.get()
    garments.draw(actor=actor, image=image, box=(0.3, 0.6, 0.7, 1.0), top_category="Bottom")
    batches.classify_waiting()
    catalog.decide(actor=actor, product=image.product, attribute="category", value="Jacket")

    export_to(tmp_path / "out")

    (row,) = labels(tmp_path / "out")
    assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.2, 0.1, 0.8, 0.9]  # the jacket that was found
    assert row["box_ok"] == "0"
    assert len(rows_of(tmp_path / "out" / "boxes.csv")) == 1
