"""A few of each kind of bad image through the API: stored or refused by a code, and everything opens afterwards."""

import pytest

from catalog.models import ProductImage
from catalog.upload_validation import SENTENCES
from tests.support import bad_image_pages as pages
from tests.support.bad_images import TAKEN, form, thinned

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning"),
]


def _sent(api, bad):
    body, content_type = form([(bad.sent_name, bad.make())])
    answer = api.generic("POST", "/api/v1/products", body, content_type)
    assert answer.status_code in {201, 400}, (bad.name, answer.status_code)
    uploads = answer.json().get("uploads")
    if not uploads:
        return answer.json()["code"]
    return uploads[0]["error"]["code"] if uploads[0]["error"] else TAKEN


def test_each_is_stored_or_refused_and_all_opens(api):
    said = {bad: _sent(api, bad) for bad in thinned()}
    assert {bad.name: code for bad, code in said.items() if code not in {*SENTENCES, TAKEN}} == {}
    wrong = {bad.name: (code, bad.expected) for bad, code in said.items() if bad.expected and code != bad.expected}
    assert wrong == {}
    assert ProductImage.objects.count() == sum(code == TAKEN for code in said.values()) > 12
    assert pages.unopened(api, [*pages.api_pages(), *pages.files()]) == {}
