"""What there is room for: bad and doubled files take no place from good ones."""

import pytest
from django.core.files.storage import default_storage

from catalog import services
from catalog.models import ProductImage
from catalog.services import uploads
from catalog.services.uploads import add_images
from tests.support.drawn_images import photo, upload
from tests.support.factories import ProductImageFactory
from tests.support.stored_files import stored_files

pytestmark = pytest.mark.django_db


def _codes(received):
    return [entry.refusal.code if entry.refusal else None for entry in received]


def test_bad_files_take_no_place_from_good_ones(actor, product, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 2
    ProductImageFactory(product=product)
    received = add_images(
        actor=actor,
        product=product,
        files=[upload("a.jpg", b""), upload("b.jpg", b"text"), upload("good.jpg"), upload("late.jpg", color="blue")],
    )
    assert _codes(received) == ["empty", "not_an_image", None, "too_many_images"]
    assert product.images.count() == 2


def test_doubled_files_take_no_place_either(actor, product, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 2
    add_images(actor=actor, product=product, files=[upload("1.jpg", color="red")])
    files = [upload("again.jpg", color="red"), upload("2.jpg", color="green"), upload("2b.jpg", color="green")]
    assert _codes(add_images(actor=actor, product=product, files=files)) == [
        "duplicate",
        None,
        "too_many_images",
    ]
    assert product.images.count() == 2


def test_a_doubled_file_is_not_decoded(actor, product, monkeypatch):
    add_images(actor=actor, product=product, files=[upload()])
    monkeypatch.setattr(uploads, "decoding", lambda *args, **options: pytest.fail("decoded"))
    assert _codes(add_images(actor=actor, product=product, files=[upload()])) == ["duplicate"]


def test_it_takes_more_pixels_as_jpeg_than_as_formats_that_are_opened_whole(actor, product, settings):
    settings.OTJANG_MAX_PNG_PIXELS = 400 * 300
    settings.OTJANG_MAX_WEBP_PIXELS = 300 * 300
    files = [upload(f"{n}.{kind}", kind=kind, color=(n, 0, 0)) for n, kind in enumerate(("JPEG", "PNG", "WEBP"))]
    files += [upload("larger.png", kind="PNG", size=(401, 300)), upload("larger.jpg", size=(401, 300))]

    received = add_images(actor=actor, product=product, files=files)

    assert _codes(received) == [None, None, "too_many_pixels_for_format", "too_many_pixels_for_format", None]
    assert received[2].refusal.params == {"limit": "0.09", "format": "WebP"}


def test_a_image_that_was_put_away_may_come_again(actor, product):
    add_images(actor=actor, product=product, files=[upload()])
    services.archive_image(actor=actor, image=product.images.get())
    assert _codes(add_images(actor=actor, product=product, files=[upload()])) == [None]
    assert product.images.current().count() == 1


def test_rows_count_and_not_different_images(actor, product, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 3
    ProductImageFactory.create_batch(3, product=product, sha256="0" * 64)
    assert _codes(add_images(actor=actor, product=product, files=[upload()])) == ["too_many_images"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\fotos\\앞 면.jpg", "앞 면.jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("\u200b", "image"),
        (".jpg", ".jpg"),
        ("x" * 400 + ".jpg", "x" * 251 + ".jpg"),
        ("x" * 10 + "." + "y" * 300, None),
        ("x" * 300 + "." + "y" * 300, None),
    ],
)
def test_it_keeps_names_readable_and_short(actor, product, name, kept):
    file = upload("x.jpg")
    file._name = name  # past what the framework does to names on its own
    [received] = add_images(actor=actor, product=product, files=[file])
    assert received.name == received.image.original_name
    assert 0 < len(received.name) <= 255
    assert kept is None or received.name == kept
    assert not any(part in received.image.original.name for part in ("..", "etc", "\\"))


def test_what_is_stored_of_a_batch_survives_a_failing_storage(actor, product, monkeypatch):
    saved = default_storage.save

    def save(path, content, **options):
        if path.endswith("-thumbnail.jpg"):
            raise OSError("disk full")
        return saved(path, content, **options)

    monkeypatch.setattr(default_storage, "save", save)
    with pytest.raises(OSError, match="disk full"):
        add_images(actor=actor, product=product, files=[upload()])
    assert not ProductImage.objects.exists()
    assert stored_files() == []


def test_a_markup_tail_does_not_change_what_an_image_is(actor, product):
    [received] = add_images(
        actor=actor, product=product, files=[upload("a.html", photo() + b"<script>alert(1)</script>")]
    )
    assert received.image.original.name.endswith(".jpg")
