"""What was decoded of a file that is refused goes as soon as the answer is made, not when Python looks for circles."""

import gc

import pytest
from PIL import Image

from catalog.services.uploads import add_images
from tests.support import bad_image_bytes as made
from tests.support.drawn_images import upload
from tests.support.import_files import checked, zip_file
from vision.engine.decode import decode

pytestmark = pytest.mark.django_db


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _damaged():
    return made.cut(made.flat("PNG", (800, 800)), 0.7)


def _images():
    # By the type: what is only a proxy of an object that is gone cannot be asked for its class.
    return sum(issubclass(type(one), Image.Image) for one in gc.get_objects())


@pytest.mark.usefixtures("without_collector")
def test_nothing_of_a_refused_upload_is_left(actor, product):
    before = _images()
    [received] = add_images(actor=actor, product=product, files=[upload("a.png", _damaged())])
    assert received.refusal.code == "damaged"
    assert _images() == before


@pytest.mark.usefixtures("without_collector")
def test_nothing_of_a_refused_photo_of_an_import_is_left(actor):
    data = zip_file({"P1.png": _damaged(), "P2.png": _damaged()})
    before = _images()
    checked(actor, photos_zip=data)
    assert _images() == before


def test_the_test_sees_what_is_left():
    before = _images()
    kept = decode(made.base("jpeg")).image
    assert _images() > before
    assert kept
