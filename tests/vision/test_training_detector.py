"""A detector's training data, and a detector's run that goes on wherever it was broken off."""

import csv
import shutil

import pytest
from django.core.management import call_command
from PIL import Image

from classifier.management.commands import train as command
from tests.support.tiny_trainings import run_training
from vision.training.dataset import read_dataset
from vision.training.detector import DetectorOptions, write_yolo_dataset


class Interruption(Exception):
    pass


def interrupt(line, *arguments, **options):
    """Train until this is reported, as if the process were stopped then."""

    def report(_command, text):
        if text.startswith(line):
            raise Interruption

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interruption):
        patch.setattr(command.Command, "report", report)
        run_training(*arguments, image_size=64, **options)


def resume(run, data, capsys, **options):
    """Go on without start weights; returns what was reported."""
    capsys.readouterr()
    call_command("train", "garment", data=data, out=run, resume=True, stderr=None, **options)
    return capsys.readouterr().err


def epochs(run):
    with (run / "results.csv").open() as stream:
        return [int(row["epoch"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize("done", [1, 2])
def test_it_goes_on_after_the_last_epoch_that_was_finished(data, base, tmp_path, capsys, done):
    run = tmp_path / "run"
    interrupt(f"epoch {done}/2  precision", "garment", data, base, run, epochs=2)
    assert not (run / "best.pt").exists()

    report = resume(run, data, capsys)

    assert report.count("mAP50(B)") == 2 - done
    assert epochs(run) == [1, 2]
    assert (run / "metrics.json").is_file()
    assert not (run / "dataset").exists()


def test_it_goes_on_after_it_stopped_because_nothing_got_better(data, base, tmp_path, capsys):
    import torch

    run = tmp_path / "run"
    interrupt("epoch 1/9  precision", "garment", data, base, run, epochs=9, patience=1)
    last = run / "ultralytics" / "weights" / "last.pt"
    content = torch.load(last, weights_only=False)
    torch.save(content | {"stopper": content["stopper"] | {"best_epoch": 0}}, last)

    assert "mAP50(B)" not in resume(run, data, capsys)
    assert epochs(run) == [1]
    assert (run / "metrics.json").is_file()


def test_what_it_publishes_names_no_folder_of_the_machine(data, base, tmp_path):
    import torch

    run_training("garment", data, base, tmp_path / "run", epochs=1, image_size=64)

    saved = torch.load(tmp_path / "run" / "best.pt", weights_only=False)
    content = (tmp_path / "run" / "best.pt").read_bytes()
    assert not any(str(folder).encode() in content for folder in (tmp_path, base.parent))
    assert saved["git"] is None
    assert saved["train_args"]["imgsz"] == saved["model"].args["imgsz"] == 64


def laid_out(data, folder, **options):
    """Write a data set as ultralytics wants it; returns its folder."""
    return write_yolo_dataset(read_dataset(data), folder, DetectorOptions(image_size=64, **options), print).parent


def test_images_of_the_same_name_stay_apart(data, tmp_path):
    renamed = shutil.copytree(data, tmp_path / "renamed")
    table = (renamed / "labels.csv").read_text()
    for number, folder in ((0, "a"), (1, "b")):
        (renamed / "images" / folder).mkdir()
        (renamed / "images" / f"{number}.png").rename(renamed / "images" / folder / "one.png")
        table = table.replace(f"\n{number}.png,", f"\n{folder}/one.png,")
    (renamed / "labels.csv").write_text(table)

    before, after = (laid_out(root, tmp_path / root.name, attribute="garment") for root in (data, renamed))

    for split in ("train", "val"):
        assert _described(before, split) == _described(after, split)
    assert len(_described(after, "train")) == 13


def _described(folder, split):
    return [
        (Image.open(path).tobytes(), (folder / "labels" / split / f"{path.stem}.txt").read_text())
        for path in sorted((folder / "images" / split).iterdir())
    ]


def test_an_interruption_leaves_no_half_image(data, tmp_path):
    def half(_image, target, *_arguments, **_options):
        with open(target, "wb") as stream:
            stream.write(b"\xff\xd8 half")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Image.Image, "save", half)
        laid_out(data, tmp_path / "run", attribute="garment")

    assert not list((tmp_path / "run" / "images" / "train").iterdir())


def test_rare_classes_are_shown_more_often(data, tmp_path):
    """12 garments to train on: 6 T-shirts, 5 dresses and a coat."""
    lists = {
        name: (laid_out(data, tmp_path / name, **options) / "train.txt").read_text().splitlines()
        for name, options in {
            "category": {"attribute": "category", "minimum": 1, "background": 3},
            "uneven": {"attribute": "category", "minimum": 1, "balance": False},
            "garment": {"attribute": "garment", "background": 2},
        }.items()
    }

    shown = {name: sorted(lines.count(line) for line in set(lines)) for name, lines in lists.items()}
    assert shown["category"] == [1] * 11 + [2, 3]  # the coat by the root of 6; the image without a garment
    assert shown["uneven"] == [1] * 13
    assert shown["garment"] == [1] * 12 + [2]
