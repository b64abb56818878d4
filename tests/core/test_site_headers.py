import pytest


@pytest.mark.django_db
def test_it_says_that_it_is_well(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.content == b"ok"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/schema", "/nowhere"])
def test_it_allows_no_inline_script_in_the_portal(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/docs"])
def test_it_keeps_admin_and_docs_within_the_site(client, path):
    response = client.get(path)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "http" not in policy


@pytest.mark.django_db
def test_it_loads_nothing_from_another_host_in_the_docs(client):
    assert b"://cdn" not in client.get("/api/v1/docs").content
