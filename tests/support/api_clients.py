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


def error_of(response):
    """Return the code of an answer that has the one shape of errors."""
    body = response.json()
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"]
    return body["error"]["code"]
