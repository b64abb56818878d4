"""The files for containers, nginx and systemd name settings that exist, and limits that are the site's."""

import re

import pytest
import yaml
from django.conf import settings

from config import limits
from core.waiting import LONGEST

ROOT = settings.BASE_DIR
# What others than the site read.
FOREIGN = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),  # boto3
    *("PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "YOLO_CONFIG_DIR", "MPLCONFIGDIR"),
    *("PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"),
}


def _known():
    return FOREIGN | set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def _compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_the_image_sets_what_there_is():
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = re.findall(r"^ENV (.+)$", text, re.MULTILINE)
    assert set(re.findall(r"\b([A-Z_]+)=", " ".join(lines))) <= _known()
    assert re.search(r"^USER [1-9]\d*$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["web", "worker", "prepare"])
def test_compose_sets_what_there_is(name):
    service = _compose()["services"][name]
    assert set(service["environment"]) <= _known()
    assert not service.get("privileged")


def test_compose_names_files_and_services_that_exist():
    compose = _compose()
    services = compose["services"]
    assert set(services) == {"web", "worker", "prepare", "proxy", "database", "cache", "storage", "bucket"}
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in compose["volumes"]


def test_the_context_has_what_is_copied_and_no_secrets():
    kept = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert all((ROOT / name).exists() for name in kept)
    assert {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()} <= kept
    assert not kept & {"var", ".env", ".git", "tests"}


@pytest.mark.parametrize("path", sorted((ROOT / "deploy/systemd").glob("*.service")), ids=lambda path: path.name)
def test_units_set_what_there_is(path):
    text = path.read_text()
    assert set(re.findall(r"\b([A-Z_]+)=", " ".join(re.findall(r"^Environment=(.+)$", text, re.MULTILINE)))) <= _known()
    assert "\nUser=otjang\n" in text
    assert "\nNoNewPrivileges=yes\n" in text


def _nginx(directive):
    (found,) = re.findall(rf"^\s*{directive} (\d+)[ms];", (ROOT / "deploy/nginx.conf").read_text(), re.MULTILINE)
    return int(found)


def test_the_proxy_lets_through_what_the_site_takes():
    largest = max(
        settings.OTJANG_MAX_IMAGES_PER_PRODUCT * settings.OTJANG_MAX_UPLOAD_BYTES,
        settings.OTJANG_CLASSIFY_MAX_BYTES,
        settings.OTJANG_IMPORT_MAX_BYTES,
        settings.OTJANG_MAX_MODEL_BYTES,
    )
    assert _nginx("client_max_body_size") * 2**20 == largest + limits.form_limit()


def test_the_proxy_waits_longer_than_the_site():
    database = 30
    assert _nginx("proxy_read_timeout") > LONGEST + database
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in (ROOT / "deploy/nginx.conf").read_text()
