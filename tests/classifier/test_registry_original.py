"""The original's three detectors, dropped in: registered, activated and used without any code."""

import json

import pytest
from django.core.management import CommandError, call_command

from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Classification, Deployment, Garment, ModelVersion
from classifier.registry import registration
from tests.support import original_detectors as original
from tests.support.drawn_datasets import draw_garments
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from vision.training.registration import GRAPH, NUMBERS

JACKET = (2, 4, "Jacket", "Denim", "Long sleeve")
SKIRT = (7, 5, "Skirt", "Sequin/Glitter", None)
IMAGES = {
    "two": original.draw(JACKET, SKIRT),
    "overlapping": original.draw((4, 4, "Tshirt", "messi", "Cap"), (5, 5, "PaddedJacket", "padding", "Long sleeve")),
    "bare": original.draw((5, 5, "Blouse", None, None)),
    "none": original.draw(),
}
FOUND = {
    "two": [("Jacket", "denim", "long"), ("Skirt", "sequin", None)],
    "overlapping": [("PaddedJacket", "padding", "long"), ("Tshirt", "mesh", "cap")],
    "bare": [("Blouse", None, None)],
    "none": [],
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    return original.build(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="module")
def exported():
    """What came out of the process that opened each checkpoint, which takes seconds: (what it said, its files)."""
    return {}


@pytest.fixture
def activate(db, checkpoints, exported, network_weights, settings, capsys, monkeypatch):
    """Replace the shipped set role by role, as its user does it; returns what the commands say.

    Each checkpoint is opened by a process of its own once, for whichever test needs it first.
    """
    settings.WEIGHTS_DIR = network_weights
    open_ = registration._open

    def open_once(checkpoint, folder, role, *options):
        if role not in exported:
            opened = open_(checkpoint, folder, role, *options)
            exported[role] = opened, {name: (folder / name).read_bytes() for name in (GRAPH, NUMBERS)}
        opened, files = exported[role]
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return opened

    monkeypatch.setattr(registration, "_open", open_once)

    def register(*roles):
        for role in roles:
            call_command("register_model", checkpoints[role], role=role, activate=True)
        return capsys.readouterr().out

    return register


@pytest.mark.sqlite_is_enough
def test_they_serve_on_the_command_line_and_in_the_site(activate, product, alice, actor_of, tmp_path, capsys):
    activated = activate(*original.CLASSES)

    assert "category: category_best, detect, 17 classes, 160 px" in activated
    assert "material: material_best, detect, 24 classes, 160 px" in activated
    assert "without a value" not in activated
    members = {version.role: version.name for version in Deployment.objects.get().active.versions.all()}
    assert members == {"category": "category_best", "material": "material_best", "sleeve_length": "length_best"}
    assert not any(version.unknown_classes for version in ModelVersion.objects.all())

    for name, content in IMAGES.items():
        (tmp_path / f"{name}.jpg").write_bytes(content)
    call_command("classify", *(str(tmp_path / f"{name}.jpg") for name in FOUND), registry=True, format="jsonl")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [_values(line["garments"]) for line in lines] == list(FOUND.values())
    assert lines[0]["models"] == members

    files = [upload(f"{name}.jpg", data=IMAGES[name]) for name in FOUND]
    images = [received.image for received in add_images(actor=actor_of(alice), product=product, files=files)]
    assert batches.classify_waiting() == len(FOUND)
    for image, expected in zip(images, FOUND.values(), strict=True):
        job = Classification.objects.get(image=image)
        assert job.state == "done"
        assert _predicted(job) == expected

    two = ProductFactory(merchant=product.merchant)
    add_images(actor=actor_of(alice), product=two, files=[upload("two.jpg", data=IMAGES["two"])])
    batches.classify_waiting()
    two.refresh_from_db()
    values = {
        found.top_category: {code: said.value for code, said in found.attributes.items()}
        for found in two.proposal.candidates
    }
    assert values == {
        "Outer": {"category": "Jacket", "material": "denim", "sleeve_length": "long"},
        "Bottom": {"category": "Skirt", "material": "sequin"},
    }


def test_they_can_be_measured_as_a_pipeline_against_the_shipped_set(activate, tmp_path, capsys):
    activate("category", "material")
    data, version = draw_garments(tmp_path / "data"), ModelVersion.objects.get(role="material", name="material-test")
    shipped, active = version.sets.order_by("pk")[0], Deployment.objects.get().active
    names = f"set:{shipped.pk}", f"set:{active.pk}"

    call_command("evaluate", f"version:{version.pk}", compare=names, data=data, out=tmp_path / "out", stderr=None)

    described = {
        path.parent.name: json.loads(path.read_text())["model"] for path in (tmp_path / "out").glob("*/evaluation.json")
    }
    assert {name: (model["kind"], len(model["parts"])) for name, model in described.items()} == {
        f"set-{shipped.pk}": ("pipeline", 4),
        f"set-{active.pk}": ("pipeline", 3),  # sleeve length is still the shipped one's
        f"version-{version.pk}": ("classify", 1),
    }
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert (comparison["first"], comparison["second"]) == (f"set-{shipped.pk}", f"set-{active.pk}")
    assert f"set-{active.pk}" in capsys.readouterr().out
    with pytest.raises(CommandError, match="'set:0'"):
        call_command("evaluate", "set:0", data=data, out=tmp_path / "out")


def test_a_score_that_finds_a_garment_is_also_that_of_its_name(activate, product, alice, actor_of):
    activate("category")
    add_images(actor=actor_of(alice), product=product, files=[upload("two.jpg", data=IMAGES["two"])])
    batches.classify_waiting()
    product.refresh_from_db()

    scores = dict(Garment.objects.values_list("predictions__value__code", "confidence"))
    found = {candidate.top_category: candidate for candidate in product.proposal.candidates}
    assert sum(candidate.confidence for candidate in found.values()) < 1.0
    for level, value in (("Outer", "Jacket"), ("Bottom", "Skirt")):
        assert scores[value] < 0.9
        assert found[level].attributes["category"].confidence == pytest.approx(scores[value], abs=1e-3)


def _values(garments):
    return sorted(
        tuple(garment[role] and garment[role]["value"] for role in ("category", "material", "sleeve_length"))
        for garment in garments
    )


def _predicted(job):
    found = []
    for garment in job.garments.all():
        said = {prediction.attribute.code: prediction.value.code for prediction in garment.predictions.all()}
        found.append(tuple(said.get(role) for role in ("category", "material", "sleeve_length")))
    return sorted(found)
