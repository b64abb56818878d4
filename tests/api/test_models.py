"""Models through the API: those that serve or have served."""

import pytest

from accounts.actors import system
from catalog.selectors import Taxonomy
from classifier.models import Deployment, ModelVersion
from classifier.registry import model_sets, serving
from tests.support.api_clients import error_of
from tests.support.fake_engines import StubEngine, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions(monkeypatch):
    """Two releases: the first one has served, the second one serves."""
    for version in ("1", "2"):
        serve(monkeypatch, StubEngine(version=version))
        serving.active(Taxonomy.load())
    model_sets.promote_set(actor=system(), model_set=Deployment.objects.get().active)


def test_it_lists_those_that_serve_and_have_served(api, versions):
    ModelVersion.objects.create(role="category", name="candidate", sha256="0" * 64, task="classify", input_size=64)
    found = api.send("get", "/models").json()["results"]
    assert {model["name"] for model in found} == {
        f"{role}-{version}" for role in ("garment", "category", "material", "sleeve_length") for version in (1, 2)
    }
    assert {(model["name"][-1], model["state"]) for model in found} == {("1", "retired"), ("2", "active")}
    (category,) = api.send("get", "/models?role=category&state=active").json()["results"]
    assert "Jacket" in category["values"]
    assert (category["task"], category["calibrated"]) == ("classify", True)
    assert api.send("get", f"/models/{category['id']}").json() == category
    assert api.send("get", f"/models/{category['id']}?fields=name,role").json() == {
        "role": "category",
        "name": "category-2",
    }
    assert {*api.send("get", "/models?fields=name").json()["results"][0]} == {"name"}
    assert error_of(api.send("get", "/models?fields=weights")) == "unknown_field"


def test_candidates_are_not_shown(api):
    candidate = ModelVersion.objects.create(role="category", name="x", sha256="0" * 64, task="classify", input_size=64)
    assert api.send("get", f"/models/{candidate.pk}").status_code == 404
    assert api.send("get", "/models").json() == {"results": [], "next": None, "previous": None}


def test_a_filter_that_does_not_exist_is_refused(api):
    assert error_of(api.send("get", "/models?roll=category")) == "unknown_field"
    assert error_of(api.send("get", "/models?state=candidate")) == "invalid_choice"


def test_the_list_takes_two_queries(api, versions, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):  # the key, its use, the models
        api.send("get", "/models")
