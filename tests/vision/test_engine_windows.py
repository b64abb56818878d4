"""Long images, such as detail pages: looked at in windows, and no garment found twice."""

import io
import itertools
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from tests.support.coloured_pages import SIZE, Seer, draw, engine_of
from vision.engine import Engine
from vision.engine.runtime import LARGEST_BATCH
from vision.engine.windows import MOST_WINDOWS, windows

WIDTH = 240  # of pages; their windows are 320 long and begin every 160 pixels
PAGE = (WIDTH, 1600)


def found(data, network=None):
    """The top-level category and the box in pixels of everything found in a page, from top to bottom."""
    image = engine_of(network or Seer()).classify(data)
    scale = (image.width, image.height) * 2
    boxes = [(one.top_category.value, *(a * b for a, b in zip(one.box, scale, strict=True))) for one in image.garments]
    return sorted(boxes, key=lambda box: max(box[1:3]))


def assert_found(data, *garments, network=None, within=6):
    boxes = found(data, network)
    assert [box[0] for box in boxes] == [garment[0] for garment in garments]
    for box, garment in zip(boxes, garments, strict=True):
        assert box[1:] == pytest.approx(garment[1:], abs=within)


def at(kind, top, height, left=40, right=200):
    return kind, left, top, right, top + height


# --- Which parts are looked at ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(800, 800), (800, 1760), (1760, 800), (3, 6)])
def test_an_ordinary_image_is_looked_at_as_a_whole(size):
    assert windows(*size) == []


@pytest.mark.parametrize("size", [(860, 1893), (860, 3440), (860, 15000), (860, 60000), (100, 221), (1, 400), (7, 16)])
def test_windows_overlap_by_half_and_leave_nothing_out(size):
    width, height = size
    regions = windows(width, height)
    assert 2 <= len(regions) <= MOST_WINDOWS
    assert regions[0][1] == 0
    assert regions[-1][3] == height
    for before, after in itertools.pairwise(regions):
        assert after[0] == 0
        assert after[2] == width
        assert before[3] - after[1] >= (after[3] - after[1]) / 2 - 1
    turned = [(top, left, bottom, right) for left, top, right, bottom in regions]
    assert windows(height, width) == turned


def test_the_windows_of_a_detail_page_are_about_four_to_three():
    regions = windows(860, 15000)
    assert len(regions) == 26
    assert {bottom - top for _, top, _, bottom in regions} == {1147}


def test_the_windows_of_a_batch_go_through_the_network_in_bounded_batches():
    network = Seer()
    images = [draw(PAGE, at("Top", 100, 100)), draw((240, 240), at("Top", 60, 100)), draw((240, 9000))]
    results = engine_of(network).classify_batch(images)
    assert [len(result.garments) for result in results] == [1, 1, 0]
    assert max(network.batches) <= LARGEST_BATCH
    assert sum(network.batches) == 3 + len(windows(*PAGE)) + MOST_WINDOWS
    assert len(network.batches) == -(-sum(network.batches) // LARGEST_BATCH)


# --- What is joined ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("top", range(20, 190, 17))
def test_it_finds_each_garment_of_a_page_once(top, turned):
    """Whatever the windows' edges cut: they are at 160, 320, 480, …"""
    garments = [at("Top", top, 130), at("Outer", top + 200, 140), at("Bottom", top + 700, 110), at("Top", 1420, 150)]
    boxes = found(draw(PAGE, *garments, turned=turned), Seer(axis=0 if turned else 1))
    assert [box[0] for box in boxes] == ["Top", "Outer", "Bottom", "Top"]
    for box, (_, *edges) in zip(boxes, garments, strict=True):
        expected = [edges[1], edges[0], edges[3], edges[2]] if turned else edges
        assert box[1:] == pytest.approx(expected, abs=6)


@pytest.mark.parametrize("top", range(150, 340, 23))
@pytest.mark.parametrize("height", [180, 240, 300, 420, 700])
def test_it_puts_a_garment_together_that_no_window_holds(top, height):
    a_pixel_of_the_whole = PAGE[1] / SIZE
    assert_found(draw(PAGE, at("Onepiece", top, height)), at("Onepiece", top, height), within=a_pixel_of_the_whole)


@pytest.mark.parametrize("top", range(150, 340, 31))
def test_a_piece_yields_to_the_whole_garment_whatever_it_was_taken_for(top):
    """The upper half of a dress looks like a shirt."""
    network = Seer(cut_is="Top")
    assert_found(draw(PAGE, at("Onepiece", top, 140)), at("Onepiece", top, 140), network=network)


def test_garments_below_each_other_stay_apart():
    garments = [at("Top", 30 + 150 * number, 130) for number in range(10)]
    assert_found(draw(PAGE, *garments), *garments)


def test_garments_beside_each_other_stay_apart():
    garments = [at("Top", 300, 150, 20, 110), at("Bottom", 310, 150, 130, 220)]
    assert_found(draw(PAGE, *garments), *garments)


def test_a_garment_cut_by_the_images_own_edge_is_no_piece():
    assert_found(draw(PAGE, at("Bottom", 0, 100), at("Top", 1500, 100)), at("Bottom", 0, 100), at("Top", 1500, 100))


def test_the_whole_image_does_not_blur_what_windows_show():
    """Pages just beyond the limit: the whole is as good a view as the windows are, and finds the same garments."""
    garments = [at("Top", 20, 150), at("Bottom", 200, 160), at("Top", 400, 120)]
    assert_found(draw((WIDTH, 560), *garments), *garments)


# --- With pixels enough -----------------------------------------------------------------------------------------------


def test_a_page_keeps_the_pixels_of_its_shorter_side():
    """Reduced to its longer side, a thin stripe of it would be gone."""
    page = Image.open(io.BytesIO(draw((960, 6400), at("Top", 1000, 40, 400, 560)))).convert("RGB")
    for kind, options in (("JPEG", {"quality": 95, "subsampling": 0}), ("PNG", {})):
        buffer = io.BytesIO()
        page.save(buffer, kind, **options)
        ((_, *box),) = found(buffer.getvalue())
        assert box == pytest.approx([400, 1000, 560, 1040], abs=24)


def test_the_shipped_models_find_the_garments_of_a_detail_page():
    """As shops make them: photos as wide as the page, with space between them."""
    names = ("jacket-denim-blue", "blouse-ivory", "dress-olive", "hoodie-grey", "skirt-denim", "jeans-black")
    photos = [Image.open(Path(settings.BASE_DIR) / "demo" / "images" / f"{name}.jpg") for name in names]
    tops = list(itertools.accumulate((photo.height + 160 for photo in photos), initial=160))
    page = Image.new("RGB", (400, tops.pop()), "white")
    for photo, top in zip(photos, tops, strict=True):
        page.paste(photo, (0, top))
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=90)
    result = Engine.load(settings.BASE_DIR / "weights").classify(buffer.getvalue())
    found = sorted((y1 * page.height, y2 * page.height) for _, y1, _, y2 in (one.box for one in result.garments))
    assert len(found) == len(names)
    for (start, end), photo, top in zip(found, photos, tops, strict=True):
        assert top - 8 <= start < end <= top + photo.height + 8
