"""Where a photo was made is known to nobody who downloads it, however they do."""

import io
import zipfile

import pytest
from PIL import Image

from accounts.services import operations
from catalog.models import Product, ProductImage
from tests.support import bad_image_bytes as made
from tests.support.bad_image_pages import VARIANTS
from tests.support.drawn_images import upload
from tests.support.import_files import imported, lines, zip_file

pytestmark = pytest.mark.django_db

FILES = {
    "a.jpg": lambda: made.encoded(made.photo(), "JPEG", exif=made.place_exif()),
    "b.png": lambda: made.encoded(made.photo((60, 80)), "PNG", exif=made.place_exif()),
    "c.webp": lambda: made.encoded(made.photo((61, 80)), "WEBP", exif=made.place_exif()),
    "d.heic": lambda: made.encoded(made.photo((62, 80)), "HEIF", exif=made.place_exif()),
    "e.avif": lambda: made.encoded(made.photo((63, 80)), "AVIF", exif=made.place_exif()),
    "f.tif": lambda: made.encoded(made.photo((64, 80)), "TIFF", exif=made.place_exif()),
}


def _place(data):
    found = Image.open(io.BytesIO(data)).getexif()
    return {tag for tag, value in found.get_ifd(0x8825).items() if value}


@pytest.fixture
def product(client):
    client.post("/products/new", {"images": [upload(name, make()) for name, make in FILES.items()], "sku": "A-1"})
    return Product.objects.get()


def _content(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_photos_of_the_test_say_where_they_were_made():
    assert all(_place(make()) for make in FILES.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_neither_a_person_nor_a_program_gets_the_place(client, api, product, variant):
    assert product.images.count() == len(FILES)
    for image in product.images.all():
        for caller in (client, api):
            data = _content(caller.get(f"/media/{image.public_id}/{variant}"))
            assert not _place(data)
            if variant != "original":
                assert not Image.open(io.BytesIO(data)).getexif()


def test_no_export_has_the_place(client, client_of, alice, product):
    archive = zipfile.ZipFile(io.BytesIO(_content(client.get("/products/export.zip?images=1&sheet=csv"))))
    photos = [archive.read(name) for name in archive.namelist() if name.startswith("images/")]
    client_of(alice).post("/settings/data/start")
    operations.continue_long()
    page = client_of(alice).get(f"/settings/data/{operations.Operation.objects.get().public_id}")
    data = zipfile.ZipFile(io.BytesIO(_content(page)))
    photos += [data.read(name) for name in data.namelist() if not name.endswith(".csv")]
    assert len(photos) == 2 * len(FILES)
    assert not any(map(_place, photos))


def test_the_same_photo_is_still_the_same(client, actor, product):
    answer = client.post(
        f"/products/{product.public_id}/images",
        {"images": [upload(name, make()) for name, make in FILES.items()]},
        headers={"accept": "application/json"},
    )
    assert {entry["code"] for entry in answer.json()["received"]} == {"duplicate"}
    found = imported(actor, photos_zip=zip_file({f"A-1/{name}": make() for name, make in FILES.items()}))
    assert [line.outcome for line in lines(found)] == ["unchanged"]
    assert ProductImage.objects.count() == len(FILES)


def test_a_photo_without_a_place_is_handed_out_as_it_was_sent(client):
    data = made.encoded(made.photo(), "JPEG", exif=b"Exif\0\0" + made.directory([(0x0112, 3, 1, 6)]))
    client.post("/products/new", {"images": upload("a.jpg", data)})
    assert _content(client.get(f"/media/{ProductImage.objects.get().public_id}/original")) == data
