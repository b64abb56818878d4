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
@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/docs", "/api/v1/redoc"])
def test_it_keeps_admin_and_docs_within_the_site(client, path):
    response = client.get(path)
    assert response.status_code == 200
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == ("'self' 'unsafe-eval'" if path.startswith("/admin") else "'self'")
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
    assert "http" not in str(policy)


@pytest.mark.django_db
def test_it_loads_nothing_from_another_host_in_the_docs(client):
    assert b"://cdn" not in client.get("/api/v1/docs").content


@pytest.mark.django_db
def test_the_docs_get_their_script_from_an_address_of_its_own(client):
    script = client.get("/api/v1/docs?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert script.headers["X-Content-Type-Options"] == "nosniff"
    assert b"SwaggerUIBundle(" in script.content
    assert b"SwaggerUIBundle(" not in client.get("/api/v1/docs").content
