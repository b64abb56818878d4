"""One world in which everybody asks for everything."""

import pytest
from django.test import Client

from tests.support.address_world import AddressWorld, personas
from tests.support.fake_engines import StubEngine, garment, serve


@pytest.fixture
def browsers(client_of, alice, bob, dana, charlie, admin):
    """A browser for each persona."""
    anonymous = Client(headers={"accept-language": "en"})
    return personas(client_of, anonymous, outsider=charlie, viewer=dana, editor=bob, owner=alice, superuser=admin)


@pytest.fixture
def world(actor, product, monkeypatch):
    """What the addresses' arguments stand for."""
    serve(monkeypatch, StubEngine(garment("Jacket")))
    return AddressWorld(actor, product)
