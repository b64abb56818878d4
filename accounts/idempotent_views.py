"""`Idempotency-Key` for every POST and PATCH of the API: sent again, a request is not carried out again.

`config/api.py` puts all its addresses through `idempotent`, so no view has to remember it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import timedelta
from functools import partial
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from accounts.services import idempotency
from accounts.services.idempotency import LEASE, Answer, Claim
from core.api.problem_types import MEDIA_TYPE, ProblemType, register
from core.db import atomic, kept_open

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
METHODS = ("POST", "PATCH")
_LONGEST = 255
_VISIBLE = "[!-~]"
_KEPT_HEADERS = ("Content-Type", "Content-Language", "ETag", "Link", "Location", "Preference-Applied")
# Refusals that say nothing of the request itself: it may be sent again under the same key, and may succeed then.
_FOR_NOW = frozenset({401, 403, 408, 409, 412, 425, 429})
_LEASE_OF_A_FILE = timedelta(seconds=5)  # it is decoded
_RETRY_AFTER = 2  # s

Handler = Callable[..., HttpResponseBase]


class InvalidKey(APIException):
    """The header holds nothing that a request can be recognised by."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "idempotency_key_invalid"
    default_detail = _("The Idempotency-Key needs 1 to 255 visible ASCII characters. A random UUID is a good one.")


class ReusedKey(APIException):
    """Another request had this key."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key was sent with another request. Give every new request a key of its own.")


class KeyInUse(APIException):
    """The request is under way."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_in_use"
    default_detail = _("The request with this Idempotency-Key is still under way. Send it again in a few seconds.")
    wait = _RETRY_AFTER


class Forgotten(Response):
    """An answer that must not be kept: who sends the request again gets `kept_as`, which says where it is."""

    def __init__(self, *args: Any, kept_as: Response, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept_as = kept_as


class Idempotent(APIView):
    """Carries out a request with an Idempotency-Key once, and answers the same when it comes again."""

    # All of a request's changes and its answer are one transaction. False for a view that commits on the way: that
    # waits for a worker, say, or writes much. Uploads commit on the way, too, but end in a `decisive` transaction.
    one_transaction = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the method's handler be called once, when it is known who asks."""
        super().initial(request, *args, **kwargs)
        name = (request.method or "").lower()
        if request.method in METHODS and HEADER in request.headers and hasattr(self, name):
            setattr(self, name, partial(self._once, getattr(self, name)))

    def before_replay(self, request: Request) -> None:
        """Refuse who may no longer be told the answer to what they did; of a view that asks for more than to edit.

        The scope of a key and the role of a person are asked for before this, at every request.
        """

    def _once(self, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers[HEADER].strip()
        if not re.fullmatch(f"{_VISIBLE}{{1,{_LONGEST}}}", key):
            raise InvalidKey
        actor = actor_of(request)
        if actor.merchant is None:  # then there is nothing that could be done
            return handler(request, *args, **kwargs)
        files = [file for _name, some in request.FILES.lists() for file in some] if _is_form(request) else []
        try:
            begun = idempotency.begin(
                actor=actor,
                key=key,
                fingerprint=fingerprint_of(request),
                lease=LEASE + len(files) * _LEASE_OF_A_FILE,
            )
        except idempotency.KeyReused as error:
            raise ReusedKey from error
        except idempotency.KeyInUse as error:
            raise KeyInUse from error
        if isinstance(begun, Answer):
            self.before_replay(request)
            return _replayed(begun)
        whole = self.one_transaction and not files
        return self._carry_out(begun, partial(handler, request, *args, **kwargs), whole=whole)

    def _carry_out(self, claim: Claim, work: Callable[[], HttpResponseBase], *, whole: bool) -> HttpResponseBase:
        """Do it, with its answer in the same transaction; what was not done is not kept."""

        def do() -> HttpResponseBase:
            response = work()
            self._keep(claim, response)
            return response

        try:
            if whole:
                return atomic(do)()
            with kept_open():
                return do()
        except idempotency.KeyInUse as error:  # it took so long that somebody else began
            raise KeyInUse from error
        except Exception as error:
            try:
                response = self.handle_exception(error)
            except Exception:
                claim.release()
                raise
            self._keep(claim, response)
            return response

    def _keep(self, claim: Claim, response: HttpResponseBase) -> None:
        lasting = response.status_code < 500 and response.status_code not in _FOR_NOW
        if not lasting or not isinstance(response, HttpResponse):
            claim.release()
            return
        kept: HttpResponse = response.kept_as if isinstance(response, Forgotten) else response
        if isinstance(kept, Response):
            self.finalize_response(self.request, kept)
            kept.render()
        headers = {name: kept.headers[name] for name in _KEPT_HEADERS if name in kept.headers}
        claim.finish(Answer(kept.status_code, headers, kept.content.decode()))


def _is_form(request: Request) -> bool:
    return (request.content_type or "").startswith("multipart/form-data")


def _replayed(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    if "Content-Type" not in answer.headers:
        del response.headers["Content-Type"]
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response


def fingerprint_of(request: Request) -> str:
    """Return what tells requests apart: method, address, fields, and names and contents of files.

    Not how they are written: the boundary of a form, or the order and spacing of JSON.

    Raises:
        APIException: the body cannot be read.
    """
    digest = hashlib.sha256()

    def add(*parts: object) -> None:
        digest.update(json.dumps(parts, sort_keys=True).encode() + b"\n")

    add(request.method, request.path, sorted(request.query_params.lists()))
    try:
        data = request.data
    except UnsupportedMediaType:  # of a body that the view may not read
        add("bytes", hashlib.sha256(request._request.body).hexdigest())
        return digest.hexdigest()
    if not isinstance(data, QueryDict):
        add("json", data)
        return digest.hexdigest()
    for name, values in sorted(data.lists()):
        for value in values:
            if isinstance(value, UploadedFile):
                add("file", name, value.name, _hash(value))
            else:
                add("field", name, value)
    return digest.hexdigest()


def _hash(file: UploadedFile[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def idempotent(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """Let every view of these addresses, and of those included, take an Idempotency-Key; returns the addresses."""
    found = list(patterns)
    for pattern in found:
        if isinstance(pattern, URLResolver):
            idempotent(pattern.url_patterns)
        else:
            pattern.callback = _taking_keys(pattern.callback)
    return found


def _taking_keys(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    own: type[APIView] | None = getattr(view, "cls", None)
    if own is None or issubclass(own, Idempotent):
        return view
    same = {"__doc__": own.__doc__, "__module__": own.__module__, "__qualname__": own.__qualname__}
    taking = cast(type[APIView], type(own.__name__, (own, Idempotent), same))
    actions = getattr(view, "actions", None)
    arguments = [actions] if actions else []  # a view set's `as_view` takes them
    make: Callable[..., Callable[..., HttpResponseBase]] = taking.as_view
    return make(*arguments, **vars(view)["initkwargs"])  # which `as_view` left on the view


_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST, "pattern": f"^{_VISIBLE}+$"},
    "description": (
        "Your own name for this request, such as a random UUID. Sent again within 24 hours with the same body, it gets "
        f"the same answer, with the header `{REPLAYED}: true`, and nothing is done twice."
    ),
    # No example: Swagger UI would send it with every request, and the second one with another body is refused.
}
_REPLAYED = {
    "description": "`true`: the request was carried out before, and this is its answer.",
    "schema": {"type": "string", "enum": ["true"]},
}
_REFUSALS: Mapping[str, type[APIException]] = {"400": InvalidKey, "409": KeyInUse, "422": ReusedKey}

register(
    *(
        ProblemType(error.default_code, error.status_code, error.default_detail)
        for error in (InvalidKey, KeyInUse, ReusedKey)
    )
)


def describe_keys(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Say in the schema that every POST and PATCH takes the header, and how it is refused; a hook of the generator."""
    for path in result["paths"].values():
        for method in METHODS:
            if (operation := path.get(method.lower())) is not None:
                _describe(operation)
    return result


def _describe(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(deepcopy(_PARAMETER))
    responses: dict[str, Any] = operation["responses"]
    like = next(responses[code]["content"] for code in ("429", "401") if code in responses)
    schema = next(iter(like.values()))["schema"]
    for code, error in _REFUSALS.items():
        said = f"- `{error.default_code}`: {error.default_detail}"
        if code not in responses:
            responses[code] = {"content": {MEDIA_TYPE: {"schema": deepcopy(schema)}}, "description": said}
        else:
            responses[code]["description"] = f"{responses[code].get('description', '')}\n{said}"
    for code, response in responses.items():
        if code.startswith("2"):
            response.setdefault("headers", {})[REPLAYED] = deepcopy(_REPLAYED)
    operation["responses"] = dict(sorted(responses.items()))
