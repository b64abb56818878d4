"""Clients that use the API as other programs do."""

from django.test import Client


class ApiClient(Client):
    """Sends JSON unless told otherwise, and reads JSON."""

    def __init__(self, secret=None, language="en"):
        headers = {"accept-language": language} | ({"authorization": f"Bearer {secret}"} if secret else {})
        super().__init__(headers=headers)

    def send(self, method, path, body=None, **extra):
        """Send JSON to an address below /api/v1."""
        extra = extra if body is None else {"data": body, "content_type": "application/json", **extra}
        return getattr(self, method)(f"/api/v1{path}", **extra)

    def upload(self, path, *files, **fields):
        """Send a form with images to an address below /api/v1."""
        return self.post(f"/api/v1{path}", {"images": list(files), **fields} if files else fields)


def problem_of(response):
    """Return the body of an answer that is a problem of RFC 9457."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) - {"uploads"} == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert body["status"] == response.status_code
    assert body["type"] == f"/api/v1/problems/{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert all(set(error) == {"pointer", "code", "detail"} for error in body["errors"])
    return body


def error_of(response):
    """Return the code of an answer that has the one shape of errors."""
    return problem_of(response)["code"]
