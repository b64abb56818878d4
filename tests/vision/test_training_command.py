"""`manage.py train` makes weights that the engine loads, with their report, and goes on after an interruption."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.support.hostile_checkpoints import calling_a_leftover, calling_mkdir, describing_code
from tests.support.tiny_trainings import TINY, run_training
from vision.engine.manifest import Manifest
from vision.engine.preprocess import to_batch
from vision.engine.runtime import load_networks
from vision.training.files import atomic_path
from vision.training.pipeline import start_run


def read_rows(run):
    with (run / "results.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_it_trains_a_classifier_and_publishes_what_the_engine_loads(data, base, tmp_path):
    run, weights = tmp_path / "run", tmp_path / "weights"

    run_training("category", data, base, run, epochs=1, publish=weights)

    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["val"]["n"] == 4
    assert set(metrics["val"]["per_class"]) == {"Dress", "Tshirt"}
    assert metrics["calibration"]["nll_after"] <= metrics["calibration"]["nll_before"]
    assert json.loads((run / "confusion.json").read_text())["rows"] == ["Dress", "Tshirt"]
    for image in ("confusion.png", "curves.png"):
        assert (run / image).read_bytes().startswith(b"\x89PNG")
    assert (run / "mistakes.jpg").exists() == (metrics["val"]["top1"] < 1)
    environment = json.loads((run / "environment.json").read_text())
    assert environment["seed"] == json.loads((run / "run.json").read_text())["options"]["seed"]
    assert environment["packages"]["ultralytics"]
    assert "too few examples: Coat (1)" in (weights / "category.md").read_text()

    run_training("garment", data, base, tmp_path / "garment", epochs=1, image_size=64, publish=weights)

    manifest = Manifest.load(weights)
    spec = manifest.models["category"]
    assert (spec.task, spec.classes, spec.input_size, spec.calibrated) == ("classify", ("Dress", "Tshirt"), 32, True)
    assert manifest.finder.classes == ("garment",)
    image = to_batch([np.full((32, 32, 3), 90, np.uint8)] * 3)
    by_openvino, by_torch = (
        load_networks({"category": spec}, runtime)["category"].infer(image) for runtime in ("openvino", "torch")
    )
    assert by_openvino.shape == (3, 2)
    assert by_openvino == pytest.approx(by_torch, abs=0.02)


def test_it_goes_on_exactly_where_it_was_interrupted(data, base, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run_training("category", data, base, whole, epochs=3, device="cpu")
    interrupt_after(1, data, base, cut, epochs=3)
    assert [row["epoch"] for row in read_rows(cut)] == ["1"]

    call_command("train", "category", data=data, out=cut, resume=True, stderr=None)  # it needs no start weights

    assert [row["epoch"] for row in read_rows(cut)] == ["1", "2", "3"]
    assert [row["loss"] for row in read_rows(cut)] == [row["loss"] for row in read_rows(whole)]


@pytest.mark.parametrize(("role", "task"), [("category", "classify"), ("garment", "detect")])
def test_another_run_can_start_from_any_epoch_that_was_kept(data, base, tmp_path, role, task):
    first, second = tmp_path / "first", tmp_path / "second"
    run_training(role, data, base, first, epochs=2, image_size=64, keep_epochs=True)
    assert sorted(path.name for path in first.glob("epoch*")) == ["epoch1.pt", "epoch2.pt"]

    run_training(role, data, first / "epoch1.pt", second, epochs=1, image_size=64)

    described = json.loads((second / "run.json").read_text())
    assert (described["task"], described["base"]) == (task, "first/epoch1.pt")
    assert (second / "metrics.json").exists()
    assert not list(second.glob("epoch*"))


def interrupt_after(done, data, base, run, **options):
    """Train until so many epochs are done, as if the process were stopped then."""
    from vision.training import classifier

    class Interruption(Exception):
        pass

    def stop(path, row):
        classifier_append(path, row)
        if row["epoch"] == done:
            raise Interruption

    classifier_append = classifier.append_row
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interruption):
        patch.setattr(classifier, "append_row", stop)
        run_training("category", data, base, run, **options)


def test_it_stops_when_nothing_gets_better(data, base, tmp_path, capsys):
    run = tmp_path / "run"

    # Four images give five possible figures, so no six epochs in a row can each be better.
    run_training("category", data, base, run, epochs=9, patience=1)

    rows = read_rows(run)
    assert len(rows) <= 6
    assert float(rows[-1]["val_top1"]) <= float(rows[-2]["val_top1"])
    assert "stopped: nothing better since epoch" in capsys.readouterr().err
    assert (run / "metrics.json").exists()


def test_it_trains_a_detector_of_an_attributes_own_classes(data, base, tmp_path, capsys):
    run = tmp_path / "run"

    run_training("sleeve_length", data, base, run, task="detect", epochs=1, image_size=64)

    progress = capsys.readouterr().err
    assert progress.count("mAP50(B)") == 1
    assert "epoch 1/1  precision(B)" in progress
    described = json.loads((run / "run.json").read_text())
    assert (described["task"], described["classes"]) == ("detect", ["long", "short"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["val"]["garments"] == 4
    assert "top3" not in metrics["val"]
    assert [row["class"] for row in metrics["detection"]] == ["all", "long", "short"]
    assert "| class | images | boxes | P | R | mAP50 | mAP50-95 |" in (run / "card.md").read_text()
    assert len(read_rows(run)) == 1


def test_it_learns_an_attribute_that_a_merchant_added(data, base, tmp_path):
    added = shutil.copytree(data, tmp_path / "added")
    header, *rows = (added / "labels.csv").read_text().splitlines()
    necklines = {"Tshirt": "round", "Dress": "v-neck"}
    table = [f"{header},neckline", *(f"{row},{necklines.get(row.split(',')[3], '')}" for row in rows)]
    (added / "labels.csv").write_text("\n".join(table) + "\n")

    run_training("neckline", added, base, tmp_path / "run", epochs=1, publish=tmp_path / "weights")

    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["val"]["n"] == 4
    entry = json.loads((tmp_path / "weights" / "manifest.json").read_text())["models"]["neckline"]
    assert entry["classes"] == ["round", "v-neck"]
    assert entry["files"]["openvino"]["path"] == "neckline.xml"

    run_training("category", added, base, tmp_path / "category", epochs=1)
    with pytest.raises(CommandError, match=r"learnt nothing of neckline: start from the best.pt beside it"):
        run_training("neckline", added, tmp_path / "category" / "last.pt", tmp_path / "second", epochs=1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"role": "neckline"}, "no column neckline in its labels.csv"),
        ({"minimum": 100}, "Fewer than two classes of category have 100 examples in train; --minimum"),
        ({"base": Path("nowhere.pt")}, "nowhere.pt do not exist. .* https://github.com/ultralytics/assets/releases"),
        ({"data": Path("nowhere")}, "labels.csv does not exist"),
        ({"resume": True}, "holds no run"),
        ({"device": "cuda:99"}, r"no device 'cuda:99' here; there are cpu"),
        ({"device": "abacus"}, r"no device 'abacus' here"),
    ],
)
def test_it_says_why_it_cannot_train(data, base, tmp_path, change, complaint):
    arguments = {"role": "category", "data": data, "base": base} | change

    with pytest.raises(CommandError, match=complaint):
        run_training(arguments.pop("role"), arguments.pop("data"), arguments.pop("base"), tmp_path / "run", **arguments)

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("role", ["garment", "category"])
def test_it_needs_images_to_measure_on(data, base, tmp_path, role):
    alone = shutil.copytree(data, tmp_path / "alone")
    labels = alone / "labels.csv"
    labels.write_text("".join(line for line in labels.open() if ",val," not in line))

    with pytest.raises(CommandError, match=rf"no images of the split “val” for {role}"):
        run_training(role, alone, base, tmp_path / "run", epochs=1)

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("role", ["garment", "category"])
@pytest.mark.parametrize("name", ["hostile.pt", "last.pt"])
def test_it_refuses_start_weights_that_would_run_something(data, tmp_path, role, name):
    (tmp_path / name).write_bytes(calling_mkdir(tmp_path / "owned"))

    with pytest.raises(CommandError, match=name):
        run_training(role, data, tmp_path / name, tmp_path / "run", epochs=1)

    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("role", ["garment", "category"])
def test_it_refuses_a_call_that_only_a_plain_pickle_would_make(data, base, tmp_path, role):
    hostile = tmp_path / "hostile.pt"
    hostile.write_bytes(calling_a_leftover(base.read_bytes(), tmp_path / "owned"))

    with pytest.raises(CommandError, match=r"hostile\.pt cannot be used\. .*mkdir"):
        run_training(role, data, hostile, tmp_path / "run", epochs=1)

    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("role", ["garment", "category"])
def test_it_refuses_them_when_it_goes_on_with_a_run_as_well(data, base, tmp_path, role):
    run, hostile = begun(role, data, base, tmp_path / "run"), tmp_path / "hostile.pt"
    hostile.write_bytes(calling_mkdir(tmp_path / "owned"))

    for start in (hostile, tmp_path / "nowhere.pt"):
        with pytest.raises(CommandError, match=f"start weights .*{start.name}"):
            call_command("train", role, data=data, base=start, out=run, resume=True, stderr=None)

    assert not (tmp_path / "owned").exists()
    assert not (run / "best.pt").exists()


@pytest.mark.parametrize(("role", "last"), [("garment", "ultralytics/weights/last.pt"), ("category", "last.pt")])
def test_it_refuses_to_go_on_from_a_checkpoint_that_would_run_something(data, base, tmp_path, role, last):
    run = begun(role, data, base, tmp_path / "run")
    (run / last).parent.mkdir(parents=True, exist_ok=True)
    (run / last).write_bytes(calling_mkdir(tmp_path / "owned"))

    with pytest.raises(CommandError, match=r"last\.pt"):
        call_command("train", role, data=data, base=base, out=run, resume=True, stderr=None)

    assert not (tmp_path / "owned").exists()


def begun(role, data, base, run):
    """A run that was stopped before its first epoch was done."""
    options = {name: TINY[name] for name in ("batch", "minimum", "threads")} | {"epochs": 1, "image_size": 64}
    start_run(run, "begun", role, "detect" if role == "garment" else "classify", data, base, options)
    return run


def test_it_builds_its_network_from_no_description_of_the_start_weights(data, base, tmp_path):
    hostile = tmp_path / "hostile.pt"
    hostile.write_bytes(describing_code(base.read_bytes(), tmp_path / "owned"))

    run_training("garment", data, hostile, tmp_path / "run", epochs=1, image_size=64)

    assert not (tmp_path / "owned").exists()


def test_it_does_not_write_over_another_run(data, base, tmp_path):
    run = tmp_path / "run"
    run_training("category", data, base, run, epochs=1)
    before = (run / "best.pt").read_bytes()

    with pytest.raises(CommandError, match="already holds a run"):
        run_training("category", data, base, run, epochs=1)
    with pytest.raises(CommandError, match=r"labels\.csv does not exist"):
        run_training("category", Path("nowhere"), base, run, epochs=1)

    assert (run / "best.pt").read_bytes() == before


def test_it_leaves_no_half_written_file(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_text("old")

    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("ne")
        raise KeyboardInterrupt

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("64", "give height and width"), ("64xwide", "give height and width"), ("64x40", "multiples of 32")],
)
def test_it_says_what_is_wrong_with_a_shape(data, tmp_path, text, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("train", "category", f"--data={data}", f"--out={tmp_path}", "--input-shapes", "64x32", text)
    assert not list(tmp_path.iterdir())
