"""Upload validation for images: what is kept of a good one."""

import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from catalog import services
from catalog.copies import DISPLAY_SIDE, THUMBNAIL_SIDE
from catalog.models import Product, ProductImage
from catalog.services.uploads import add_images, create_product_with_images
from core.errors import Conflict, Forbidden, Invalid
from tests.support.drawn_images import photo, upload

pytestmark = pytest.mark.django_db


def _stored_files(folder=""):
    folders, files = default_storage.listdir(folder)
    return [f"{folder}/{name}" for name in files] + [
        path for name in folders for path in _stored_files(f"{folder}/{name}".lstrip("/"))
    ]


def _add(actor, product, *files, **options):
    return add_images(actor=actor, product=product, files=list(files), **options)


def test_it_keeps_the_original_bytes_under_a_random_name(alice, actor_of, product):
    data = photo()
    [received] = _add(actor_of(alice), product, upload("C:\\fotos\\앞면.jpg", data))
    image = received.image
    assert (received.name, image.original_name) == ("앞면.jpg", "앞면.jpg")
    assert image.public_id in image.original.name
    with image.original.open() as file:
        assert file.read() == data


def test_it_makes_an_upright_copy_without_metadata(alice, actor_of, product):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    exif[0x010E] = "taken at home"
    [received] = _add(actor_of(alice), product, upload(data=photo(size=(400, 300), exif=exif)))
    assert (received.image.width, received.image.height) == (300, 400)
    with Image.open(received.image.display) as copy:
        assert copy.size == (300, 400)
        assert not copy.getexif()


def test_it_keeps_copies_small(alice, actor_of, product):
    [received] = _add(actor_of(alice), product, upload(data=photo(size=(4000, 3000))))
    assert (received.image.width, received.image.height) == (4000, 3000)
    for field, side in ((received.image.display, DISPLAY_SIDE), (received.image.thumbnail, THUMBNAIL_SIDE)):
        with Image.open(field) as copy:
            assert max(copy.size) == side


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "I;16"), ("PNG", "LA"), ("WEBP", "RGBA"), ("JPEG", "L")],
)
def test_it_takes_every_kind_of_pixel(kind, mode, alice, actor_of, product):
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.new("I;16", (40, 30), 40_000).save(buffer, "PNG")
        data = buffer.getvalue()
    else:
        data = photo(kind=kind, mode=mode)
    [received] = _add(actor_of(alice), product, upload("x", data))
    assert received.refusal is None
    with Image.open(received.image.display) as copy:
        assert copy.mode == "RGB"


def test_it_keeps_the_order_and_appends(alice, actor_of, product):
    _add(actor_of(alice), product, upload("1.jpg", color="red"), upload("2.jpg", color="green"))
    _add(actor_of(alice), product, upload("3.jpg", color="blue"))
    assert [image.original_name for image in product.images.current()] == ["1.jpg", "2.jpg", "3.jpg"]


def test_it_refuses_the_same_image_twice_and_leaves_no_files(alice, actor_of, product):
    first, second = _add(actor_of(alice), product, upload("a.jpg"), upload("b.jpg"))
    assert (first.refusal, second.refusal.code) == (None, "duplicate")
    assert len(_stored_files()) == 4


def test_it_stores_nothing_of_refused_files(alice, actor_of, product):
    [received] = _add(actor_of(alice), product, upload("a.jpg", b"not an image"))
    assert (received.image, received.refusal.code) == (None, "not_an_image")
    assert (ProductImage.objects.count(), _stored_files()) == (0, [])


def test_it_removes_the_files_when_the_rows_cannot_be_written(alice, actor_of, product):
    services.archive(actor=actor_of(alice), product=product)
    with pytest.raises(Conflict):
        _add(actor_of(alice), product, upload())
    assert _stored_files() == []


def test_it_makes_no_product_without_a_good_image(alice, merchant, actor_of):
    product, [received] = create_product_with_images(
        actor=actor_of(alice), merchant=merchant, files=[upload("a.jpg", b"")], name="x", sku="A1"
    )
    assert (product, received.refusal.code) == (None, "empty")
    assert not Product.objects.exists()


def test_it_stores_no_image_when_the_sku_is_taken(alice, merchant, actor_of, product):
    with pytest.raises(Conflict) as refusal:
        create_product_with_images(actor=actor_of(alice), merchant=merchant, files=[upload()], sku=" aj-1042")
    assert refusal.value.code == "sku_taken"
    assert (Product.objects.count(), _stored_files()) == (1, [])


def test_it_counts_the_limit_over_uploads(alice, actor_of, product, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 2
    actor = actor_of(alice)
    _add(actor, product, upload("1.jpg", color="red"))
    received = _add(actor, product, upload("2.jpg", color="green"), upload("3.jpg", color="blue"))
    assert [entry.refusal and entry.refusal.code for entry in received] == [None, "too_many_images"]
    with pytest.raises(Invalid):
        _add(actor, product)


@pytest.mark.parametrize("person", ["dana", "charlie"])
def test_it_takes_nothing_from_viewers_and_outsiders(person, request, actor_of, product):
    with pytest.raises(Forbidden):
        _add(actor_of(request.getfixturevalue(person)), product, upload())
    assert (ProductImage.objects.count(), _stored_files()) == (0, [])
