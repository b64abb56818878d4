"""The Python client against the site's own server, with a worker beside it."""

import pytest

import otjang
from tests.support.drawn_images import photo
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.live_servers import application, running_server
from tests.support.live_workers import running_worker

FOUND = garment({"Jacket": 0.91, "Jumper": 0.05}, material="denim", sleeve_length="long")


@pytest.fixture
def site_url(transactional_db, monkeypatch, settings):
    """The address of a running site whose models see a jacket in everything."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    serve(monkeypatch, StubEngine(FOUND))
    with running_server(application) as served, running_worker():
        yield f"http://127.0.0.1:{served.site.port}"


@pytest.fixture
def client(site_url, api_key):
    """A client with the merchant's key."""
    with otjang.Client(site_url, api_key[1]) as client:
        yield client


@pytest.fixture
def images(tmp_path):
    """Two photos in files."""
    paths = [tmp_path / "front.jpg", tmp_path / "back.jpg"]
    for path, colour in zip(paths, ("firebrick", "navy"), strict=True):
        path.write_bytes(photo(colour))
    return paths
