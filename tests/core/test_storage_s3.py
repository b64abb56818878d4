"""Images in S3: typed options, a storage that hangs, and URLs by which the bucket hands out files itself."""

import logging
import socket
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from moto.server import ThreadedMotoServer
from storages.backends.s3 import S3Storage

from catalog.services.uploads import add_images
from catalog.storage import silence
from config import environment
from tests.support.drawn_images import photo, upload


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    """Credentials of nobody; no question to a machine's role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    silence.end()
    yield
    silence.end()


@pytest.fixture
def configured(monkeypatch):
    """Return what the settings make of MEDIA_STORAGE."""

    def configured(url):
        monkeypatch.setenv("MEDIA_STORAGE", url)
        return environment.media_storage("MEDIA_STORAGE")

    return configured


@pytest.fixture
def keep_in(settings, configured):
    """Let the site keep images where a MEDIA_STORAGE says."""

    def keep_in(url):
        settings.STORAGES = settings.STORAGES | {"default": configured(url)}

    return keep_in


@pytest.fixture(scope="session")
def _server():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(_server, keep_in):
    """An S3 in this process that the site keeps its images in; its address."""
    boto3.client("s3", endpoint_url=_server).create_bucket(Bucket="images")
    keep_in(f"s3://images/merchant?endpoint_url={_server}&addressing_style=path")
    return _server


@pytest.fixture
def hanging():
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield "http://{}:{}".format(*listener.getsockname())


@pytest.fixture
def image(alice, actor_of, product):
    [received] = add_images(actor=actor_of(alice), product=product, files=[upload("앞.png", photo(kind="PNG"))])
    return received.image


def test_every_option_has_the_type_that_the_library_means(configured):
    options = configured(
        "s3://images/merchant/?verify=false&file_overwrite=false&use_ssl=FALSE&gzip=true&querystring_expire=60"
        "&region_name=ap-northeast-2&endpoint_url=https://files.example:9000"
    )["OPTIONS"]
    assert options["verify"] is options["file_overwrite"] is options["use_ssl"] is False
    assert options["gzip"] is True
    assert options["querystring_expire"] == 60
    assert (options["bucket_name"], options["location"]) == ("images", "merchant")
    assert options["endpoint_url"] == "https://files.example:9000"


def test_it_offers_what_the_library_has_but_for_what_no_url_can_say():
    from config.s3 import OPTIONS

    own = {"connect_timeout", "read_timeout", "max_attempts"}
    elsewhere = {"bucket_name", "location"}
    no_text = {"client_config", "gzip_content_types", "object_parameters", "proxies", "transfer_config"}
    useless = {"file_name_charset", "use_threads"}
    defaults = S3Storage().get_default_settings()
    assert set(OPTIONS) - own == set(defaults) - elsewhere - no_text - useless
    for name, default in defaults.items():
        if name in OPTIONS and isinstance(default, bool):
            with pytest.raises(ValueError, match="true or false"):
                OPTIONS[name]("maybe")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("verify=perhaps", "MEDIA_STORAGE has an option verify that must be true, false or a file of certificates."),
        ("use_ssl=no thanks", "MEDIA_STORAGE has an option use_ssl that must be true or false."),
        ("querystring_expire=1h", "MEDIA_STORAGE has an option querystring_expire that must be a whole number."),
        ("region_name=", "MEDIA_STORAGE has an option region_name that must be given."),
        ("read_timeout=0", "MEDIA_STORAGE has an option read_timeout that must be seconds, more than 0"),
        ("max_attempts=0", "MEDIA_STORAGE has an option max_attempts that must be a whole number from 1 on."),
        ("file_overwrite=true", "MEDIA_STORAGE has an option file_overwrite that must be false: names are random"),
        ("region=seoul", "MEDIA_STORAGE has no option 'region'; there are access_key, addressing_style, "),
        ("client_config=x", "MEDIA_STORAGE has no option 'client_config'; "),
        ("bucket_name=x", "MEDIA_STORAGE has no option 'bucket_name'; "),
    ],
)
def test_it_refuses_a_wrong_option_by_name(configured, query, said):
    with pytest.raises(ImproperlyConfigured) as refused:
        configured(f"s3://images?{query}")
    assert str(refused.value).startswith(said)


def test_a_hanging_storage_is_given_up_soon_unless_told_otherwise(configured):
    def client(url):
        config = configured(url)["OPTIONS"]["client_config"]
        return config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]

    assert client("s3://images") == (3, 10, 2)
    assert client("s3://images?connect_timeout=1&read_timeout=0.5&max_attempts=1") == (1, 0.5, 1)
    config = configured("s3://images?addressing_style=path&signature_version=s3v4")["OPTIONS"]["client_config"]
    assert (config.s3["addressing_style"], config.signature_version) == ("path", "s3v4")


@pytest.mark.django_db
def test_it_streams_what_it_keeps_in_the_bucket(client_of, dana, bucket, image):
    response = client_of(dana).get(f"/media/{image.public_id}/display")
    assert response.status_code == 200
    with default_storage.open(image.display.name) as file:
        assert b"".join(response.streaming_content) == file.read()

    default_storage.delete(image.display.name)
    assert client_of(dana).get(f"/media/{image.public_id}/display").status_code == 404


@pytest.mark.django_db
def test_a_storage_that_hangs_is_asked_by_one_and_not_by_everybody(client_of, dana, image, hanging, keep_in):
    keep_in(f"s3://images?endpoint_url={hanging}&read_timeout=0.2&max_attempts=2&addressing_style=path")
    client, url = client_of(dana), f"/media/{image.public_id}/thumbnail"
    started = time.monotonic()
    for _thumbnail in range(24):
        response = client.get(url)
        assert response.status_code == 503
        assert response["Retry-After"] == "10"
        assert response["Cache-Control"] == "no-store"
        assert not response.content
    assert time.monotonic() - started < 5
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_it_asks_again_when_the_storage_is_back(client_of, dana, bucket, image, hanging, keep_in, settings):
    client, url, there = client_of(dana), f"/media/{image.public_id}/thumbnail", settings.STORAGES
    keep_in(f"s3://images?endpoint_url={hanging}&read_timeout=0.2&max_attempts=1&addressing_style=path")
    assert client.get(url).status_code == 503
    settings.STORAGES = there
    assert client.get(url).status_code == 503
    silence.end()  # as ten seconds later
    response = client.get(url)
    assert response.status_code == 200
    response.getvalue()


@pytest.mark.django_db
def test_a_refusal_of_the_storage_concerns_only_its_file(client_of, dana, bucket, image, keep_in):
    keep_in(f"s3://no-such-bucket?endpoint_url={bucket}&addressing_style=path")
    url = f"/media/{image.public_id}/thumbnail"
    assert client_of(dana).get(url).status_code in {404, 503}
    assert not silence


@pytest.mark.django_db
@pytest.mark.parametrize("variant", ["display", "thumbnail", "original"])
def test_with_signed_urls_the_bucket_hands_the_file_out(client_of, dana, bucket, image, settings, variant):
    settings.MEDIA_SIGNED_URLS = True
    response = client_of(dana).get(f"/media/{image.public_id}/{variant}")

    assert response.status_code == 302
    assert response.url.startswith(f"{bucket}/images/merchant/")
    assert "X-Amz-Signature" in response.url or "Signature" in parse_qs(urlsplit(response.url).query)
    assert response["Cache-Control"] == "private, max-age=1800"
    with urlopen(response.url) as answer, default_storage.open(str(getattr(image, variant))) as file:
        assert answer.read() == file.read()
        assert answer.headers["Content-Type"] == ("image/png" if variant == "original" else "image/jpeg")
        disposition = answer.headers["Content-Disposition"]
    assert disposition == ("attachment; filename*=utf-8''%EC%95%9E.png" if variant == "original" else None)


@pytest.mark.django_db
def test_with_signed_urls_outsiders_get_none(client_of, charlie, bucket, image, settings):
    settings.MEDIA_SIGNED_URLS = True
    url = f"/media/{image.public_id}/display"
    assert client_of(charlie).get(url).status_code == 404
    assert Client().get(url).url == f"/login?next={url}"


@pytest.mark.django_db
def test_with_signed_urls_pages_may_show_images_of_the_bucket(client_of, admin, dana, bucket, image, settings):
    before = client_of(dana).get("/")["Content-Security-Policy"]
    settings.MEDIA_SIGNED_URLS = True
    policy = client_of(dana).get("/")["Content-Security-Policy"]
    assert policy == before.replace("img-src 'self' blob: data:", f"img-src 'self' blob: data: {bucket}")
    assert bucket not in before
    assert f"data: {bucket};" in client_of(admin).get("/admin/")["Content-Security-Policy"]
    url = reverse("admin:catalog_productimage_media", args=[image.public_id, "display"])
    assert client_of(admin).get(url).url.startswith(bucket)
