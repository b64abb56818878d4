"""Simple data sets are checked and brought into the layout of the trainings, several at once if need be."""

import csv
import json
import shutil

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from tests.support import odd_images
from tests.support.drawn_datasets import HEADER, draw_garments
from vision.training.dataset import read_dataset


def import_folders(*sources, out, **options):
    call_command("import_dataset", *map(str, sources), out=out, verbosity=0, **{"processes": 1, **options})


def rejects_of(out):
    with (out / "rejects.csv").open(newline="", encoding="utf-8") as stream:
        return {row["file"]: row["reason"] for row in csv.DictReader(stream)}


def rows_of(out):
    with (out / "labels.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def draw(path, colour="crimson"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 60), colour).save(path)


@pytest.fixture
def table(tmp_path):
    """Write a table over drawn images a.png, b.png and c.png; returns its folder."""

    def write(*lines, header=HEADER):
        root = tmp_path / "table"
        for name in "abc":
            draw(root / "images" / f"{name}.png")
        (root / "labels.csv").write_text("\n".join((header, *lines)) + "\n")
        return root

    return write


def test_it_takes_over_a_table_as_it_is(tmp_path):
    source = draw_garments(tmp_path / "garments")

    import_folders(source, out=tmp_path / "out")

    before, after = read_dataset(source), read_dataset(tmp_path / "out")
    assert rejects_of(tmp_path / "out") == {}
    for split in ("train", "val"):
        assert len(after.select(split)) == len(before.select(split))
        for attribute in ("category", "material", "sleeve_length"):
            assert after.counts(split, attribute) == before.counts(split, attribute)
    # Images without a garment are backgrounds for detectors.
    statistics = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert statistics["detectors"]["category"] == {"train": 13, "val": 5}


def test_what_it_made_trains_as_it_is(tmp_path):
    source = draw_garments(tmp_path / "garments")
    import_folders(source, out=tmp_path / "out")

    import_folders(tmp_path / "out", out=tmp_path / "again")

    assert rows_of(tmp_path / "again") == [
        {**row, "image": f"{row['split']}/{row['image'].replace('/', '-')}"} for row in rows_of(tmp_path / "out")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nowhere.png,train,9,Dress,woven,long,0.1,0.1,0.9,0.9,1", "no_image"),
        ("a.png,test,9,Dress,woven,long,0.1,0.1,0.9,0.9,1", "unknown_split"),
        ("a.png,train,9,Cape,woven,long,0.1,0.1,0.9,0.9,1", "unknown_label"),
        ("a.png,train,9,Dress,woven,long,0.1,0.1,x,0.9,1", "bad_rectangle"),
        ("a.png,train,9,Dress,woven,long,0.1,0.1,nan,0.9,1", "bad_rectangle"),
        ("a.png,train,9,Dress,woven,long,0.9,0.1,0.1,0.9,1", "empty_rectangle"),
        ("a.png,train,9,Dress,woven,long,0.9,0.1,1.9,0.9,1", "outside"),
        ("a.png,train,9,Dress,woven,long,,,,,", "label_without_rectangle"),
        ("a.png,train,9,Dress,woven", "malformed_row"),
        ("a.png,val,1,Dress,woven,long,0.1,0.1,0.9,0.9,1", "in_both_splits"),
        ("../labels.csv,train,9,Dress,woven,long,0.1,0.1,0.9,0.9,1", "bad_name"),
    ],
)
def test_it_rejects_an_image_with_a_bad_row(table, tmp_path, line, reason):
    root = table("b.png,train,1,Dress,woven,long,0.1,0.1,0.9,0.9,1", line)

    import_folders(root, out=tmp_path / "out")

    assert rejects_of(tmp_path / "out") == {line.split(",")[0]: reason}
    assert [row["image"] for row in rows_of(tmp_path / "out")] == ["train/b.png"]


def test_it_knows_other_names_of_classes_and_tables_with_little_in_them(table, tmp_path):
    root = table("a.png,드레스", "b.png,t-shirt", "c.png,TSHIRT", header="image,category")

    import_folders(root, out=tmp_path / "out")

    rows = {row["image"].split("/")[1]: row for row in rows_of(tmp_path / "out")}
    assert (rows["a.png"]["category"], rows["c.png"]["category"]) == ("Dress", "Tshirt")
    assert rejects_of(tmp_path / "out") == {"b.png": "unknown_label"}
    # Nothing says where the garment is: the whole image stands for it, and trains no detector.
    assert (rows["a.png"]["x1"], rows["a.png"]["x2"], rows["a.png"]["box_ok"]) == ("0.00000", "1.00000", "0")


def test_it_takes_labels_that_a_source_explains(table, tmp_path):
    root = table("a.png,Jumper,round", "b.png,Cape,", "c.png,Dress,square", header="image,category,neckline")
    category = [{"code": "Outer"}, {"code": "Jacket", "parent": "Outer", "aliases": ["Jumper"]}]
    category += [{"code": "Cape", "parent": "Outer"}, {"code": "Dress"}]
    described = [{"code": "category", "values": category}, {"code": "neckline", "values": [{"code": "round"}]}]
    (root / "taxonomy.json").write_text(json.dumps({"attributes": described}))

    import_folders(root, out=tmp_path / "out")

    rows = {row["image"].split("/")[1]: row for row in rows_of(tmp_path / "out")}
    assert [(rows[name]["category"], rows[name]["neckline"]) for name in ("a.png", "b.png")] == [
        ("Jacket", "round"),
        ("Cape", ""),
    ]
    assert rejects_of(tmp_path / "out") == {"c.png": "unknown_label"}
    taxonomy = read_dataset(tmp_path / "out").taxonomy
    assert taxonomy.parent_of("category", "Cape") == "Outer"
    assert "denim" in taxonomy.attributes["material"].leaves  # of which the source says nothing


def test_it_says_which_taxonomy_cannot_be_read(table, tmp_path):
    root = table("a.png,Dress", header="image,category")
    (root / "taxonomy.json").write_text("[]")

    with pytest.raises(CommandError, match="is not a valid taxonomy"):
        import_folders(root, out=tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_it_can_keep_classes_that_the_taxonomy_does_not_have_yet(table, tmp_path):
    root = table("a.png,train,1,Cape,woven,long,0.1,0.1,0.9,0.9,1")

    import_folders(root, out=tmp_path / "out", keep_unknown=True)

    assert [row["category"] for row in rows_of(tmp_path / "out")] == ["Cape"]
    assert "  0: Cape\n" in (tmp_path / "out" / "yolo" / "category" / "data.yaml").read_text()


def test_it_takes_a_folder_for_each_class(tmp_path):
    source = tmp_path / "classes"
    for name in ("train/데님/1.png", "train/denim/2.png", "val/knit/1.png", "val/paper/1.png", "train/3.png"):
        draw(source / name)

    import_folders(source, out=tmp_path / "out", attribute="material")

    assert [(row["image"], row["material"], row["category"]) for row in rows_of(tmp_path / "out")] == [
        ("train/train-denim-2.png", "denim", ""),
        ("train/train-데님-1.png", "denim", ""),
        ("val/val-knit-1.png", "knit", ""),
    ]
    assert rejects_of(tmp_path / "out") == {"train/3.png": "unknown_label", "val/paper/1.png": "unknown_label"}
    assert (tmp_path / "out" / "crops" / "material" / "val" / "knit" / "val-knit-1-1.jpg").is_file()


def test_it_joins_data_sets_without_mixing_up_names_or_contributors(tmp_path):
    first = draw_garments(tmp_path / "first")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    text = (second / "labels.csv").read_text()
    # Contributors 1 and 2 change places, and are somebody else here.
    text = text.replace(",train,1,", ",train,#,").replace(",val,2,", ",val,1,").replace("#", "2")
    (second / "labels.csv").write_text(text)

    import_folders(first, second, out=tmp_path / "out")

    joined = read_dataset(tmp_path / "out")
    assert len(joined.images) == 2 * len(read_dataset(first).images)
    assert {image.sender for image in joined.images} == {"1-1", "1-2", "2-2", "2-1"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "has no labels.csv"), (b"file,split\n", "no column image"), (b"image\n\xff\n", "is not UTF-8")],
)
def test_it_says_what_it_cannot_read_at_all(tmp_path, content, complaint):
    source = tmp_path / "source"
    source.mkdir()
    if content is not None:
        (source / "labels.csv").write_bytes(content)

    with pytest.raises(CommandError, match=complaint):
        import_folders(source, out=tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_it_looks_at_files_by_their_content_and_names_the_others(tmp_path):
    source = tmp_path / "classes"
    kinds = {name: make for name, make in odd_images.TAKEN.items() if not name.endswith(".png")}
    for name, make in kinds.items():
        path = source / "denim" / f"{name.replace('.', '_')}{name[name.rfind('.') :] if '.' in name else ''}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
    (source / "denim" / "notes.txt").write_text("not an image")
    (source / "denim" / "drawing.svg").write_bytes(odd_images.REFUSED["drawing.svg"][0]())

    import_folders(source, out=tmp_path / "out", attribute="material")

    assert rejects_of(tmp_path / "out") == dict.fromkeys(("denim/notes.txt", "denim/drawing.svg"), "not_an_image")
    assert len(rows_of(tmp_path / "out")) == len(kinds)
    assert len(read_dataset(tmp_path / "out").images) == len(kinds)
