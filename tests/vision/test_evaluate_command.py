"""`manage.py evaluate` measures any kind of model on labelled images, and sets two against each other."""

import json
import shutil

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from tests.support.tiny_networks import build_three_detectors


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The original's three detectors, as a weights folder and as checkpoints."""
    return build_three_detectors(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="module")
def compared(data, original, network_weights, tmp_path_factory):
    """The folder of a comparison of two pipelines."""
    out, own = tmp_path_factory.mktemp("compared"), tmp_path_factory.mktemp("weights") / "own"
    shutil.copytree(network_weights, own)
    run_evaluation(data, out, compare=[own, original])
    return out


def run_evaluation(data, out, *models, **options):
    call_command("evaluate", *models, data=data, out=out, stderr=None, **options)


def read(folder, name="evaluation.json"):
    return json.loads((folder / name).read_text())


def test_it_measures_the_whole_pipeline(compared):
    folder = compared / "own"

    result = read(folder)

    assert result["model"]["kind"] == "pipeline"
    assert result["data"]["images"] == 5
    assert result["metrics"]["garment"]["garments"] == 4
    assert result["metrics"]["garment"]["negatives"] == 1
    category = result["metrics"]["category"]
    assert category["n"] == 4
    assert category["top1"] <= category["top3"] <= 1
    assert sum(bar["n"] for bar in category["reliability"]) <= 4
    assert category["coverage"][0]["coverage"] >= category["coverage"][-1]["coverage"]
    assert sum(map(sum, category["confusion"]["counts"])) == 4
    assert set(result["detection"]) == {"garment"}
    assert result["environment"]["packages"]["torch"]


def test_it_writes_tables_and_images_for_people(compared):
    folder = compared / "own"

    text = (folder / "evaluation.md").read_text()

    for heading in ("## Garments", "## Category", "## Material", "## Sleeve length", "## Detector of garment"):
        assert heading in text
    assert (
        "| class | images | boxes | P | R | mAP50 | mAP50-95 |\n|---|---|---|---|---|---|---|\n| all | 5 | 4 |" in text
    )
    for name in text.split("](")[1:]:
        with Image.open(folder / name.partition(")")[0]) as image:
            image.load()


def test_it_gives_every_detector_of_the_original_kind_a_table(compared, original):
    result = read(compared / original.name)

    assert set(result["detection"]) <= {"category", "material", "sleeve_length"}
    rows = result["detection"]["category"]
    assert rows[0]["class"] == "all"
    # JumpSuit, Blouse and Jeans are in no image of val, Dress is none of its classes.
    assert [row["class"] for row in rows[1:]] == ["Tshirt"]
    assert all(0 <= row[name] <= 1 for row in rows for name in ("precision", "recall", "map50", "map50_95"))


def test_it_says_what_each_gets_right_that_the_other_gets_wrong(compared, original):
    result = read(compared, "comparison.json")

    assert (result["first"], result["second"]) == ("own", original.name)
    for topic, found in result["topics"].items():
        judged = found["both"] + found["neither"] + len(found["only_first"]) + len(found["only_second"])
        assert judged == found["images"] == (5 if topic == "garment" else 4)
        assert 0 < found["p_value"] <= 1
        for place in ("first", "second"):
            assert (compared / f"only-{place}-{topic}.jpg").exists() == bool(found[f"only_{place}"])
    text = (compared / "comparison.md").read_text()
    assert "The difference may be chance (p = " in text
    assert "McNemar's test, exact binomial" in text
    assert "| difference |" in text


def test_it_measures_a_detectors_checkpoint_by_the_names_of_its_classes(data, original, tmp_path, capsys):
    run_evaluation(data, tmp_path, original / "sleeve_length.pt", image_size=128)

    result = read(tmp_path / "sleeve_length")
    assert result["model"]["kind"] == "detect"
    assert set(result["metrics"]) == {"garment", "sleeve_length"}
    assert "sleeve length, top-1" in capsys.readouterr().out


def test_it_measures_a_detector_of_top_level_categories(data, four_class_weights, tmp_path):
    """As a part of a pipeline and alone; its boxes count as right if they name the garment's top-level category."""
    run_evaluation(data, tmp_path, four_class_weights, four_class_weights / "garment.pt", image_size=128)

    for folder in (tmp_path / four_class_weights.name, tmp_path / "garment"):
        result = read(folder)
        assert result["metrics"]["garment"]["garments"] == 4
        rows = result["detection"]["garment"]
        assert [(row["class"], row["images"], row["boxes"]) for row in rows] == [
            ("all", 5, 4),
            ("Top", 2, 2),
            ("Onepiece", 2, 2),
        ]


def test_what_cannot_be_seen_is_no_answer(data, four_class_weights, tmp_path):
    run_evaluation(data, tmp_path, four_class_weights / "material.pt", image_size=64)

    labels = read(tmp_path / "material")["metrics"]["material"]["confusion"]["columns"]
    assert "not_visible" not in labels
    assert "(nothing)" in labels


def test_it_measures_a_classifiers_checkpoint_on_the_true_boxes(data, network_weights, tmp_path):
    run_evaluation(data, tmp_path, network_weights / "material.pt", network_weights / "material.pt", image_size=64)

    assert {path.name for path in tmp_path.iterdir()} == {"material", "material-2"}
    result = read(tmp_path / "material")
    assert result["model"]["kind"] == "classify"
    assert set(result["metrics"]) == {"material"}
    assert result["data"]["images"] == 4
    assert result["detection"] == {}


@pytest.mark.parametrize(
    ("names", "options", "complaint"),
    [
        ([], {}, "Name a model"),
        (["nowhere"], {}, "nowhere is neither a weights folder, nor a run's folder, nor a checkpoint"),
        (["text.pt"], {}, "not a PyTorch checkpoint"),
        (["mixed.pt"], {"image_size": 64}, "give --role"),
        (["sizeless.pt"], {}, "give --image-size"),
        ([], {"compare": ["category.pt", "material.pt"], "image_size": 64}, "say nothing about the same thing"),
    ],
)
def test_it_says_why_it_cannot_measure(data, network_weights, tmp_path, names, options, complaint):
    (tmp_path / "text.pt").write_text("no checkpoint")
    for name in ("material.pt", "category.pt"):
        shutil.copyfile(network_weights / name, tmp_path / name)
    names_of_two = {0: "jersey", 1: "Dress", 2: "x", 3: "y"}
    save_changed(network_weights / "material.pt", tmp_path / "mixed.pt", names=names_of_two)
    save_changed(network_weights / "material.pt", tmp_path / "sizeless.pt", train_args={})
    if "compare" in options:
        options = options | {"compare": [tmp_path / name for name in options["compare"]]}

    with pytest.raises(CommandError, match=complaint):
        run_evaluation(data, tmp_path / "out", *(tmp_path / name for name in names), **options)

    assert not (tmp_path / "out" / "comparison.md").exists()


def save_changed(source, target, names=None, train_args=None):
    """A checkpoint with other names at its network, or other arguments of its training."""
    import torch

    content = torch.load(source, weights_only=False)
    content["model"].names = names or content["model"].names
    content["train_args"] = content["train_args"] if train_args is None else train_args
    torch.save(content, target)
