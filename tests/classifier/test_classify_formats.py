"""`manage.py classify` looks at what the site takes, refuses what it refuses, and names what it leaves out."""

import json
import os

import pytest
from django.core.management import CommandError, call_command

from tests.support import odd_images
from tests.support.drawn_images import photo


@pytest.fixture
def classify(network_weights, capsys):
    """Run the command; returns (exit status, results by file name, stderr)."""

    def run(folder):
        status = 0
        try:
            call_command("classify", str(folder), weights=network_weights, format="jsonl")
        except CommandError as error:
            status = error.returncode
        captured = capsys.readouterr()
        results = map(json.loads, captured.out.splitlines())
        return status, {os.path.basename(result["file"]): result for result in results}, captured.err

    return run


def test_it_looks_at_all_that_the_site_takes(classify, tmp_path):
    for name, make in odd_images.TAKEN.items():
        (tmp_path / name).write_bytes(make())
    status, results, _ = classify(tmp_path)
    assert status == 0
    assert set(results) == set(odd_images.TAKEN)
    assert {(result["width"], result["height"], result["error"]) for result in results.values()} == {(400, 300, None)}


def test_it_names_what_it_leaves_out(classify, tmp_path):
    quick = [name for name in odd_images.REFUSED if not name.startswith("slow")]
    for name in quick:
        (tmp_path / name).write_bytes(odd_images.REFUSED[name][0]())
    (tmp_path / "front.jpg").write_bytes(photo())
    (tmp_path / "notes.txt").write_text("not an image")
    status, results, said = classify(tmp_path)
    assert status == 0
    assert list(results) == ["front.jpg"]
    for name in quick:
        assert f"skipped ({odd_images.REFUSED[name][1]}): {tmp_path / name}\n" in said
    assert f"skipped (not an image): {tmp_path / 'notes.txt'}\n" in said
    assert f"1 files, 0 unreadable, {len(quick) + 1} skipped" in said


def test_it_refuses_by_name_what_it_is_told_to_look_at(classify, tmp_path):
    (tmp_path / "drawing.svg").write_bytes(odd_images.REFUSED["drawing.svg"][0]())
    status, results, _ = classify(tmp_path / "drawing.svg")
    assert status == 1
    assert results["drawing.svg"]["error"]["code"] == "unsupported_format"
    assert "SVG" in results["drawing.svg"]["error"]["message"]


def test_it_refuses_bombs(classify, tmp_path):
    for name, (make, _code) in odd_images.BOMBS.items():
        (tmp_path / name).write_bytes(make())
    status, results, _ = classify(tmp_path)
    assert status == 1
    assert {name: results[name]["error"]["code"] for name in results} == {
        name: code for name, (_make, code) in odd_images.BOMBS.items()
    }


def test_the_settings_hold_here_too(classify, tmp_path, settings):
    settings.OTJANG_MAX_PNG_PIXELS = 1000
    (tmp_path / "a.png").write_bytes(photo(kind="PNG"))
    _, results, _ = classify(tmp_path)
    assert results["a.png"]["error"]["code"] == "too_many_pixels_for_format"
