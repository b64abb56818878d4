"""What several tests of the classifier arrange alike."""

import pytest

from accounts.actors import system
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.registry import registration
from tests.support.drawn_images import upload
from tests.support.exported_datasets import JACKET
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, serve
from tests.support.registered_versions import two_materials


@pytest.fixture
def no_sample(settings):
    """Auto-accept everything that thresholds allow: no product is kept back as a sample."""
    settings.OTJANG_SAMPLE_SHARE = 0.0


@pytest.fixture
def opened(monkeypatch):
    """Spare the other process; see `two_materials`."""
    monkeypatch.setattr(registration, "_open", two_materials)


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
