"""To decide one value is to read one value: not the product's images, nor its history."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.api_clients import ApiClient
from tests.support.factories import ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    return product


def _selects(send):
    with CaptureQueriesContext(connection) as queries:
        response = send()
    assert response.status_code == 200
    return [query["sql"] for query in queries if query["sql"].startswith("SELECT")], response.json()


@pytest.mark.parametrize(("method", "state"), [("put", "decided"), ("delete", "proposed")])
def test_it_builds_the_one_value_that_it_answers_with(api_key, proposed, method, state):
    api, address = ApiClient(api_key[1]), f"/products/{proposed.public_id}/attributes/material"
    body = {"value": "corduroy"} if method == "put" else None
    api.send("put", address, {"value": "woven"})
    few, _answer = _selects(lambda: api.send(method, address, body))
    for value in ("woven", "denim") * 5:
        api.send("put", address, {"value": value})
        ProductImageFactory(product=proposed)

    many, answer = _selects(lambda: api.send(method, address, body))

    assert len(answer) == 9
    assert answer["state"] == state
    assert len(many) == len(few) <= 17  # one of them looks for webhooks
    assert not [sql for sql in many if "original_name" in sql or "classifier_garment" in sql]
    assert answer == api.send("get", f"/products/{proposed.public_id}").json()["attributes"]["material"]
