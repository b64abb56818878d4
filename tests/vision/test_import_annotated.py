"""Boxes that were drawn in Label Studio or CVAT become a data set."""

import json

import pytest
from django.core.management import CommandError

from tests.vision.test_import_dataset import draw, import_folders, rejects_of, rows_of

EDGES = ("x1", "y1", "x2", "y2")


def _region(value, number="r1", kind="rectanglelabels", name="label"):
    return {"id": number, "type": kind, "from_name": name, "original_width": 40, "original_height": 60, "value": value}


def _box(label, x=10.0, y=20.0, width=50.0, height=60.0, **more):
    return {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label], **more}


def _task(image, *result, cancelled=False):
    return {"id": 1, "data": {"image": image}, "annotations": [{"was_cancelled": cancelled, "result": list(result)}]}


@pytest.fixture
def studio(tmp_path):
    """Write an export over drawn images; returns its folder."""

    def write(*tasks, images=("a.png", "b.png")):
        root = tmp_path / "studio"
        for name in images:
            draw(root / "images" / name)
        (root / "export.json").write_text(json.dumps(tasks), "utf-8")
        return root

    return write


def _cvat(tmp_path, *images):
    root = tmp_path / "cvat"
    draw(root / "images" / "a.png")
    (root / "annotations.xml").write_text(
        f"<annotations><version>1.1</version>{''.join(images)}</annotations>", "utf-8"
    )
    return root


def test_label_studio_s_boxes_and_choices_become_rows(studio, tmp_path):
    source = studio(
        _task(
            "/data/upload/3/a.png",
            _region(_box("Tshirt")),
            _region({"choices": ["cotton"]}, kind="choices", name="material"),
            _region(_box("코트", x=0.0), number="r2"),
        ),
        _task("/data/local-files/?d=some/b.png"),
    )
    import_folders(source, out=tmp_path / "out")
    rows = {(row["image"].split("/")[-1], row["category"]): row for row in rows_of(tmp_path / "out")}
    assert rejects_of(tmp_path / "out") == {}
    tee = rows["a.png", "Tshirt"]
    assert [round(float(tee[edge]), 2) for edge in EDGES] == [0.1, 0.2, 0.6, 0.8]
    assert (tee["material"], tee["box_ok"], rows["a.png", "Coat"]["material"]) == ("cotton", "1", "")
    assert rows["b.png", ""]["x1"] == ""


def test_label_studio_s_short_form_is_read_and_turned_boxes_are_rough(studio, tmp_path):
    source = studio({"image": "/data/upload/1/0a1b2c3d-a.png", "id": 4, "label": [_box("Shirt", rotation=30)]})
    import_folders(source, out=tmp_path / "out")
    [row] = rows_of(tmp_path / "out")
    assert (row["category"], row["box_ok"]) == ("Shirt", "0")


def test_tasks_without_an_answer_are_left_out_and_what_is_wrong_is_listed(studio, tmp_path):
    source = studio(
        _task("a.png", _region(_box("Shirt")), cancelled=True),
        _task("b.png", _region(_box("Spaceship"))),
        _task("c.png", _region(_box("Shirt"))),
    )
    import_folders(source, out=tmp_path / "out")
    assert rejects_of(tmp_path / "out") == {"b.png": "unknown_label", "c.png": "no_image"}


def test_cvat_s_boxes_polygons_and_attributes_become_rows(tmp_path):
    source = _cvat(
        tmp_path,
        '<image id="0" name="a.png" width="40" height="60" subset="train">'
        '<box label="garment" xtl="4" ytl="6" xbr="20" ybr="30"><attribute name="category">Tshirt</attribute>'
        '<attribute name="sleeve_length">short</attribute><attribute name="occluded_by">x</attribute></box>'
        '<polygon label="Coat" points="0,0;40,0;40,60;0,60"></polygon></image>',
    )
    import_folders(source, out=tmp_path / "out")
    tee, coat = sorted(rows_of(tmp_path / "out"), key=lambda row: row["category"], reverse=True)
    assert [round(float(tee[edge]), 2) for edge in EDGES] == [0.1, 0.1, 0.5, 0.5]
    assert (tee["category"], tee["sleeve_length"], tee["split"], coat["x2"][:1]) == ("Tshirt", "short", "train", "1")


def test_cvat_s_labels_may_be_of_another_attribute(tmp_path):
    box = '<box label="cotton" xtl="4" ytl="6" xbr="20" ybr="30"/>'
    source = _cvat(tmp_path, f'<image id="0" name="a.png" width="40" height="60">{box}</image>')
    import_folders(source, out=tmp_path / "out", attribute="material")
    [row] = rows_of(tmp_path / "out")
    assert (row["material"], row["category"]) == ("cotton", "")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("annotations.xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>'),
        ("annotations.xml", "<annotations><version>1.1"),
        ("annotations.xml", "<annotations/>"),
        ("export.json", "{"),
        ("export.json", '{"tasks": []}'),
        ("export.json", '[{"id": 1}]'),
    ],
)
def test_what_is_no_export_is_refused_with_a_sentence(name, content, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / name).write_text(content)
    with pytest.raises(CommandError, match=name):
        import_folders(tmp_path / "source", out=tmp_path / "out")
