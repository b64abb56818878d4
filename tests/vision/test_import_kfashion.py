"""K-Fashion becomes a data set: every file is converted or rejected by name, on from wherever it was interrupted."""

import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from benchmarks.kfashion_files import DIRT, Expected, generate
from tests.support.stored_files import rows_of
from vision.training.conversion import convert, prepare
from vision.training.dataset import read_dataset
from vision.training.kfashion import kfashion_items
from vision.training.layout import Layout
from vision.training.source import REASONS, split_of
from vision.training.vocabulary import Vocabulary

SIZE = (80, 100)


class Source:
    """A folder of drawn files, and what has to become of them."""

    def __init__(self, folder: Path, expected: Expected):
        self.images, self.labels, self.expected = folder / "images", folder / "labels", expected

    def snapshot(self):
        files = sorted([*self.images.rglob("*"), *self.labels.rglob("*")])
        return [(str(file), os.lstat(file).st_mtime_ns, os.lstat(file).st_ctime_ns) for file in files]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Half of the files are dirty, each kind of dirt at least once."""
    folder = tmp_path_factory.mktemp("kfashion")
    count = 2 * len(DIRT) + 6
    expected = generate(folder / "images", folder / "labels", count, dirt=0.5, size=SIZE, drawn=6)
    assert expected.kinds.keys() == {"clean", *(kind for kind, _reason, _soil in DIRT)}
    return Source(folder, expected)


@pytest.fixture
def one(tmp_path):
    """Write one clean image's files, changed as asked, and convert them; returns the data set's folder."""

    def write(change=lambda details: None, **options):
        images, labels = tmp_path / "images", tmp_path / "labels"
        generate(images, labels, 1, dirt=0, size=SIZE)
        (path,) = labels.rglob("*.json")
        document = json.loads(path.read_text())
        change(document["데이터셋 정보"]["데이터셋 상세설명"])
        path.write_text(json.dumps(document, ensure_ascii=False))
        convert_files(images, labels, tmp_path / "out", **options)
        return tmp_path / "out"

    return write


def convert_files(images, labels, out, **options):
    call_command("import_kfashion", images=images, labels=labels, out=out, verbosity=0, **{"processes": 1, **options})


def outfit(**parts):
    """Set what is worn: by part the rectangles and the labels."""

    def change(details):
        for part in ("아우터", "하의", "원피스", "상의"):
            details["렉트좌표"][part], details["라벨링"][part] = parts.get(part, ([{}], [{}]))

    return change


def rectangle(left, top, width, height):
    return {"X좌표": left, "Y좌표": top, "가로": width, "세로": height}


TSHIRT = {"카테고리": "티셔츠", "소재": ["저지", "면"], "소매기장": "반팔"}
JEANS = {"카테고리": "청바지", "소재": ["데님"], "소매기장": "없음"}


def test_it_converts_or_rejects_every_file_by_name(source, tmp_path):
    before = source.snapshot()

    convert_files(source.images, source.labels, tmp_path / "out")

    rejects = {row["file"]: row["reason"] for row in rows_of(tmp_path / "out" / "rejects.csv")}
    assert rejects == source.expected.rejects
    assert set(rejects.values()) <= REASONS.keys()
    statistics = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert statistics["files"] == source.expected.files == statistics["converted"] + statistics["rejected"]
    assert sum(statistics["reasons"].values()) == statistics["rejected"] == len(rejects)
    assert statistics["garments"] == source.expected.garments
    assert statistics["clipped_boxes"] == source.expected.clipped
    dataset = read_dataset(tmp_path / "out")
    assert len(dataset.images) == source.expected.garments
    assert len({image.path for image in dataset.images}) == statistics["converted"]
    assert source.snapshot() == before


def test_it_goes_on_where_it_was_interrupted(source, tmp_path, monkeypatch):
    convert_files(source.images, source.labels, tmp_path / "whole")
    vocabulary = Vocabulary.load()
    items = kfashion_items(source.images, source.labels, vocabulary, 0.2)
    layout = Layout(tmp_path / "cut")
    prepare(layout, [source.images, source.labels], {})

    def stop(done, total, rejected):
        if 0 < done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(items, layout, vocabulary, processes=1, progress=stop)
    with (layout.root / "journal.jsonl").open("a") as stream:
        stream.write('{"file": "000/10000')  # a line that was being written
    steps = []
    convert(items, layout, vocabulary, processes=1, progress=lambda done, total, rejected: steps.append(done))

    assert 0 < steps[0] < steps[-1] == len(items)  # the first part was not done again
    for name in ("labels.csv", "rejects.csv", "statistics.json", "yolo/category/train.txt"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_it_does_nothing_twice(source, tmp_path):
    out = tmp_path / "out"
    convert_files(source.images, source.labels, out)
    before = {path: path.stat().st_mtime_ns for path in (out / "crops").rglob("*.jpg")}
    tables = [(out / name).read_bytes() for name in ("labels.csv", "rejects.csv", "statistics.json")]

    convert_files(source.images, source.labels, out)

    assert {path: path.stat().st_mtime_ns for path in (out / "crops").rglob("*.jpg")} == before
    assert [(out / name).read_bytes() for name in ("labels.csv", "rejects.csv", "statistics.json")] == tables


def test_several_processes_do_the_same_as_one(source, tmp_path):
    convert_files(source.images, source.labels, tmp_path / "one")
    convert_files(source.images, source.labels, tmp_path / "two", processes=2)

    for name in ("labels.csv", "rejects.csv", "statistics.json"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_image_with_two_garments_has_two_rows_and_two_crops(one):
    out = one(outfit(상의=([rectangle(20, 10, 40, 40)], [TSHIRT]), 하의=([rectangle(24, 50, 32, 45)], [JEANS])))

    bottom, top = rows_of(out / "labels.csv")
    assert (top["category"], top["material"], top["sleeve_length"]) == ("Tshirt", "jersey", "short")
    assert (bottom["category"], bottom["material"], bottom["sleeve_length"]) == ("Jeans", "denim", "")
    assert [float(top[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0.25, 0.1, 0.75, 0.5]
    split, name = top["image"].split("/")
    assert (out / "images" / split / name).is_file()
    crops = {path.relative_to(out / "crops").as_posix() for path in (out / "crops").rglob("*.jpg")}
    stem = Path(name).stem
    assert crops == {
        f"category/{split}/Jeans/{stem}-1.jpg",
        f"category/{split}/Tshirt/{stem}-2.jpg",
        f"material/{split}/denim/{stem}-1.jpg",
        f"material/{split}/jersey/{stem}-2.jpg",
        f"sleeve_length/{split}/short/{stem}-2.jpg",
    }
    # A detector of sleeves learns that there are none on the trousers, not that there are none in the image.
    label = out / "yolo" / "sleeve_length" / "labels" / split / f"{stem}.txt"
    assert label.read_text() == "0 0.50000 0.30000 0.50000 0.40000\n"
    assert len((out / "yolo" / "category" / "labels" / split / f"{stem}.txt").read_text().splitlines()) == 2


def test_several_rectangles_of_a_part_need_as_many_labels(one):
    two = [rectangle(5, 10, 30, 40), rectangle(40, 10, 30, 40)]

    out = one(outfit(상의=(two, [TSHIRT, {**TSHIRT, "카테고리": "셔츠"}])))

    assert [row["category"] for row in rows_of(out / "labels.csv")] == ["Tshirt", "Shirt"]


def test_one_wrong_garment_spoils_the_image(one):
    out = one(outfit(상의=([rectangle(20, 10, 40, 40)], [TSHIRT]), 하의=([rectangle(24, 50, 0, 45)], [JEANS])))

    assert rows_of(out / "labels.csv") == []
    (reject,) = rows_of(out / "rejects.csv")
    assert (reject["reason"], reject["detail"]) == ("empty_rectangle", "하의")


def test_it_rejects_a_box_that_is_mostly_outside(one):
    out = one(outfit(상의=([rectangle(-10, 20, 60, 200)], [TSHIRT])))

    assert [row["reason"] for row in rows_of(out / "rejects.csv")] == ["outside"]


def test_it_cuts_a_box_off_at_the_border(one):
    out = one(outfit(상의=([rectangle(-10, 20, 60, 100)], [TSHIRT])))

    (row,) = rows_of(out / "labels.csv")
    assert [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")] == [0, 0.2, 0.625, 1]


def test_it_takes_classes_out_and_together_as_asked(one):
    zipup = {"카테고리": "짚업", "소재": ["면"], "소매기장": "긴팔"}
    bra = {"카테고리": "브라탑", "소재": ["스판덱스"]}

    out = one(
        outfit(아우터=([rectangle(20, 10, 40, 40)], [zipup]), 상의=([rectangle(30, 10, 20, 40)], [bra])),
        as_original=True,
        merge=["category=짚업:점퍼"],
    )

    outer, top = rows_of(out / "labels.csv")
    assert (outer["category"], outer["material"], outer["sleeve_length"]) == ("Jumper", "", "long")
    assert (top["category"], top["material"]) == ("", "spandex")
    statistics = json.loads((out / "statistics.json").read_text())
    assert statistics["labels_left_out"] == {"category: Bratop": 1, "material: cotton": 1}
    # A garment without a label is there to be seen, so that the image would teach a detector to overlook it.
    assert statistics["detectors"]["category"] == {"train": 0, "val": 0}


def test_a_image_stays_in_its_split_whatever_comes_with_it():
    splits = {str(number): split_of(str(number), 0.2) for number in range(1000000, 1001000)}

    assert splits["1000000"] == split_of("1000000", 0.2)
    assert 150 < list(splits.values()).count("val") < 250
    grown = {key: split_of(key, 0.3) for key in splits}
    assert all(grown[key] == "val" for key, split in splits.items() if split == "val")


def test_detectors_of_ultralytics_find_the_labels(one):
    out = one(outfit(상의=([rectangle(20, 10, 40, 40)], [TSHIRT]), 하의=([rectangle(24, 50, 32, 45)], [JEANS])))
    from vision.engine.compat import prepare_ultralytics

    prepare_ultralytics()
    from ultralytics.data.utils import check_det_dataset, img2label_paths

    data = check_det_dataset(str(out / "yolo" / "category" / "data.yaml"), autodownload=False)

    assert data["names"] == {0: "Tshirt", 1: "Jeans"}
    listed = _listed(data)
    (labels,) = img2label_paths([str(listed)])
    assert listed.is_file()
    assert len(Path(labels).read_text().splitlines()) == 2


def _listed(data):
    """The one image of train and val, as ultralytics reads their lists."""
    paths = []
    for split in ("train", "val"):
        listing = Path(data[split])
        paths += [listing.parent / line for line in listing.read_text().split()]
    (path,) = paths
    return path


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"leave_out": ["category=망토"]}, "there is no category '망토'"),
        ({"merge": ["colour=Coat:Jacket"]}, "does not begin with category"),
        ({"val_share": 1.5}, "--val-share"),
        ({"images": Path("nowhere")}, "nowhere is not a folder"),
    ],
)
def test_it_says_why_it_cannot_convert(source, tmp_path, options, complaint):
    arguments = {"images": source.images, "labels": source.labels, **options}

    with pytest.raises(CommandError, match=complaint):
        convert_files(arguments.pop("images"), arguments.pop("labels"), tmp_path / "out", **arguments)

    assert not (tmp_path / "out").exists()


def test_it_keeps_out_of_the_source_and_of_other_imports(source, tmp_path):
    before = source.snapshot()
    with pytest.raises(CommandError, match="lies in the source"):
        convert_files(source.images, source.labels, source.images / "out")
    assert source.snapshot() == before

    convert_files(source.images, source.labels, tmp_path / "out")
    labels = (tmp_path / "out" / "labels.csv").read_bytes()
    with pytest.raises(CommandError, match="other options"):
        convert_files(source.images, source.labels, tmp_path / "out", val_share=0.5)
    assert (tmp_path / "out" / "labels.csv").read_bytes() == labels

    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match="holds other files"):
        convert_files(source.images, source.labels, tmp_path / "own")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["thesis.txt"]
