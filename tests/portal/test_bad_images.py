"""A few of each kind of bad image through the portal: stored or refused by a code, and everything opens afterwards."""

import pytest

from catalog.models import ProductImage
from catalog.upload_validation import SENTENCES
from tests.support import bad_image_pages as pages
from tests.support.bad_images import TAKEN, form, thinned

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning"),
]


def _sent(client, bad):
    body, content_type = form([(bad.sent_name, bad.make())])
    answer = client.generic("POST", "/products/new", body, content_type, headers={"accept": "application/json"})
    assert answer.status_code in {200, 201, 207, 400}, (bad.name, answer.status_code)
    received = answer.json().get("received")
    return received[0]["code"] or TAKEN if received else answer.json()["code"]


def test_each_is_stored_or_refused_and_all_opens(client, client_of, admin):
    said = {bad: _sent(client, bad) for bad in thinned()}
    assert {bad.name: code for bad, code in said.items() if code not in {*SENTENCES, TAKEN}} == {}
    wrong = {bad.name: (code, bad.expected) for bad, code in said.items() if bad.expected and code != bad.expected}
    assert wrong == {}
    assert ProductImage.objects.count() == sum(code == TAKEN for code in said.values()) > 12
    assert pages.unopened(client, [*pages.portal_pages(), *pages.files()]) == {}
    assert pages.unopened(client_of(admin), pages.admin_pages()) == {}


def test_no_file_name_gets_out_of_its_place(client):
    for bad in thinned(100):
        if bad.group == "names":
            _sent(client, bad)
    for image in ProductImage.objects.all():
        assert all(image.public_id in name and ".." not in name for name in image.files.values())
        assert image.original_name
        assert not set(image.original_name) & set("/\\\0\n\r\u202e")
        answer = client.get(f"/media/{image.public_id}/original")
        answer.getvalue()
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Type"] == "image/jpeg"
