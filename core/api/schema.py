"""How the API describes itself: what every operation has in common is said here, so that none forgets it."""

from __future__ import annotations

import json
import re
from typing import Any

from drf_spectacular.drainage import get_override
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from core.api.bodies import BinaryFileField, StrictSerializer
from core.api.fields import SelectedFieldsSerializer
from core.api.problem_types import MEDIA_TYPE, problem_type
from core.api.problems import USUAL, example_body, refusal_of

_SHARED = "#/components/responses/"
_PARTS = {  # of addresses
    "public_id": "Id of the product, or of the request to classify.",
    "image_id": "Id of the image.",
    "garment": "Id of the garment in the image.",
    "code": "Code of the attribute, or of the error.",
    "fetch_id": "Id of the image by URL.",
    "job_id": "Id of the classification.",
    "model_id": "Id of the model version.",
    "operation_id": "Id of the operation.",
    "webhook_id": "Id of the webhook.",
    "delivery_id": "Id of the delivery.",
}
_MANY = 3  # operations that answer the same
_ALWAYS = (406, 429, 500, 503)
_LOGGED_IN = (401, 403)
_WITH_BODY = (400, 411, 413, 415)


class ApiSchema(AutoSchema):
    """Adds the refusals that any operation may answer, and what the site's own fields and bodies are like."""

    def _common_refusals(self) -> set[int]:
        found = set(_ALWAYS)
        if self.view.authentication_classes:
            found.update(_LOGGED_IN)
        if self.method in {"POST", "PUT", "PATCH"} and self._get_request_body() is not None:  # type: ignore[no-untyped-call]  # spectacular's
            found.update(_WITH_BODY)
        parameters = self._get_parameters()
        if any(parameter["in"] == "path" for parameter in parameters):
            found.add(404)
        if any(parameter["in"] == "query" for parameter in parameters):
            found.add(400)
        return found

    def _is_list_view(self, serializer: Any = None) -> bool:
        """By the answer; where the generator sorts keys as text, a refusal's key, which is a pair, comes before it."""
        found: Any = self.get_response_serializers() if serializer is None else serializer
        if isinstance(found, dict):
            found = {code: one for code, one in found.items() if not isinstance(code, tuple)} or found
        return super()._is_list_view(found)

    def _resolve_path_parameters(self, variables: Any) -> Any:
        parameters = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]  # spectacular's
        for parameter in parameters:
            if parameter["name"] in _PARTS:
                parameter.setdefault("description", _PARTS[parameter["name"]])
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if direction != "response":
            return responses
        for status in sorted(self._common_refusals() - {int(code) for code in responses}):
            responses[str(status)] = self._get_response_for_code(  # type: ignore[no-untyped-call]  # spectacular's
                refusal_of(status), str(status), [MEDIA_TYPE], direction
            )
        return dict(sorted(responses.items()))

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        if isinstance(field, BinaryFileField):
            return {"type": "string", "format": "binary"}
        if isinstance(field, serializers.ListField) and isinstance(field.child, BinaryFileField):
            schema = {"type": "array", "items": {"type": "string", "format": "binary"}}
            return schema | ({"description": str(field.help_text)} if field.help_text else {})
        return super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # spectacular's

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # spectacular's
        if isinstance(serializer, StrictSerializer) and not get_override(serializer, "open", False):
            schema["additionalProperties"] = False
        if isinstance(serializer, SelectedFieldsSerializer):
            schema.pop("required", None)  # `fields=` may leave out any of them
        return schema


def summarise(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Give every operation a summary, its description's first sentence: lists of operations show nothing else."""
    for path in result["paths"].values():
        for operation in path.values():
            sentence = re.split(r"\.(?=\s|$)", operation.get("description", ""), maxsplit=1)[0]
            operation.setdefault("summary", " ".join(sentence.replace("`", "").split()))
    return result


def complete_refusals(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Give every refusal its examples, and say once what many operations refuse alike; the generator's last hook."""
    found: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for path in result["paths"].values():
        for operation in path.values():
            for code, response in operation["responses"].items():
                if int(code) >= 400:
                    _add_examples(int(code), response)
                    written = json.dumps([code, response], sort_keys=True, default=str)
                    found.setdefault(written, []).append((operation["responses"], code))
    shared: dict[str, Any] = {}
    for places in found.values():
        if len(places) < _MANY:
            continue
        code = places[0][1]
        number = sum(name.startswith(f"Problem{code}") for name in shared)
        name = f"Problem{code}{chr(ord('a') + number) if number else ''}"
        shared[name] = places[0][0][code]
        for responses, place in places:
            responses[place] = {"$ref": f"{_SHARED}{name}"}
    result["components"]["responses"] = dict(sorted(shared.items()))
    return result


def _add_examples(status: int, response: dict[str, Any]) -> None:
    """Show each of the codes that the description names, or the usual one of the status."""
    named = re.findall("`([a-z_]+)`", str(response["description"]))
    codes = [code for code in named if (known := problem_type(code)) is not None and known.status == status]
    for body in response.get("content", {}).values():
        body["examples"] = {code: {"value": example_body(code, status)} for code in codes or [USUAL[status][0]]}
