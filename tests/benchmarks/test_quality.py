"""The quality run fails below a floor, and where a faster precision costs too much."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.quality_figures import (
    flat_figures,
    materials_figure,
    negative_figures,
    negatives_by_kind,
    pair_figures,
    worn_figures,
)
from benchmarks.quality_images import CommandFailed
from benchmarks.quality_table import Figure, Limit, as_markdown, dear, missed, side_by_side, write_between_marks
from tests.support.drawn_datasets import draw_garments
from tests.support.drawn_images import photo
from vision.engine.taxonomy import Taxonomy
from vision.evaluation.negatives import Negative
from vision.evaluation.outfits import Outfit, WornGarment
from vision.training.dataset import LabelledImage

LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0)
MODELS = {"garment": "g", "category": "c", "material": "m", "sleeve_length": "s"}


def line(*garments):
    """What the command writes of an image."""
    return {"models": MODELS, "garments": [{"material": None, "sleeve_length": None} | one for one in garments]}


def found(box, category="Tshirt", confidence=0.9):
    return {"box": list(box), "category": {"value": category, "confidence": confidence, "alternatives": []}}


def flat(name, category, **labels):
    values = {"category": category, "material": "jersey", "sleeve_length": "short"} | labels
    return LabelledImage(Path(name), "val", "1", values, LEFT, True)


def worn(*garments):
    labels = {"material": "", "sleeve_length": ""}
    return Outfit(Path("w.jpg"), tuple(WornGarment({"category": name} | labels, box) for name, box in garments))


def test_of_a_flat_image_the_surest_garment_answers():
    images = [flat("a.jpg", "Tshirt"), flat("b.jpg", "Dress")]
    lines = {
        Path("a.jpg"): line(found(LEFT), found(RIGHT, "Dress", 0.5)),
        Path("b.jpg"): line(found(LEFT, "Tshirt"), found(LEFT, "Dress", 0.5)),
    }

    figures = dict(flat_figures(images, lines))

    assert (figures["flat category top1"].n, figures["flat category top1"].value) == (2, 0.5)
    assert figures["flat several"].value == 1.0
    assert figures["flat iou"].value == 1.0


def test_both_of_two_garments_have_to_be_found():
    pairs = [Outfit(Path(f"{name}.jpg"), worn(("Coat", LEFT), ("Jeans", RIGHT)).garments) for name in "ab"]
    lines = {
        Path("a.jpg"): line(found(LEFT), found(RIGHT)),
        Path("b.jpg"): line(found(LEFT), found((0.3, 0.3, 0.5, 0.5))),
    }

    figures = dict(pair_figures(pairs, lines))

    assert (figures["pairs"].value, figures["pairs surplus"].value) == (0.5, 0.5)


def test_it_counts_negatives_that_yield_a_garment_and_how_sure_they_are():
    negatives = [
        Negative(Path(f"{number}.jpg"), kind) for number, kind in enumerate(["chart", "chart", "room", "text"])
    ]
    lines = dict.fromkeys((negative.path for negative in negatives), line())
    lines |= {Path("0.jpg"): line(found(LEFT, confidence=0.4)), Path("2.jpg"): line(found(LEFT, confidence=0.8))}

    figures = dict(negative_figures(negatives, lines))

    assert (figures["negatives"].value, figures["negatives"].holds) == (0.5, False)
    assert (figures["negatives sure"].n, figures["negatives sure"].value) == (2, 0.5)
    assert "| chart | 2 | 1 | 0.40 |" in negatives_by_kind(negatives, lines)


def test_it_prints_every_figure_of_worn_clothes():
    lines = {Path("w.jpg"): line(found(LEFT, "Coat"), found(RIGHT, "Skirt"))}

    figures = dict(worn_figures([worn(("Coat", LEFT), ("Jeans", RIGHT))], lines, Taxonomy.load()))

    assert figures["worn found"].value == 1.0
    assert (figures["worn category top1"].value, figures["worn top_level"].value) == (0.5, 1.0)
    assert figures["worn found_and_right"].value == 0.5
    assert {"worn surplus", "worn ece", "worn hidden", "worn material top1"} <= set(figures)


def test_every_material_with_enough_examples_has_to_be_offered():
    ((_, some),) = materials_figure(frozenset({"jersey", "wool"}), frozenset({"jersey", "denim"}))
    ((_, all_of_them),) = materials_figure(frozenset({"jersey", "wool"}), frozenset({"jersey"}))

    assert (some.value, some.holds, all_of_them.holds) == (0.5, False, True)


def figures(**values):
    """Figures over 1,000 images, all with a floor of 0.8."""
    return {name: Figure(name, 1000, value, Limit(0.8, 0.9)) for name, value in values.items()}


def test_a_figure_below_its_floor_is_marked_and_named():
    measured = figures(good=0.85, bad=0.79) | {"none": Figure("none", 0, 1.0, Limit(0.8))}

    assert missed(measured) == ["bad", "none"]
    assert "| bad | 1000 | 0.790 | at least 0.80 **missed** | at least 0.90 |" in as_markdown(measured)
    assert "missed" not in as_markdown(measured, floors=False)


def test_precisions_are_compared_with_f32():
    surplus = Limit(0.5, at_most=True)
    runs = {
        "f32": figures(a=0.9, b=0.9) | {"s": Figure("s", 1000, 0.2, surplus)},
        "bf16": figures(a=0.896, b=0.91) | {"s": Figure("s", 1000, 0.21, surplus)},
        "int8": figures(a=0.89, b=0.9) | {"s": Figure("s", 1000, 0.1, surplus)},
    }

    assert dear(runs) == ["s in bf16", "a in int8"]
    assert "| a | 1000 | at least 0.80 | at least 0.90 | 0.900 | 0.896 | 0.890 | +0.4 | **+1.0** |" in side_by_side(
        runs
    )


def test_one_image_of_a_few_may_be_lost():
    runs = {name: {"a": Figure("a", 50, value, Limit(0.8))} for name, value in (("f32", 0.9), ("bf16", 0.88))}

    assert dear(runs) == []


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the command with figures in the place of networks; returns the status and the JSON."""

    def call(measured, *arguments):
        def measure(images, weights, precision=None, *, knows_worn=True):
            result = measured(weights.name, precision)
            if isinstance(result, Exception):
                raise result
            return result, "| negatives |"

        monkeypatch.setattr(quality, "prepare", lambda *arguments: None)
        monkeypatch.setattr(quality, "measure", measure)
        monkeypatch.setattr(quality, "shipped_precisions", lambda weights: ["f32", "int8"])
        out = tmp_path / "figures.json"
        monkeypatch.setattr(
            sys, "argv", ["quality.py", "--data", str(tmp_path), "--flat-only", "--json", str(out), *arguments]
        )
        return quality.main(), json.loads(out.read_text())

    return call


def test_it_exits_with_1_below_a_floor_of_the_default_set_only(run):
    assert run(lambda *_: figures(a=0.9))[0] == 0
    assert run(lambda *_: figures(a=0.7))[0] == 1
    assert run(lambda *_: figures(a=0.7), "--no-floors")[0] == 0


def test_all_sets_and_precisions_stand_side_by_side(run, capsys):
    status, listed = run(lambda weights, _: figures(a=0.9 if weights == "weights" else 0.5), "--all")

    assert status == 0
    assert [(one["set"].split()[0], one["precision"]) for one in listed] == [
        ("Default", "f32"), ("Default", "int8"), ("CC0", "f32"), ("CC0", "int8"),
    ]  # fmt: skip
    assert capsys.readouterr().out.count("| f32 | int8 | int8 costs |") == 2


def test_a_precision_that_costs_too_much_or_cannot_run_fails(run, capsys):
    assert run(lambda _, precision: figures(a=0.9 if precision == "f32" else 0.88), "--all")[0] == 1
    assert "a in int8 costs too much" in capsys.readouterr().err

    assert run(lambda _, precision: CommandFailed("no") if precision == "int8" else figures(a=0.9), "--all")[0] == 1
    assert "in int8: no" in capsys.readouterr().err


def test_the_whole_run_looks_at_flat_images_pairs_negatives_and_people(tmp_path, network_weights, monkeypatch, capfd):
    data = draw_garments(tmp_path / "garments")
    people = tmp_path / "worn"
    (people / "images").mkdir(parents=True)
    (people / "images" / "a.jpg").write_bytes(photo())
    (people / "garments.csv").write_text(
        "image,split,category,sleeve_length,material,x1,y1,x2,y2,flag,complete\na.jpg,val,Shirt,,,0.1,0.2,0.9,0.9,,1\n"
    )
    arguments = [
        "--data",
        str(data),
        "--weights",
        str(network_weights),
        "--limit",
        "14",
        "--json",
        str(tmp_path / "out"),
    ]
    monkeypatch.setattr(sys, "argv", ["quality.py", *arguments])

    assert quality.main() == 1

    (one,) = json.loads((tmp_path / "out").read_text())
    counts = {figure["key"]: figure["n"] for figure in one["figures"]}
    assert (counts["flat found"], counts["pairs"], counts["negatives"], counts["worn found"]) == (4, 14, 14, 1)
    assert "| negatives | images | yield a garment | surest category |" in capfd.readouterr().out
    (people / "garments.csv").unlink()
    with pytest.raises(SystemExit, match=r"garments\.csv does not exist"):
        quality.main()


def test_tables_go_between_the_marks_of_a_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- quality -->\nold\n<!-- end of quality -->\nafter\n")

    write_between_marks(page, "new")

    assert page.read_text() == "before\n<!-- quality -->\nnew\n<!-- end of quality -->\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match=r"page\.md"):
        write_between_marks(page, "new")
