"""The address of the API's description: cheap for the site, and nothing of the caller's gets into its headers."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from core.api import schema_page
from tests.support.api_clients import ApiClient, error_of


@pytest.fixture
def written(monkeypatch):
    """How often the description is written."""
    monkeypatch.setattr(schema_page, "_written", {})
    times = []

    def counted(self, *args, **kwargs):
        times.append(1)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    return times


def test_it_is_written_once_for_each_format_and_in_english(written):
    for _time in range(3):
        for language in ("ko", "en"):
            for kind in ("application/vnd.oai.openapi", "application/vnd.oai.openapi+json"):
                answer = ApiClient(language=language).get("/api/v1/schema", headers={"accept": kind})
                assert answer.status_code == 200
                assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert len(written) == 2


@pytest.mark.parametrize("said", ["%0d%0aX-Other:1", '";filename=other.exe', "\u202e", "x" * 5000])
def test_nothing_that_is_asked_for_gets_into_its_headers(written, said):
    for parameter in ("version", "lang"):
        answer = ApiClient().get(f"/api/v1/schema?{parameter}={said}", headers={"accept": "*/*"})
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == 'inline; filename="otjang.yaml"'
    assert len(written) == 1


def test_the_root_of_the_api_is_no_page():
    answer = ApiClient().get("/api/v1")
    assert (answer.status_code, error_of(answer)) == (404, "not_found")
