"""The registry's whole way, with each kind of detector that finds garments, all small real networks.

`four`: one of top-level categories; `one`: one class for any garment; `original`: the three detectors of the original,
of which the one for categories finds garments.
"""

import io
import itertools

import pytest
from django.core.management import call_command

from accounts.models import Operation
from catalog import services as catalog
from catalog.selectors import Taxonomy
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.jobs.tasks import classify_waiting
from classifier.models import Classification, Deployment, Garment, ModelVersion, Prediction, ShadowReport
from classifier.registry import registration, serving
from tests.support import original_detectors as original
from tests.support.drawn_images import photo, upload
from tests.support.factories import ProductFactory
from tests.support.stored_files import rows_of
from tests.support.tiny_networks import TOP_LEVELS
from vision.training import registration as opening
from vision.training.registration import GRAPH, NUMBERS

pytestmark = pytest.mark.django_db

KINDS = ("four", "one", "original")
ROLES = {"four": {"garment"}, "one": {"garment"}, "original": set()}
IMAGE = photo("navy", (300, 400))
ORIGINAL_IMAGE = original.draw((2, 4, "Jacket", "Denim", "Long sleeve"), (7, 5, "Skirt", "Sequin/Glitter", None))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, four_class_weights, network_weights):
    """The checkpoints of each kind, by role."""
    roles = ("garment", "category", "material", "sleeve_length")
    return {
        "four": {role: four_class_weights / f"{role}.pt" for role in roles},
        "one": {role: network_weights / f"{role}.pt" for role in roles},
        "original": original.build(tmp_path_factory.mktemp("original")),
    }


@pytest.fixture(scope="module")
def exported():
    """What each checkpoint says of itself, and its exported files."""
    return {}


@pytest.fixture(autouse=True)
def _opened_here(exported, monkeypatch):
    """Open each checkpoint once, and in this process: that another does it is tested elsewhere and takes seconds."""

    def open_here(checkpoint, folder, role, image_size, _go_on):
        if checkpoint not in exported:
            path = folder / "weights.pt"
            path.write_bytes(checkpoint)
            opened = opening.open_and_export(opening.Job(str(path), str(folder), role, image_size))
            exported[checkpoint] = opened, {name: (folder / name).read_bytes() for name in (GRAPH, NUMBERS)}
        opened, files = exported[checkpoint]
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return opened

    monkeypatch.setattr(registration, "_open", open_here)


@pytest.fixture
def serves(settings, checkpoints, four_class_weights, network_weights):
    """Let this kind serve: shipped where there is a weights folder, else registered and promoted."""

    def use(kind):
        settings.WEIGHTS_DIR = four_class_weights if kind == "four" else network_weights
        if kind == "original":
            for role, path in checkpoints[kind].items():
                call_command("register_model", path, role=role, activate=True, verbosity=0)
        return kind

    return use


@pytest.fixture
def classified(product, actor):
    """Classify an image of the product in which every kind finds something."""

    def make(kind, owner=None):
        data = ORIGINAL_IMAGE if kind == "original" else IMAGE
        (received,) = add_images(actor=actor, product=owner or product, files=[upload("a.jpg", data=data)])
        batches.classify_waiting()
        return Classification.objects.get(image=received.image)

    return make


def active():
    return {version.role: version for version in Deployment.objects.get().active.versions.all()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves(serves, classified, kind, product):
    job = classified(serves(kind))
    assert (job.state, job.error_code) == ("done", "")
    assert set(active()) == ROLES[kind] | {"category", "material", "sleeve_length"}
    assert not any(version.unknown_classes for version in active().values())
    garments = list(Garment.objects.filter(classification=job))
    assert garments
    said = Prediction.objects.filter(garment__in=garments)
    assert "category" in said.values_list("attribute__code", flat=True)
    assert {row.model_version for row in said} <= set(active().values())
    assert not said.filter(value__code="not_visible").exists()
    # Only the models of `four` know that something cannot be seen: with these weights the material, of all.
    hidden = {code for garment in garments for code in garment.hidden}
    assert hidden == ({"material"} if kind == "four" else set())
    product.refresh_from_db()
    assert product.proposal.candidates


@pytest.mark.parametrize("kind", KINDS)
def test_what_its_classes_stand_for(serves, classified, kind):
    classified(serves(kind))
    versions = active()
    if kind == "four":
        assert versions["garment"].mapping == {name: name for name in TOP_LEVELS}
        assert versions["material"].mapping["not_visible"] == "not_visible"
    elif kind == "one":
        assert versions["garment"].mapping == {}
    else:
        assert versions["category"].mapping["Tshirt"] == "Tshirt"


@pytest.mark.parametrize(("before", "after"), itertools.permutations(KINDS, 2))
def test_it_is_replaced_by_any_other_and_comes_back(serves, classified, checkpoints, before, after, merchant):
    """Registered from outside, tried, promoted, rolled back: every step with images."""
    classified(serves(before))
    first = Deployment.objects.get().active
    for role, path in checkpoints[after].items():
        call_command("register_model", path, role=role, name=f"{after}-{role}", verbosity=0)
    names = [f"{after}-{role}" for role in checkpoints[after]]

    call_command("shadow", *names, verbosity=0)
    for _round in range(3):
        classify_waiting.func()
    assert Operation.objects.get(kind="shadow").state == "done"
    assert ShadowReport.objects.get().figures["images"] == 1
    tried = Classification.objects.get(purpose="shadow")
    assert tried.state == "done"

    call_command("promote", *names, verbosity=0)
    assert set(active()) == ROLES[after] | {"category", "material", "sleeve_length"}
    job = classified(after, ProductFactory(merchant=merchant))
    assert job.state == "done"
    assert job.garments.exists()
    assert job.model_set == Deployment.objects.get().active

    call_command("roll_back", verbosity=0)
    assert Deployment.objects.get().active == first
    again = classified(before, ProductFactory(merchant=merchant))
    assert (again.state, again.model_set) == ("done", first)


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_decide_calibrates_it_and_leaves_as_a_data_set(serves, classified, kind, product, actor, tmp_path):
    serves(kind)
    classified(kind)
    product.refresh_from_db()
    proposed = product.proposal.candidates[0].attributes["category"].value
    catalog.decide(actor=actor, product=product, attribute="category", value=proposed)

    output = io.StringIO()
    call_command("calibrate_thresholds", stdout=output)
    call_command("export_dataset", out=tmp_path / "out", verbosity=0)

    assert active()["category"].name in output.getvalue()
    (row,) = rows_of(tmp_path / "out" / "labels.csv")
    assert (row["category"], row["category_model"]) == (proposed, active()["category"].name)


def test_a_detector_of_top_level_categories_may_join_older_classifiers(serves, classified, checkpoints):
    """Which say nothing of what cannot be seen, and have no weight for what it says."""
    classified(serves("one"))
    call_command("register_model", checkpoints["four"]["garment"], role="garment", activate=True, verbosity=0)
    assert active()["garment"].mapping == {name: name for name in TOP_LEVELS}
    image = serving.of_set(Deployment.objects.get().active, Taxonomy.load()).engine.classify(IMAGE)
    assert image.garments
    for garment in image.garments:
        assert garment.top_category.value in TOP_LEVELS
        assert garment.hidden == ()


def test_classes_of_a_detector_of_garments_can_be_mapped(serves, checkpoints):
    serves("one")
    call_command(
        "register_model",
        checkpoints["one"]["garment"],
        role="garment",
        name="coats",
        map=["garment=Outer"],
        verbosity=0,
    )
    version = ModelVersion.objects.get(name="coats")
    assert version.mapping == {"garment": "Outer"}
    spec, _network = serving.of_version(version)
    assert spec.classes == ("Outer",)


def test_a_class_can_be_said_to_mean_that_nothing_is_seen(serves, checkpoints):
    serves("one")
    path = checkpoints["one"]["material"]
    call_command("register_model", path, role="material", name="m", map=["woven=not_visible"], verbosity=0)
    version = ModelVersion.objects.get(name="m")
    assert version.mapping["woven"] == "not_visible"
