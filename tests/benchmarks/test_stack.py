"""The stack of local servers: what it makes of the files in deploy/, and its S3 server."""

import re

import pytest
from django.conf import settings

from benchmarks import stack, stack_servers
from benchmarks.stack_s3 import Troubled


@pytest.fixture
def _nginx(monkeypatch):
    monkeypatch.setattr(stack_servers, "program", lambda name, packages: name)


@pytest.mark.usefixtures("_nginx")
def test_nginx_is_that_of_deploy_but_for_its_place(tmp_path):
    proxy = stack_servers.nginx(tmp_path, [7001, 7002])
    site, upstream = ((tmp_path / name).read_text() for name in ("site.conf", "upstream.conf"))
    assert f"listen 127.0.0.1:{proxy.port};" in site
    assert f"include {tmp_path}/upstream.conf;" in site
    assert re.findall(r"server 127.0.0.1:(\d+) ", upstream) == ["7001", "7002"]
    changed = set(site.splitlines()) - set((settings.BASE_DIR / "deploy/nginx.conf").read_text().splitlines())
    assert len(changed) == 2


@pytest.mark.usefixtures("_nginx")
def test_more_web_processes_than_deploy_names_are_refused(tmp_path):
    with pytest.raises(RuntimeError, match="8003"):
        stack_servers.nginx(tmp_path, [7001, 7002, 7003])


def test_the_settings_are_those_of_the_site(tmp_path):
    process = stack_servers.Process("any", [], 1, tmp_path / "log")
    known = set(re.findall(r"^#([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    foreign = {*stack_servers.CREDENTIALS, "PYTHONUNBUFFERED"}
    assert set(stack._environment(tmp_path, process, process, process)) <= known | foreign


def _ask(application, **environ):
    said = []
    body = b"".join(application({"QUERY_STRING": "", **environ}, lambda status, headers: said.append(status)))
    return said[0], body


@pytest.fixture
def storage(tmp_path):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"image"]

    return Troubled(application, tmp_path / "trouble")


def test_the_storage_hands_nothing_out_without_a_signature(storage):
    assert _ask(storage)[0].startswith("403")
    assert _ask(storage, QUERY_STRING="X-Amz-Signature=ab")[1] == b"image"
    assert _ask(storage, HTTP_AUTHORIZATION="AWS4-HMAC-SHA256 …")[1] == b"image"


def test_the_storage_fails_when_it_is_told_to(storage):
    storage.trouble.write_text("fail")
    assert _ask(storage, QUERY_STRING="X-Amz-Signature=ab")[0].startswith("500")
    storage.trouble.write_text("ok")
    assert _ask(storage, QUERY_STRING="X-Amz-Signature=ab")[0].startswith("200")
