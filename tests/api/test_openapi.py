"""The API's description: current, valid, and with a word and an example for everything."""

import difflib
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

DESCRIBED = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", "--lang", "en", "--validate", "--fail-on-warn", "--file", str(file))
    return file.read_text()


@pytest.fixture(scope="module")
def schema(generated):
    return yaml.safe_load(generated)


def test_the_committed_description_is_current(generated):
    known = DESCRIBED.read_text()
    difference = "\n".join(
        difflib.unified_diff(known.splitlines(), generated.splitlines(), "docs/openapi.yaml", "make openapi", n=2)
    )
    assert known == generated, f"`make openapi` writes it again:\n{difference[:5000]}"


def operations(schema):
    for path, of_path in schema["paths"].items():
        for method, operation in of_path.items():
            yield f"{method.upper()} {path}", operation


def test_every_list_of_pages_says_how_to_turn_them(schema):
    lists = {
        name: {parameter["name"] for parameter in operation["parameters"]}
        for name, operation in operations(schema)
        if "/Paginated" in str(operation["responses"].get("200"))
    }
    assert len(lists) > 8
    assert [name for name, parameters in lists.items() if not {"cursor", "page_size"} <= parameters] == []


def test_it_is_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")


def test_every_operation_has_a_summary(schema):
    """All that Swagger UI and ReDoc list of an operation; without one they show its address or its id."""
    summaries = [operation.get("summary", "") for _name, operation in operations(schema)]
    assert all(summaries)
    assert not [said for said in summaries if said.endswith(".") or "\n" in said or len(said) > 120]


def test_tags_are_explained_and_begin_with_products(schema):
    said = {tag["name"]: tag["description"] for tag in schema["tags"]}
    assert next(iter(said)) == "products"
    assert {tag for _name, operation in operations(schema) for tag in operation["tags"]} == set(said)


def test_no_idempotency_key_is_filled_in(schema):
    """Swagger UI sends a parameter's example, and a second request with another body would be refused."""
    keys = [
        parameter
        for _name, operation in operations(schema)
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    ]
    assert keys
    assert not [key for key in keys if {"example", "examples", "default"} & {*key, *key["schema"]}]


def test_the_served_description_is_in_one_language(client, schema):
    """Most of it is never translated, so that codes of errors in another language would stand in the middle of it."""
    served = client.get("/api/v1/schema", HTTP_ACCEPT_LANGUAGE="ko")
    assert yaml.safe_load(served.content)["components"]["responses"] == schema["components"]["responses"]


def test_every_operation_is_described(schema):
    bare = [name for name, operation in operations(schema) if not operation.get("description")]
    bare += [
        f"{name}: {parameter['name']}"
        for name, operation in operations(schema)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert not bare


def _lacks_example(content):
    return [
        kind
        for kind, body in content.items()
        if body.get("schema") and not (body.get("examples") or body.get("example")) and "json" in kind
    ]


def test_every_body_has_an_example(schema):
    bare = []
    for name, operation in operations(schema):
        asked = operation.get("requestBody", {}).get("content", {})
        bare += [f"{name} asks {kind}" for kind in _lacks_example(asked)]
        for status, response in operation["responses"].items():
            bare += [f"{name} answers {status} {kind}" for kind in _lacks_example(response.get("content", {}))]
    assert not bare


def test_every_field_is_described(schema):
    bare = []
    for name, component in schema["components"]["schemas"].items():
        for field, described in component.get("properties", {}).items():
            if not described.get("description") and "$ref" not in described:
                bare.append(f"{name}.{field}")
    assert not bare


def test_files_are_files(schema):
    """What Swagger UI shows a field for to choose files in, and what generators of clients make files of."""
    form = schema["paths"]["/api/v1/products/{public_id}/images"]["post"]["requestBody"]["content"]
    name = form["multipart/form-data"]["schema"]["$ref"].rsplit("/", 1)[-1]
    images = schema["components"]["schemas"][name]["properties"]["images"]
    assert (images["type"], images["items"]) == ("array", {"type": "string", "format": "binary"})


def test_what_refuses_unknown_fields_says_so(schema):
    for name in ("NewProduct", "Decided", "PatchedProductChange", "Publish", "Order"):
        assert schema["components"]["schemas"][name]["additionalProperties"] is False, name
