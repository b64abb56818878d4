"""The storage fails while an upload is written: 503 in the form that the caller reads, and nothing of it is stored."""

import errno

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import PendingFile, ProductImage
from core.outage import storage_is_away
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import photo
from tests.support.failing_storage import failing


def image():
    return SimpleUploadedFile("a.jpg", photo())


def quiet(client):
    """Let the site answer for its exceptions, as it does to everybody."""
    client.raise_request_exception = False
    return client


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_the_api_says_when_to_try_again(api_key, product, monkeypatch, number, after):
    api = quiet(ApiClient(api_key[1]))
    with failing(monkeypatch, OSError(number, "the disk fails"), after):
        answer = api.upload(f"/products/{product.public_id}/images", image())
    assert (answer.status_code, error_of(answer)) == (503, "storage_away")
    assert answer.headers["Retry-After"] == "5"
    assert not ProductImage.objects.exists()
    assert not PendingFile.objects.exists()
    assert api.upload(f"/products/{product.public_id}/images", image()).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_request_with_a_key_may_be_sent_again(api_key, monkeypatch):
    api = quiet(ApiClient(api_key[1]))
    key = {"idempotency-key": "8a4b"}
    with failing(monkeypatch):
        assert api.post("/api/v1/products", {"images": [image()]}, headers=key).status_code == 503
    assert api.post("/api/v1/products", {"images": [image()]}, headers=key).status_code == 201
    assert ProductImage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_pages_and_scripts_are_told_too(bob, client_of, product, monkeypatch):
    client = quiet(client_of(bob))
    address = f"/products/{product.public_id}/images"
    with failing(monkeypatch):
        answer = client.post(address, {"images": image()}, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_away")
        answer = client.post(address, {"images": image()})
        assert answer.status_code == 503
        assert b"cannot reach its files" in answer.content
    assert answer.headers["Retry-After"] == "5"
    assert not ProductImage.objects.exists()


def test_a_file_that_is_not_there_is_no_outage():
    assert not storage_is_away(FileNotFoundError(errno.ENOENT, "x"))
    assert not storage_is_away(ConnectionRefusedError(errno.ECONNREFUSED, "x"))
    assert not storage_is_away(ValueError())
    assert not storage_is_away(None)


def test_errors_of_s3_are_its():
    exceptions = pytest.importorskip("botocore.exceptions")
    assert storage_is_away(exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))
