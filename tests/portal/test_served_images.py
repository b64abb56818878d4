"""Whatever was uploaded, a browser that is led to one of our addresses of it runs nothing and guesses nothing."""

import pytest

from catalog.models import ProductImage
from core.ids import public_id
from tests.support import bad_image_groups as groups
from tests.support.bad_image_pages import VARIANTS
from tests.support.drawn_images import upload

pytestmark = pytest.mark.django_db

POLYGLOTS = [name for name, (_make, expected) in groups.GROUPS["polyglots"].items() if expected == "taken"]


def _is_harmless(response):
    content = response.getvalue()
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Content-Type"].startswith("image/")
    assert "svg" not in response.headers["Content-Type"]
    return content


@pytest.mark.parametrize("name", POLYGLOTS)
def test_what_is_shown_is_made_again_and_what_was_sent_is_only_downloaded(client, api, name):
    data = groups.GROUPS["polyglots"][name][0]()
    client.post("/products/new", {"images": upload(name, data)})
    image = ProductImage.objects.get()
    for caller in (client, api):
        for variant in VARIANTS:
            response = caller.get(f"/media/{image.public_id}/{variant}")
            content = _is_harmless(response)
            if variant == "original":
                assert response.headers["Content-Disposition"].startswith("attachment")
            else:
                assert response.headers["Content-Type"] == "image/jpeg"
                assert not any(part in content for part in (b"<script", b"<svg", b"<?php", b"PK\x03\x04", b"alert("))
                assert content.endswith(b"\xff\xd9")


def test_the_thumbnail_of_a_draft_is_made_again_too(client):
    data = groups.GROUPS["polyglots"]["html-behind.jpg"][0]()
    address = f"/products/new/{public_id()}/images"
    sent = client.post(address, {"images": upload("a.jpg", data)}, headers={"accept": "application/json"})
    content = _is_harmless(client.get(sent.json()["received"][0]["thumbnail"]))
    assert b"<script" not in content
