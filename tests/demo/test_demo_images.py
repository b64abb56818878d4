"""The demo shop's images: each is used, small, free of metadata, and has its source and licence beside it."""

import re

import pytest
from PIL import Image

from demo.catalogue import IMAGES, PRODUCTS

FILES = sorted(path.name for path in IMAGES.glob("*.jpg"))
SOURCES = (IMAGES / "SOURCES.md").read_text()
ROWS = {
    row[0]: row[1:]
    for row in (re.split(r"\s*\|\s*", line.strip(" |")) for line in SOURCES.splitlines() if line.startswith("| "))
}


def test_every_file_is_in_the_catalogue_and_the_other_way_round():
    assert sorted({image.file for product in PRODUCTS for image in product.images}) == FILES
    assert {path.name for path in IMAGES.iterdir()} - set(FILES) == {"SOURCES.md", "LICENSE-openpeople.txt"}


def test_products_have_skus_and_names_of_their_own():
    for values in ([product.sku for product in PRODUCTS], [product.name for product in PRODUCTS]):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("name", FILES)
def test_a_image_is_small_and_has_no_metadata(name):
    path = IMAGES / name
    assert path.stat().st_size <= 100_000
    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert not image.getexif()
        assert not {"comment", "xmp", "photoshop"} & set(image.info)


def test_each_has_its_source_author_and_licence():
    del ROWS["file"]
    assert sorted(ROWS) == FILES
    people = {name for name, (_source, _author, licence) in ROWS.items() if licence == "MIT"}
    assert {licence for _source, _author, licence in ROWS.values()} == {"CC0 1.0", "MIT"}
    assert all(source and author for source, author, _licence in ROWS.values())
    assert {ROWS[name][1] for name in people} == {"Prompt Haus"}
    assert len(people) <= 8
    garments = {source for name in FILES for source in re.findall(r"[0-9a-f-]{36}\.jpg", ROWS[name][0])}
    assert 24 <= len(garments) <= 30


def test_the_licences_are_beside_them():
    notice = (IMAGES / "LICENSE-openpeople.txt").read_text()
    assert "Copyright (c) 2026 Prompt Haus" in notice
    assert "The above copyright notice and this permission notice shall be included" in notice
    for text in ("Alexey Grigorev", "CC0 1.0", "openpeople 0.1.2", "MIT", "Copyright (c) 2026 Prompt Haus"):
        assert text in SOURCES
