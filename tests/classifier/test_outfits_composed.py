"""Products that are composed for measuring proposals: what each of their images shows."""

import csv

import pytest
from PIL import Image

from benchmarks.outfit_products import PAGE_WIDTH, compose, read_photos

WORN = [
    ("a.jpg", "train", "Jacket", 0.2, 0.1, 0.8, 0.5, ""),
    ("a.jpg", "train", "Jeans", 0.3, 0.5, 0.7, 0.95, ""),
    ("b.jpg", "train", "Coat", 0.2, 0.1, 0.8, 0.8, ""),
    ("b.jpg", "train", "Shirt", 0.4, 0.12, 0.6, 0.4, "p"),
    ("c.jpg", "val", "Dress", 0.2, 0.1, 0.8, 0.8, ""),
]
FLAT = [("d.jpg", "train", "Jeans", 0.1, 0.1, 0.9, 0.9, "1"), ("e.jpg", "train", "", "", "", "", "", "")]
COLUMNS = ["image", "split", "category", "x1", "y1", "x2", "y2"]


@pytest.fixture
def photos(tmp_path):
    """Photos of worn and flat garments of the train split."""

    def read(name, rows, last):
        (tmp_path / name / "images").mkdir(parents=True)
        with (tmp_path / name / "labels.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerows([[*COLUMNS, last], *rows])
        for row in rows:
            Image.new("RGB", (200, 300), "navy").save(tmp_path / name / "images" / row[0])
        return read_photos(tmp_path / name, "labels.csv", "train")

    return read("worn", WORN, "flag"), read("flat", FLAT, "box_ok")


def test_it_sells_clear_garments_of_the_split(photos):
    products = compose(*photos, 30, seed=1)
    assert {product.garment.category for product in products} == {"Jacket", "Jeans", "Coat"}
    assert all(product.shots[0].kind == "outfit" for product in products)
    assert all(2 <= len(product.shots) <= 5 for product in products)
    assert compose(*photos, 30, seed=1) == products


def test_it_shows_the_garment_where_it_says(photos):
    shots = [(product, shot) for product in compose(*photos, 60, seed=2) for shot in product.shots]
    assert {shot.kind for _product, shot in shots} == {"outfit", "crop", "close_up", "flat", "page", "chart"}
    for product, shot in shots:
        shown = shot.shown()
        assert any(garment.category == product.garment.category for garment, _box in shown) == (shot.kind != "chart")
        assert all(-1e-9 <= edge <= 1 + 1e-9 for _garment, box in shown for edge in box)


def test_it_draws_detail_pages_as_tall_strips(photos):
    products = compose(*photos, 30, seed=3)
    page = next(shot for product in products for shot in product.shots if shot.kind == "page")
    image = page.render()
    assert image.width == PAGE_WIDTH
    assert image.height > 2.2 * image.width
    for _garment, (x1, y1, x2, y2) in page.shown():
        middle = (round((x1 + x2) / 2 * image.width), round((y1 + y2) / 2 * image.height))
        assert image.getpixel(middle) != (255, 255, 255)


def test_it_names_half_of_them_and_some_wrongly(photos):
    products = compose(*photos, 400, seed=4)
    named = [product for product in products if product.name]
    assert 160 < len(named) < 240
    assert 5 < sum(product.misleading for product in named) < 40
