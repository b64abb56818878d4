"""One network of three attributes, from flat and worn garments, taught by a larger one and grown from a smaller one."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from tests.support.drawn_images import photo
from tests.support.drawn_outfits import draw_outfits
from tests.support.tiny_trainings import run_training
from vision.engine import Engine
from vision.engine.checkpoint import load_checkpoint
from vision.engine.manifest import Manifest
from vision.engine.preprocess import to_batch
from vision.engine.runtime import load_networks
from vision.training.network import Network, build_model, resized
from vision.training.teacher import TrainedTeacher
from vision.training.teachers import open_teachers
from vision.training.widening import load_start

HEADS = ["category", "material", "sleeve_length"]


@pytest.fixture(scope="module")
def worn(tmp_path_factory):
    return draw_outfits(tmp_path_factory.mktemp("outfits"))


@pytest.fixture(scope="module")
def teacher(data, worn, tmp_path_factory):
    """A run of a teacher that has seen each image once, at a small size."""
    run = tmp_path_factory.mktemp("runs") / "teacher"
    run_training("teacher", data, run / "unused.pt", run, worn=worn, epochs=1, image_size=64)
    return run


@pytest.fixture(scope="module")
def weights(data, worn, base, tmp_path_factory):
    """A set of a detector and of one network of three attributes, whose run is beside it."""
    folder = tmp_path_factory.mktemp("trained")
    run_training("garment", data, base, folder / "finder", epochs=1, image_size=64, publish=folder / "weights")
    run_training("attributes", data, base, folder / "run", worn=worn, epochs=1, publish=folder / "weights")
    return folder / "weights"


def test_it_trains_three_heads_at_once_and_publishes_them_as_one_network(weights):
    models = Manifest.load(weights).models
    assert [models[name].first_output for name in HEADS] == [0, 4, 8]
    assert models["category"].classes == ("Coat", "Dress", "Jeans", "Tshirt")
    assert models["material"].classes == ("denim", "jersey", "wool", "woven")
    assert models["sleeve_length"].classes == ("long", "not_visible", "short")
    assert not any(models[name].mirrored for name in HEADS)
    assert len({str(models[name].files) for name in HEADS}) == 1
    networks = load_networks({name: models[name] for name in HEADS}, "openvino")
    assert networks["category"].infer(to_batch([np.full((32, 32, 3), 90, np.uint8)])).shape == (1, 11)
    metrics = json.loads((weights.parent / "run" / "metrics.json").read_text())["heads"]["sleeve_length"]
    assert metrics["kinds"]["worn"]["n"] == 6
    assert metrics["kinds"]["flat"]["n"] == 4
    assert "people in the street" in (weights / "sleeve_length.md").read_text()


def test_it_learns_garments_in_the_shapes_that_it_serves_in(data, worn, base, teacher, weights, tmp_path):
    shutil.copytree(weights, tmp_path / "weights")
    options = {"input_shapes": [[64, 32]], "image_size": 64, "teacher": [teacher]}

    run_training(
        "attributes",
        data,
        tmp_path / "weights" / "attributes.pt",
        tmp_path / "run",
        worn=worn,
        epochs=2,
        publish=tmp_path / "weights",
        **options,
    )

    models = Manifest.load(tmp_path / "weights").models
    assert all(models[name].shapes == ((64, 64), (64, 32)) for name in HEADS)
    found = Engine.load(tmp_path / "weights").classify(photo("navy", (300, 400)))
    assert all("category" in garment.attributes for garment in found.garments)
    before, after = (
        load_checkpoint((folder / "attributes.pt").read_bytes(), fuse=False)[1].state_dict()
        for folder in (weights, tmp_path / "weights")
    )
    kept = {name: torch.equal(value, after[name]) for name, value in before.items() if "linear" not in name}
    assert all(same for name, same in kept.items() if "running" in name)  # shapes apart have other statistics
    assert not all(kept.values())


def test_a_teacher_passes_on_what_it_knows(data, worn, base, teacher, tmp_path):
    run = tmp_path / "run"

    run_training("attributes", data, base, run, worn=worn, teacher=[teacher], epochs=1, architecture="yolov8s-cls")

    described = json.loads((run / "category" / "run.json").read_text())
    assert (described["options"]["teacher"], described["options"]["architecture"]) == ("teacher", "yolov8s-cls")
    assert "learned the answers of a larger network, `teacher`" in (run / "category" / "card.md").read_text()


def test_a_teacher_and_a_set_that_serves_pass_on_what_both_know(data, worn, base, teacher, weights, tmp_path):
    run = tmp_path / "run"

    run_training("attributes", data, base, run, worn=worn, teacher=[teacher, weights], epochs=1)

    described = json.loads((run / "category" / "run.json").read_text())
    assert described["options"]["teacher"] == "teacher + weights"
    assert "of several networks together, `teacher + weights`" in (run / "category" / "card.md").read_text()


def test_several_teachers_answer_with_the_mean_of_their_logarithms(teacher, weights):
    images = torch.rand(2, 3, 64, 64)
    one, other = open_teachers([teacher], "cpu"), open_teachers([weights], "cpu")
    smaller = resized(images, (other.image_size, other.image_size))

    answers = open_teachers([teacher, weights], "cpu")(images)

    assert set(answers) == set(HEADS)
    for name in HEADS:
        assert list(one.classes[name]) == list(other.classes[name])
        apart = one(images)[name].log_softmax(1) + other(smaller)[name].log_softmax(1)
        assert answers[name].numpy() == pytest.approx(apart.numpy() / 2, abs=1e-4)


def test_a_set_teaches_what_it_serves(weights):
    models = Manifest.load(weights).models
    networks = load_networks({name: models[name] for name in HEADS}, "openvino")
    square = np.full((32, 32, 3), 90, np.uint8)
    served = networks["category"].infer(to_batch([square]))[0]

    teacher = open_teachers([weights], "cpu")
    taught = teacher(torch.from_numpy(to_batch([square])))

    for name in HEADS:
        spec = models[name]
        own = dict(zip(spec.classes, served[spec.first_output :][: len(spec.classes)].tolist(), strict=True))
        assert taught[name][0].tolist() == pytest.approx([own[code] for code in teacher.classes[name]], abs=1e-3)


def test_a_teacher_is_opened_with_what_its_outputs_mean(teacher, worn):
    opened = TrainedTeacher(teacher / "best.pt", "cpu")

    answers = opened(torch.zeros(2, 3, opened.image_size, opened.image_size))

    assert {name: list(values.shape) for name, values in answers.items()} == {
        name: [2, len(classes)] for name, classes in opened.classes.items()
    }
    assert list(opened.classes) == HEADS
    assert set(json.loads((teacher / "metrics.json").read_text())["heads"]) == set(HEADS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"teacher": ["nowhere"]}, "There is no teacher in .*nowhere"),
        ({"teacher": ["empty"]}, "empty cannot teach: The manifest has neither"),
        ({"worn": None}, "The teacher's classes of category are others"),
        ({"role": "teacher"}, "has no teacher itself"),
    ],
)
def test_it_says_why_a_teacher_cannot_teach(data, worn, base, teacher, tmp_path, change, complaint):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "manifest.json").write_text('{"version": "1", "models": {}}')
    arguments = {"role": "attributes", "teacher": [teacher], "worn": worn} | change
    arguments["teacher"] = [tmp_path / folder for folder in arguments["teacher"]]

    with pytest.raises(CommandError, match=complaint):
        run_training(arguments.pop("role"), data, base, tmp_path / "run", epochs=1, **arguments)


def test_a_set_without_a_network_of_all_attributes_cannot_teach(data, worn, base, weights, tmp_path):
    partial = shutil.copytree(weights, tmp_path / "partial")
    content = json.loads((partial / "manifest.json").read_text())
    del content["models"]["material"]
    (partial / "manifest.json").write_text(json.dumps(content))

    with pytest.raises(CommandError, match="partial has no network of all attributes to learn from"):
        run_training("attributes", data, base, tmp_path / "run", worn=worn, teacher=[partial], epochs=1)


def test_teachers_of_different_classes_do_not_teach_together(data, base, teacher, weights, worn, tmp_path):
    other = shutil.copytree(weights, tmp_path / "other")
    content = json.loads((other / "manifest.json").read_text())
    content["models"]["category"]["classes"][0] = "Cardigan"
    (other / "manifest.json").write_text(json.dumps(content))

    with pytest.raises(CommandError, match="The teachers know different classes"):
        run_training("attributes", data, base, tmp_path / "run", worn=worn, teacher=[teacher, other], epochs=1)


def test_a_run_goes_on_with_its_own_teacher_only(data, worn, base, teacher, tmp_path):
    run = tmp_path / "run"
    options = {"worn": worn, "epochs": 1}
    with pytest.raises(CommandError, match="There is no teacher"):
        run_training("attributes", data, base, run, teacher=[tmp_path / "gone" / "teacher"], **options)

    with pytest.raises(CommandError, match=r"learns from the teacher teacher, not \(none\)"):
        call_command("train", "attributes", data=data, base=base, out=run, worn=worn, resume=True, stderr=None)

    call_command(
        "train", "attributes", data=data, base=base, out=run, worn=worn, teacher=[teacher], resume=True, stderr=None
    )
    assert (run / "metrics.json").is_file()


def test_a_teacher_is_not_measured_like_a_model_that_serves(data, teacher, tmp_path):
    with pytest.raises(CommandError, match="not of one model that serves"):
        call_command("evaluate", teacher, data=data, out=tmp_path / "evaluation", stderr=None)


def test_a_teacher_is_not_published(data, worn, teacher, tmp_path):
    with pytest.raises(CommandError, match="A teacher is not published"):
        call_command(
            "train",
            "teacher",
            data=data,
            out=teacher,
            worn=worn,
            resume=True,
            publish=tmp_path / "weights",
            stderr=None,
        )


def test_it_says_what_a_teacher_needs(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)

    with pytest.raises(CommandError, match=r"pip install -r requirements-training\.txt"):
        run_training("teacher", data, tmp_path / "unused.pt", tmp_path / "run", epochs=1)

    assert not (tmp_path / "run").exists()


def test_a_widened_network_answers_as_the_narrow_one(monkeypatch):
    torch.manual_seed(3)
    monkeypatch.setattr("vision.training.widening.NOISE", 0.0)
    narrow, classes = build_model(["Coat", "Dress", "long", "short"]), {"category": ["Dress", "Coat"]}
    for module in narrow.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    wide = Network(build_model(classes["category"], architecture="yolov8s-cls"), {"sleeve_length": 2}, freeze=0)

    load_start(wide, narrow, classes | {"sleeve_length": ["short", "long"]}, "category")

    images = torch.rand(2, 3, 64, 64)
    own, others = wide.eval()(images)
    logits = narrow.eval()(images)[1]
    assert own.detach().numpy() == pytest.approx(logits[:, [1, 0]].detach().numpy(), abs=1e-3)
    assert others["sleeve_length"].detach().numpy() == pytest.approx(logits[:, [3, 2]].detach().numpy(), abs=1e-3)


def test_a_class_of_several_heads_is_taken_over_by_each():
    narrow = build_model(["Coat", "Dress", "denim", "not_visible", "long", "not_visible"])
    heads = {
        "category": ["Coat", "Dress"],
        "sleeve_length": ["not_visible", "long"],
        "material": ["denim", "not_visible"],
    }
    network = Network(build_model(heads["category"]), {"sleeve_length": 2, "material": 2}, freeze=0)

    load_start(network, narrow, heads, "category")

    biases = narrow.model[-1].linear.bias.tolist()
    assert network.auxiliary["material"].bias.tolist() == biases[2:4]
    assert network.auxiliary["sleeve_length"].bias.tolist() == [biases[5], biases[4]]
