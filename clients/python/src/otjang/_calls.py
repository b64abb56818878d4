"""Every operation of the API as a request and a way to read its answer; the clients differ only in how they send it."""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from otjang.errors import ClassificationFailed
from otjang.models import Found, Image, Line, Product, Task, Upload, Value

T = TypeVar("T")

File = str | Path | tuple[str, bytes]
"""A path, or a name and what the file holds."""

ROOT = "/api/v1"
KEY_HEADER = "Idempotency-Key"
_FOR_IMAGES = "images"


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        path: below the API's root, or with it.
        parse: reads the answer.
        fields: of a form; with `files` the request is one.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    fields: Mapping[str, str] | None = None
    files: Sequence[File] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def request(self, http: httpx.Client | httpx.AsyncClient, headers: Mapping[str, str]) -> Iterator[httpx.Request]:
        """Build the request with its files open; each attempt needs its own."""
        path = self.path if self.path.startswith(ROOT) else f"{ROOT}{self.path}"
        params = {name: _as_text(value) for name, value in self.params.items() if value is not None}
        with ExitStack() as open_files:
            files = [(_FOR_IMAGES, _part(file, open_files)) for file in self.files] or None
            yield http.build_request(
                self.method, path, params=params, json=self.body, data=self.fields, files=files, headers=headers
            )

    def all_headers(self) -> dict[str, str]:
        """Return the headers of all attempts: a POST or PATCH has a key, by which the site knows it again."""
        own = {KEY_HEADER: str(uuid.uuid4())} if self.method in {"POST", "PATCH"} else {}
        return own | dict(self.headers)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(file: File, open_files: ExitStack) -> tuple[str, Any, str]:
    path = Path(file[0] if isinstance(file, tuple) else file)
    source = file[1] if isinstance(file, tuple) else open_files.enter_context(path.open("rb"))
    return path.name, source, mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def product_path(product: str, *more: str) -> str:
    """Return the address of a product, or of something below it."""
    return "/".join(("/products", *(quote(part, safe="") for part in (product, *more))))


def _product(response: httpx.Response) -> Product:
    return Product.of(response.json(), response.headers.get("ETag"))


def _value(response: httpx.Response) -> Value:
    return Value.of(response.json())


def _uploads(response: httpx.Response) -> tuple[Upload, ...]:
    return tuple(Upload.of(one) for one in response.json().get("uploads") or ())


def _nothing(response: httpx.Response) -> None:
    return None


def json_of(response: httpx.Response) -> Any:
    """Return the body as it is."""
    return response.json() if response.content else None


def task_of(response: httpx.Response) -> Task:
    """Read something that goes on in the background."""
    return Task.of(response.json())


def _key(key: str | None) -> dict[str, str]:
    return {KEY_HEADER: key} if key else {}


def _match(etag: str | None) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields that somebody named: `...` stands for what was left out, because null means something."""
    return {name: value for name, value in fields.items() if value is not ...}


def create_product(name: str, sku: str | None, images: Sequence[File], key: str | None) -> Call[Product]:
    """POST /products."""
    said = {"name": name} | ({"sku": sku} if sku else {})
    as_form: dict[str, Any] = {"fields": said, "files": images} if images else {"body": said}
    return Call("POST", "/products", _product, headers=_key(key), **as_form)


def product(product_id: str) -> Call[Product]:
    """GET /products/{id}."""
    return Call("GET", product_path(product_id), _product)


def update_product(product_id: str, fields: Mapping[str, Any], etag: str | None) -> Call[Product]:
    """PATCH /products/{id}."""
    return Call("PATCH", product_path(product_id), _product, body=_given(**fields), headers=_match(etag))


def move_product(product_id: str, move: str, body: Mapping[str, Any] | None = None) -> Call[Product]:
    """POST /products/{id}/publish and the other moves."""
    return Call("POST", product_path(product_id, move), _product, body=body)


def classify_product(product_id: str) -> Call[Any]:
    """POST /products/{id}/classify."""
    return Call("POST", product_path(product_id, "classify"), json_of)


def delete_product(product_id: str) -> Call[None]:
    """DELETE /products/{id}."""
    return Call("DELETE", product_path(product_id), _nothing)


def page(path: str, filters: Mapping[str, Any]) -> Call[Mapping[str, Any]]:
    """GET one page of a list."""
    return Call("GET", path, json_of, params=filters)


def next_page(shown: Mapping[str, Any], call: Call[Mapping[str, Any]]) -> Call[Mapping[str, Any]] | None:
    """Return the request for the page behind one; None behind the last."""
    if not shown.get("next"):
        return None
    # Of the address only what follows the question mark: the key goes to no other site.
    return page(call.path, dict(httpx.URL(shown["next"]).params))


def upload(product_id: str, images: Sequence[File], key: str | None) -> Call[tuple[Upload, ...]]:
    """POST /products/{id}/images."""
    return Call("POST", product_path(product_id, "images"), _uploads, files=images, headers=_key(key))


def image(product_id: str, image_id: str) -> Call[Image]:
    """GET /products/{id}/images/{id}."""
    return Call("GET", product_path(product_id, "images", image_id), lambda response: Image.of(response.json()))


def archive_image(product_id: str, image_id: str) -> Call[None]:
    """POST /products/{id}/images/{id}/archive."""
    return Call("POST", product_path(product_id, "images", image_id, "archive"), _nothing)


def decide(product_id: str, attribute: str, body: Mapping[str, Any], etag: str | None) -> Call[Value]:
    """PUT /products/{id}/attributes/{code}."""
    address = product_path(product_id, "attributes", attribute)
    return Call("PUT", address, _value, body=body, headers=_match(etag))


def take_back(product_id: str, attribute: str) -> Call[Value]:
    """DELETE /products/{id}/attributes/{code}."""
    return Call("DELETE", product_path(product_id, "attributes", attribute), _value)


def classify(images: Sequence[File], wait: float, key: str | None) -> Call[Mapping[str, Any]]:
    """POST /classify."""
    headers = {"Prefer": f"wait={wait:.0f}"} | _key(key)
    return Call("POST", "/classify", json_of, files=images, headers=headers)


def classified(request_id: str, wait: float) -> Call[Mapping[str, Any]]:
    """GET /classify/{id}."""
    return Call("GET", f"/classify/{quote(request_id, safe='')}", json_of, params={"wait": f"{wait:.0f}"})


def found_in(body: Mapping[str, Any]) -> list[Found] | None:
    """Return what was found, in the order of the files; None until it is known.

    Raises:
        ClassificationFailed: it will never be.
    """
    if body.get("state") == "failed":
        error = body.get("error") or {}
        raise ClassificationFailed(f"{error.get('code', 'unknown')}: {error.get('detail', '')}")
    results = body.get("results")
    return None if results is None else [Found.of(one) for one in results]


def bulk(products: Sequence[Mapping[str, Any]], atomic: bool, key: str | None) -> Call[list[Line]]:
    """POST /products/bulk."""
    body = {"products": list(products), "atomic": atomic}
    return Call(
        "POST",
        "/products/bulk",
        lambda response: [Line.of(one) for one in response.json()["results"]],
        body=body,
        headers=_key(key),
    )


def read(path: str) -> Call[Any]:
    """GET anything."""
    return Call("GET", path, json_of)


def task(path: str, task_id: str, *move: str) -> Call[Task]:
    """GET a background task, or POST one of its moves."""
    address = "/".join((path, quote(task_id, safe=""), *move))
    return Call("POST" if move else "GET", address, task_of)
