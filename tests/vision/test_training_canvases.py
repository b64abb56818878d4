"""A detector of top-level categories learns from composed images, with gaps filled and drawn people."""

import json

import numpy as np
import pytest
from django.core.management import CommandError
from PIL import Image

from tests.support.drawn_outfits import draw_outfits
from tests.support.tiny_trainings import run_training
from tests.vision.test_training_detector import interrupt, resume
from vision.engine.manifest import Manifest
from vision.engine.runtime import load_networks
from vision.training.canvases import Album, Canvases, compose, compose_negative
from vision.training.cutouts import cut_out
from vision.training.dataset import by_file, true_boxes
from vision.training.drawn_people import draw_figure
from vision.training.folders import read_folders
from vision.training.pieces import Manner, Piece, lay, targets_of

TOP_LEVELS = ["Top", "Bottom", "Outer", "Onepiece"]
BY_CANVASES = {"canvases": True, "top_levels": True}


@pytest.fixture(scope="module")
def worn(tmp_path_factory):
    return draw_outfits(tmp_path_factory.mktemp("outfits"))


@pytest.fixture
def album(data, worn):
    dataset = read_folders(data, worn)
    pieces = []
    for rows in by_file(dataset.select("train")):
        boxes = true_boxes(rows, "garment", TOP_LEVELS, dataset.taxonomy)
        if boxes is not None:
            pieces.append(Piece(rows[0].path, targets_of(boxes), rows[0].worn))
    people, flat = [one for one in pieces if one.worn], [one for one in pieces if not one.worn]
    return Album(
        TOP_LEVELS, people, [one for one in flat if len(one.targets)], [one for one in flat if not len(one.targets)]
    )


def test_it_trains_a_detector_of_top_level_categories_and_publishes_it(data, worn, base, tmp_path):
    run, weights = tmp_path / "run", tmp_path / "weights"

    run_training("garment", data, base, run, worn=worn, epochs=1, image_size=64, publish=weights, **BY_CANVASES)

    finder = Manifest.load(weights).finder
    assert finder.classes == ("Top", "Bottom", "Outer", "Onepiece")
    assert (finder.overlap, finder.overlap_across) == (0.7, 0.9)
    described = json.loads((run / "run.json").read_text())
    assert described["data"]["name"].endswith("+" + worn.name)
    assert described["data"]["train"] == 13 + 6  # two images have a rough box
    assert "finds garments as Top, Bottom, Outer, Onepiece" in (weights / "garment.md").read_text()


def test_it_learns_for_the_shapes_that_it_serves_in(data, worn, base, tmp_path):
    run, weights = tmp_path / "run", tmp_path / "weights"

    run_training(
        "garment",
        data,
        base,
        run,
        worn=worn,
        epochs=2,
        image_size=64,
        input_shapes=[[64, 32]],
        publish=weights,
        **BY_CANVASES,
    )

    spec = Manifest.load(weights).finder
    assert spec.shapes == ((64, 64), (64, 32))
    network = load_networks({"garment": spec}, "openvino")["garment"]
    assert "input 64 x 64 or 64 x 32 px, whichever is nearest in proportions" in (weights / "garment.md").read_text()
    assert network.infer(np.zeros((1, 3, 64, 32), np.float32)).shape[1] == 4 + len(TOP_LEVELS)


def test_canvases_take_turns_in_their_shapes(album):
    canvases = Canvases(album, [(64, 64), (96, 64)], 12, 3, seed=5)
    for epoch, shape in enumerate([(64, 64), (96, 64), (64, 64)]):
        canvases.epoch = epoch
        for index in range(12):
            canvas = canvases[index]
            assert canvas["img"].shape == (3, *shape)
            assert ((canvas["bboxes"] >= 0) & (canvas["bboxes"] <= 1)).all()


def test_gaps_are_filled_once_even_if_it_is_interrupted(data, worn, base, tmp_path, capsys):
    run = tmp_path / "run"
    interrupt("epoch 2/2  50 %", "garment", data, base, run, epochs=2, worn=worn, **BY_CANVASES)
    filled = (run / "gaps.json").read_text()
    (run / "gaps.json").write_text(json.dumps({"000000.jpg": [[0, [0.1, 0.1, 0.9, 0.9]]]}))

    report = resume(run, data, capsys, worn=worn)

    assert json.loads(filled) == {}  # a network that has learnt nothing is sure of nothing
    assert "filled the gaps of 1 of 2 incomplete images" in report
    assert (run / "metrics.json").is_file()


def test_drawn_people_wear_what_was_cut_out(data, base, tmp_path, capsys):
    run_training("garment", data, base, tmp_path / "run", epochs=1, image_size=64, figures=12, **BY_CANVASES)

    assert "5 cut-outs" in capsys.readouterr().err  # the dresses: other drawings fill their boxes


@pytest.mark.parametrize("shape", [(96, 96), (120, 80), (64, 112)])
def test_every_canvas_keeps_its_boxes_inside(album, shape):
    kinds = set()
    for number in range(60):
        chance = np.random.default_rng(number)
        canvas, found = compose(album, shape, chance, late=number % 2 == 0)
        assert canvas.shape == (*shape, 3)
        assert (found[:, 1:3] >= 0).all()
        assert (found[:, 3:] <= np.array(shape[::-1]) + 1e-3).all()
        assert (found[:, 1:3] < found[:, 3:]).all()
        kinds.add(len(found))
    assert len(kinds) >= 5  # none, one, several


def test_a_box_goes_where_its_garment_goes(album):
    """The drawn coat is of one colour, which nothing else on a canvas has."""
    coat = next(one for one in album.worn if 2 in one.targets[:, 0])
    for number in range(10):
        chance = np.random.default_rng(number)
        canvas = np.zeros((200, 200, 3), np.uint8)
        found = lay(canvas, (10, 20, 170, 160), coat, Manner((0.8, 1.3), 0.4), TOP_LEVELS, chance)
        red, middle, blue = canvas.astype(int).transpose(2, 0, 1)
        green = np.argwhere((middle > red + 60) & (middle > blue + 30))
        x1, y1, x2, y2 = found[found[:, 0] == 2][0, 1:]
        assert [x1, y1] == pytest.approx(green.min(axis=0)[::-1], abs=3)
        assert [x2, y2] == pytest.approx(green.max(axis=0)[::-1] + 1, abs=4)


def test_negatives_show_no_garment(album):
    for number in range(20):
        canvas, found = compose_negative(album, (64, 48), np.random.default_rng(number))
        assert canvas.shape == (64, 48, 3)
        assert not len(found)


def test_a_figure_is_dressed_in_the_cutouts(data):
    dataset = read_folders(data)
    rows = [row for row in dataset.select("train") if row.labels["category"] == "Dress"]
    cutouts = [cut_out(row, 3) for row in rows[:2]]
    blue = np.array(Image.new("RGB", (1, 1), "royalblue"))[0, 0]
    dressed = 0

    for seed in range(12):  # a quarter of the people wear a one-piece, the others have nothing to wear here
        canvas = np.full((160, 160, 3), 255, np.uint8)
        found = draw_figure(canvas, cutouts, TOP_LEVELS, np.random.default_rng(seed))
        for kind, x1, y1, x2, y2 in found.astype(int):
            dressed += 1
            assert kind == 3
            assert np.abs(canvas[(y1 + y2) // 2, (x1 + x2) // 2].astype(int) - blue).max() < 30

    assert 0 < dressed < 12
    assert cutouts[0].mask.shape == cutouts[0].pixels.shape[:2]


def test_the_same_canvas_comes_again_in_the_same_epoch(album):
    canvases, others = (Canvases(album, [(64, 64)], 4, 3, seed=5) for _ in range(2))
    assert all((canvases[index]["img"] == others[index]["img"]).all() for index in range(4))
    others.epoch = 1
    assert not all((canvases[index]["img"] == others[index]["img"]).all() for index in range(4))


@pytest.mark.parametrize(
    ("role", "options", "complaint"),
    [
        ("garment", {"canvases": True}, "add --top-levels"),
        ("category", {"top_levels": True, "task": "detect"}, "Only a detector of garments"),
    ],
)
def test_it_says_what_canvases_are_for(data, base, tmp_path, role, options, complaint):
    with pytest.raises(CommandError, match=complaint):
        run_training(role, data, base, tmp_path / "run", **options)
