"""What schemathesis cannot know of the API: what an image is, which ids and codes there are, and where URLs may lead.

Notes every answer's status beside it, so that the report says how far the requests came.
"""

from __future__ import annotations

import json
import os
import random
import re
import uuid
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

from benchmarks.bulk_site import image
from benchmarks.fuzz_data import ANSWERS, KNOWN, PRODUCTS

FOLDER = Path(os.environ["FUZZ_FOLDER"])
RECEIVER = os.environ["FUZZ_RECEIVER"]
WRONG_SHAPE = "Response violates schema"
ACCEPTED = "Schema-violating request accepted"
WRONG_TYPE = ("in body - violates `type`", "Incorrect type")
NDJSON = "application/x-ndjson"
IDEMPOTENCY_KEY = "Idempotency-Key"
REAL_IMAGES = 24
BROKEN = [b"", b"\xff\xd8\xff\xe0 cut off", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"hello"]
SHARE = 0.85  # of what a request names is there
SEEDED = 0.5  # of the products in addresses have images and garments
REMEMBERED = 50  # things of a kind

_PARAMETER = re.compile(r"/\{(\w+)\}")
_URLS = ("url", "urls", "image_urls")

_known = json.loads((FOLDER / KNOWN).read_text())
_products: dict[str, dict[str, list[int]]] = _known["products"]
_values: dict[str, list[str]] = _known["values"]
# By the address of their list the things that answers have named: the parameters of the list's address, and the id.
_named: defaultdict[str, deque[tuple[dict[str, Any], Any]]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

# Nine of ten files are images, so that what comes behind the upload is reached.
_real = st.sampled_from([image() for _ in range(REAL_IMAGES)])
schemathesis.openapi.format("binary", st.one_of(*[_real] * 9, st.sampled_from(BROKEN)))


@schemathesis.hook
def filter_failure(context: schemathesis.HookContext, failure: Any, case: Any, response: schemathesis.Response) -> bool:
    """Leave out what schemathesis takes for wrong though nothing else can be said or told apart.

    It reads a single line of JSON as an object, where the schema says text; and in a form every number is a text.
    """
    (content_type, *_more) = response.headers.get("content-type", [""])
    if failure.title == WRONG_SHAPE and content_type.startswith(NDJSON):
        return False
    is_form = case.media_type == "multipart/form-data"
    return not (is_form and failure.title == ACCEPTED and any(words in failure.message for words in WRONG_TYPE))


def _known_parameters(path: str) -> dict[str, Any]:
    """Return ids of things that there are, and belong together, for an address."""
    if path.startswith(f"{PRODUCTS}/{{public_id}}") and random.random() < SEEDED:
        product = random.choice(list(_products))
        shown = random.choice(list(_products[product]))
        return {"public_id": product, "image_id": shown, "garment": random.choice(_products[product][shown])}
    for parameter in reversed(list(_PARAMETER.finditer(path))):
        if named := _named.get(path[: parameter.start()]):
            above, found = random.choice(named)
            return {**above, parameter[1]: found}
    return {}


def _with_receiver(body: dict[str, Any], is_wrong: bool) -> None:
    """Let URLs lead here."""
    for name in _URLS:
        said = body.get(name)
        if isinstance(said, str) and (said.startswith("http") or not is_wrong):
            body[name] = RECEIVER
        elif isinstance(said, list) and all(isinstance(one, str) for one in said):
            body[name] = [f"{RECEIVER}?{number}" for number in range(len(said))]


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let most requests name what there is, unless they are wrong on purpose."""
    components = case.meta.components if case.meta is not None else {}
    body = components.get(ParameterLocation.BODY)
    if isinstance(case.body, dict):
        _with_receiver(case.body, body is not None and body.mode.is_negative)
    headers = components.get(ParameterLocation.HEADER)
    is_key_right = headers is not None and not headers.mode.is_negative and IDEMPOTENCY_KEY in (case.headers or {})
    if is_key_right and random.random() < SHARE:  # else it may have come with another request
        case.headers[IDEMPOTENCY_KEY] = str(uuid.uuid4())
    path = components.get(ParameterLocation.PATH)
    if not case.path_parameters or path is None or path.mode.is_negative or random.random() > SHARE:
        return
    known = _known_parameters(case.operation.path)
    if "code" in case.path_parameters and "attributes" in case.operation.path:
        known["code"] = random.choice(list(_values))
        if isinstance(case.body, dict) and isinstance(case.body.get("value"), str):
            case.body["value"] = random.choice(_values[known["code"]])
    case.path_parameters.update({name: value for name, value in known.items() if name in case.path_parameters})


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Any, response: schemathesis.Response) -> None:
    """Note an operation's answer, and the ids in it."""
    path = case.operation.path
    with (FOLDER / ANSWERS).open("a") as file:
        file.write(f"{response.status_code} {case.method} {path}\n")
    if not 200 <= response.status_code < 300 or path.endswith("}"):
        return
    try:
        said = response.json()
    except ValueError:
        return
    things = said.get("results", [said]) if isinstance(said, dict) else []
    for thing in things if isinstance(things, list) else []:
        if isinstance(thing, dict) and "id" in thing:
            _named[path].append((dict(case.path_parameters or {}), thing["id"]))
