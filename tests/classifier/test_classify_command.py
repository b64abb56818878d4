"""`manage.py classify`, through a process of its own or through call_command."""

import io
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from PIL import Image

from tests.support.drawn_images import photo


@pytest.fixture
def images(tmp_path):
    """b.jpg, a folder with two images and a text, and a file that is no image."""
    folder = tmp_path / "images"
    (folder / "merchant" / "more").mkdir(parents=True)
    (folder / "b.jpg").write_bytes(photo("navy", (300, 400)))
    (folder / "merchant" / "z.PNG").write_bytes(photo("seagreen", kind="PNG"))
    (folder / "merchant" / "more" / "z.jpg").write_bytes(photo("firebrick"))
    (folder / "merchant" / "notes.txt").write_text("not looked at")
    (folder / "broken.jpg").write_text("a text")
    return folder


@pytest.fixture
def classify(network_weights, capsys):
    """Run the command; returns (exit status, stdout lines, stderr)."""

    def run(*arguments, **options):
        status = 0
        try:
            call_command("classify", *map(str, arguments), weights=network_weights, **options)
        except CommandError as error:
            status = error.returncode
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err

    return run


def test_it_prints_one_json_line_a_file_in_input_order(classify, images):
    status, lines, progress = classify(images / "b.jpg", images / "merchant", images / "b.jpg", format="jsonl")
    assert status == 0
    results = [json.loads(line) for line in lines]
    assert [result["file"] for result in results] == [
        str(images / name) for name in ("b.jpg", "merchant/more/z.jpg", "merchant/z.PNG", "b.jpg")
    ]
    assert "4 files, 0 unreadable" in progress
    first = results[0]
    assert list(first) == ["file", "width", "height", "garments", "models", "error"]
    assert (first["width"], first["height"], first["error"]) == (300, 400, None)
    assert first["models"]["category"] == "category-test"
    garment = first["garments"][0]
    assert list(garment) == ["box", "category", "material", "sleeve_length"]
    assert len(garment["box"]) == 4
    assert all(0 <= edge <= 1 for edge in garment["box"])
    assert list(garment["category"]) == ["value", "parent", "confidence", "alternatives"]
    assert set(garment["category"]["alternatives"][0]) == {"value", "confidence"}
    assert results[3] == first


def test_it_names_files_that_cannot_be_read_and_goes_on(classify, images):
    (images / "empty.jpg").touch()
    status, lines, _ = classify(images / "nowhere.jpg", images, format="jsonl")
    assert status == 1
    results = {os.path.basename(result["file"]): result for result in map(json.loads, lines)}
    assert list(results) == ["nowhere.jpg", "b.jpg", "broken.jpg", "empty.jpg", "z.jpg", "z.PNG"]
    for name, code in (("nowhere.jpg", "not_found"), ("broken.jpg", "not_an_image"), ("empty.jpg", "empty")):
        assert results[name]["error"]["code"] == code
        assert results[name]["error"]["message"]
        assert results[name]["garments"] == []
        assert results[name]["width"] is None
    assert results["b.jpg"]["garments"]


def test_it_prints_a_table(classify, images):
    status, lines, _ = classify(images / "b.jpg", images / "broken.jpg")
    assert status == 1
    assert lines[0].split() == ["FILE", "#", "CATEGORY", "MATERIAL", "SLEEVE_LENGTH"]
    assert "b.jpg" in lines[1]
    assert "%" in lines[1]
    assert "! not_an_image" in lines[-1]


def test_it_reads_paths_from_stdin(classify, images, monkeypatch):
    names = f"{images / 'merchant'}\n\n{images / 'b.jpg'}\r\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(names)))
    status, lines, _ = classify("-", format="jsonl")
    assert status == 0
    assert [os.path.basename(json.loads(line)["file"]) for line in lines] == ["z.jpg", "z.PNG", "b.jpg"]


def test_it_saves_annotated_copies_and_overwrites_nothing(classify, images):
    out = images / "annotated"
    before = {path: path.read_bytes() for path in images.rglob("*.*")}
    for count in (1, 2):
        classify(images, save_annotated=out, format="jsonl")
        assert len(list(out.iterdir())) == 3 * count  # its own copies are not looked at the second time
    assert {path.name for path in out.iterdir()} == {"b.jpg", "b-2.jpg", *(f"z{n}.jpg" for n in ("", "-2", "-3", "-4"))}
    assert all(path.read_bytes() == content for path, content in before.items())
    plain, drawn = Image.open(images / "b.jpg"), Image.open(out / "b.jpg")
    assert drawn.size == plain.size
    assert drawn.convert("RGB").getcolors(maxcolors=10**6) != plain.convert("RGB").getcolors(maxcolors=10**6)


def test_it_never_overwrites_an_image_beside_it(classify, images):
    before = (images / "b.jpg").read_bytes()
    classify(images / "b.jpg", save_annotated=images)
    assert (images / "b.jpg").read_bytes() == before
    assert (images / "b-2.jpg").exists()


def test_it_says_which_weights_are_missing(images, tmp_path):
    with pytest.raises(CommandError, match=r"manifest\.json"):
        call_command("classify", str(images), weights=tmp_path / "nothing")


def test_it_names_a_folder_that_cannot_be_opened(classify, images, monkeypatch):
    closed, scandir = str(images / "merchant" / "more"), os.scandir

    def refuse(path):  # by hand, because root opens every folder
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    status, lines, _ = classify(images / "merchant", format="jsonl")
    assert status == 1
    results = [json.loads(line) for line in lines]
    assert [result["error"] and result["error"]["code"] for result in results] == ["unreadable", None]
    assert results[0]["file"] == closed


def test_it_needs_no_database_and_keeps_progress_out_of_the_results(images, network_weights, tmp_path):
    """With torch too: ultralytics greets on stdout unless told not to, and would write into the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {
        "DATABASE_URL": "mysql://nobody@127.0.0.1:1/nothing",  # nothing listens there
        "WEIGHTS": str(network_weights),
        "HOME": str(home),
    }
    environment.pop("YOLO_CONFIG_DIR", None)
    for runtime in ("openvino", "torch"):
        result = subprocess.run(
            [sys.executable, "manage.py", "classify", images, "--format", "jsonl", "--runtime", runtime],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 1, result.stderr
        assert [json.loads(line)["error"] is None for line in result.stdout.splitlines()] == [True, False, True, True]
        assert "4 files, 1 unreadable" in result.stderr
        assert "Traceback" not in result.stderr
    assert not list(home.iterdir())
    assert not (tmp_path / "nowhere").exists()


def test_it_says_in_which_precision_it_computed(classify, images):
    _status, _lines, progress = classify(images / "b.jpg", format="jsonl")
    assert "a second, in f32" in progress  # nobody verified these weights


def test_it_says_what_to_do_for_a_precision_that_the_models_lack(network_weights, images):
    with pytest.raises(CommandError, match=r"manage\.py quantize"):
        call_command("classify", str(images / "b.jpg"), weights=network_weights, precision="int8")
