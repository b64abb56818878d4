"""Labels are checked before anything is trained on them."""

import pytest

from tests.support.drawn_datasets import HEADER, draw_garments
from vision.training.dataset import LabelError, by_file, read_dataset
from vision.training.detector import DetectorOptions, detector_images


def test_it_reads_images_labels_and_boxes(tmp_path):
    dataset = read_dataset(draw_garments(tmp_path))

    train = dataset.select("train", "category")
    assert len(train) == 12
    assert {image.split for image in train} == {"train"}
    assert all(image.box is not None for image in train)
    assert len(dataset.select("val")) == 5
    assert len(dataset.select("val", "category")) == 4  # the fifth shows no garment


def test_it_offers_only_classes_with_enough_training_examples(tmp_path):
    dataset = read_dataset(draw_garments(tmp_path))

    assert dataset.classes("category", minimum=3) == ["Dress", "Tshirt"]
    assert dataset.classes("category", minimum=1) == ["Coat", "Dress", "Tshirt"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("missing.jpg,train,9,Dress,woven,long,0.1,0.1,0.9,0.9,1", "'missing.jpg' does not exist"),
        ("0.png,test,9,Dress,woven,long,0.1,0.1,0.9,0.9,1", "split is 'test'"),
        ("0.png,train,9,Dress,woven,long,0.1,0.1,x,0.9,1", "is not four numbers"),
        ("0.png,train,9,Dress,woven,long,0.9,0.1,0.1,0.9,1", "is not inside the image"),
        ("0.png,train,9,Dress,woven,long,,,,,", "labels without a box"),
        ("0.png,train,9,Dress,woven", "not as many fields"),
        ("0.png,val,1,Dress,woven,long,0.1,0.1,0.9,0.9,1", "contributor 1 is in both splits"),
    ],
)
def test_it_refuses_a_bad_row_and_names_its_line(tmp_path, line, complaint):
    root = draw_garments(tmp_path)
    with (root / "labels.csv").open("a") as stream:
        stream.write(line + "\n")

    with pytest.raises(LabelError, match=rf"labels\.csv line 20: .*{complaint}"):
        read_dataset(root)


def test_it_refuses_a_table_without_a_column_it_needs(tmp_path):
    root = draw_garments(tmp_path)
    (root / "labels.csv").write_text(HEADER.replace(",material", "") + "\n")

    with pytest.raises(LabelError, match="line 1: no column material"):
        read_dataset(root)


def test_it_refuses_a_table_in_another_encoding(tmp_path):
    root = draw_garments(tmp_path)
    (root / "labels.csv").write_bytes(f"{HEADER}\n".encode() + "원피스.png".encode("cp949"))

    with pytest.raises(LabelError, match=r"labels\.csv is not UTF-8 \(byte \d+\)"):
        read_dataset(root)


def test_it_refuses_an_image_that_is_in_both_splits(tmp_path):
    root = draw_garments(tmp_path)
    with (root / "labels.csv").open("a") as stream:
        stream.write("0.png,val,,Dress,woven,long,0.1,0.1,0.9,0.9,1\n")

    with pytest.raises(LabelError, match=r"line 20: the image 0\.png is in both splits"):
        read_dataset(root)


def test_it_knows_all_garments_of_an_image(tmp_path):
    root = draw_garments(tmp_path)
    with (root / "labels.csv").open("a") as stream:
        stream.write("0.png,train,1,Dress,woven,long,0.1,0.1,0.9,0.9,1\n")
    dataset = read_dataset(root)

    first, *others = by_file(dataset.select("train"))

    assert [row.labels["category"] for row in first] == ["Tshirt", "Dress"]
    assert len(others) == 12
    assert all(len(rows) == 1 for rows in others)


@pytest.mark.parametrize(
    ("second", "attribute", "classes", "boxes"),
    [
        ("Dress,woven,long,0.1,0.1,0.9,0.9,1", "category", ["Dress", "Tshirt"], 2),
        ("Dress,woven,long,0.1,0.1,0.9,0.9,1", "garment", ["garment"], 2),
        ("Jeans,denim,,0.1,0.1,0.9,0.9,1", "sleeve_length", ["short"], 1),  # trousers have no sleeves
        ("Dress,woven,,0.1,0.1,0.9,0.9,1", "sleeve_length", ["short"], None),  # it has some, of unknown length
        ("Coat,wool,long,0.1,0.1,0.9,0.9,1", "category", ["Dress", "Tshirt"], None),  # not offered, but there
        ("Dress,woven,long,0.1,0.1,0.9,0.9,0", "category", ["Dress", "Tshirt"], None),  # a rough box
    ],
)
def test_a_detector_learns_only_from_images_where_it_knows_every_garment(tmp_path, second, attribute, classes, boxes):
    root = draw_garments(tmp_path)
    with (root / "labels.csv").open("a") as stream:
        stream.write(f"0.png,train,1,{second}\n")
    dataset = read_dataset(root)

    found = detector_images(dataset, "train", DetectorOptions(attribute), classes)

    first = [image for image in found if image.path.name == "0.png"]
    assert [len(image.boxes) for image in first] == ([boxes] if boxes else [])
    assert all(len(image.label_lines.splitlines()) == boxes for image in first)
