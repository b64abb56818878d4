"""An image's way through the log: from the request that brought it, in one process, to its prediction in another."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from catalog.models import ProductImage
from tests.support.drawn_images import photo

WAIT = 60
BOUNDARY = "a-boundary-of-forms"


@pytest.fixture
def environment(tmp_path, four_class_weights):
    """The settings of a site of processes of its own, over the test's database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "mysql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    else:
        url = f"sqlite:///{name}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url,
        "PORT": port,
        "LOG_FORMAT": "json",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "UPLOAD_TEMP_DIR": str(tmp_path / "uploads"),
        "WEIGHTS": str(four_class_weights),
    }


def _form(name, data):
    fields = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
    return fields.encode() + head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def _send(port, secret):
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "X-Request-ID": "from-the-till-7",
    }
    address = f"http://127.0.0.1:{port}/api/v1/products"
    request = urllib.request.Request(address, _form("Coat", photo()), headers)
    until = time.monotonic() + WAIT
    while True:
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return answer.status
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:  # it is not there yet
            assert time.monotonic() < until


def _lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.django_db(transaction=True)
def test_request_image_and_job_are_joined_by_the_lines_of_both_processes(environment, api_key):
    _key, secret = api_key
    site = {"cwd": settings.BASE_DIR, "env": environment, "stderr": subprocess.PIPE, "text": True}
    web = subprocess.Popen([sys.executable, "-m", "config.server"], **site)
    try:
        assert _send(environment["PORT"], secret) == 201
    finally:
        web.terminate()
        _output, written = web.communicate(timeout=WAIT)
    worker = subprocess.run([sys.executable, "manage.py", "worker", "--once"], timeout=2 * WAIT, **site)
    image = ProductImage.objects.get()
    job = image.classifications.get()

    (stored,) = [line for line in _lines(written) if image.public_id in line.get("images", ())]
    assert stored["request"] == "from-the-till-7"
    (access,) = [line for line in _lines(written) if line["logger"] == "otjang.access"]
    assert (access["request"], access["status"]) == ("from-the-till-7", 201)

    (done,) = [line for line in _lines(worker.stderr) if "images done" in line["message"]]
    assert (done["images"], done["jobs"]) == ([image.public_id], [job.pk])
    assert job.state == "done"  # its predictions bear its key
    assert secret not in written + worker.stderr
