"""A data set's folder, as converters leave it:

labels.csv         one row per garment, the layout that `manage.py train` reads
taxonomy.json      what its labels mean, where a source brought more than the project's own taxonomy
images/SPLIT/      the images: links to the source's files, or copies
crops/ATTRIBUTE/SPLIT/CLASS/   the garments cut out, for classifiers
yolo/ATTRIBUTE/    data.yaml, train.txt, val.txt, labels/ and a link to images/, for ultralytics' detectors
rejects.csv        each file that was left out, and why
statistics.json    how many of what
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from vision.engine.preprocess import crop_region
from vision.training.dataset import ATTRIBUTES, COLUMNS, COORDINATES, SPLITS, Dataset, read_dataset
from vision.training.detector import DetectorOptions, detector_images
from vision.training.files import atomic_path, write_csv, write_json, write_text
from vision.training.source import Garment, Item, Reading, Rejected
from vision.training.vocabulary import Vocabulary

CROP_SIDE = 256  # pixels on a crop's longer side at most; more than a classifier's input
CROP_QUALITY = 90
REJECT_COLUMNS = ("file", "reason", "detail")


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one item: converted, or rejected if there is a reason."""

    file: str
    reason: str = ""
    detail: str = ""
    image: str = ""
    split: str = ""
    sender: str = ""
    garments: tuple[Garment, ...] = ()
    clipped: int = 0
    left_out: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON can hold it, for a line of the journal."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Record:
        """A record from what `as_dict` gave, after JSON turned its tuples into lists."""
        garments = tuple(Garment(found["labels"], (*found["box"],), found["box_ok"]) for found in content["garments"])
        left_out = tuple((attribute, code) for attribute, code in content["left_out"])
        return cls(**{**content, "garments": garments, "left_out": left_out})


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the data set is written, and whether images are copied or linked to."""

    root: Path
    copies: bool = False

    def add(self, item: Item) -> Record:
        """Read one item and write its image and crops; idempotent."""
        try:
            reading = item.read()
        except Rejected as rejected:
            return Record(item.file, rejected.reason, rejected.detail)
        image = f"{reading.split}/{item.identifier}{reading.image.suffix.lower()}"
        self._place(reading.image, self.root / "images" / image)
        self._cut(item.identifier, reading)
        return Record(
            item.file,
            image=image,
            split=reading.split,
            sender=reading.sender,
            garments=reading.garments,
            clipped=reading.clipped,
            left_out=reading.left_out,
        )

    def _place(self, image: Path, target: Path) -> None:
        _make_folder(target.parent)
        if self.copies:
            with atomic_path(target) as temporary:
                shutil.copyfile(image, temporary)
        else:
            target.unlink(missing_ok=True)
            target.symlink_to(image.absolute())

    def _cut(self, identifier: str, reading: Reading) -> None:
        for number, garment in enumerate(reading.garments, start=1):
            named = [(attribute, code) for attribute, code in garment.labels.items() if code]
            data = _crop(reading.pixels, garment) if named else b""
            for attribute, code in named:
                folder = self.root / "crops" / attribute / reading.split / code.replace("/", "-")
                _make_folder(folder)
                (folder / f"{identifier}-{number}.jpg").write_bytes(data)

    def finish(self, records: Sequence[Record], vocabulary: Vocabulary) -> dict[str, Any]:
        """Write the tables, the detectors' labels and the statistics, which are returned."""
        further = [attribute for attribute in vocabulary.attributes if attribute not in ATTRIBUTES]
        write_csv(self.root / "labels.csv", (*COLUMNS, *further), _label_rows(records, further))
        rejected = [(record.file, record.reason, record.detail) for record in records if record.reason]
        write_csv(self.root / "rejects.csv", REJECT_COLUMNS, rejected)
        dataset = read_dataset(self.root)
        detectors = {attribute: self._write_yolo(dataset, attribute, vocabulary) for attribute in vocabulary.attributes}
        statistics = _statistics(records, dataset, vocabulary) | {"detectors": detectors}
        write_json(self.root / "statistics.json", statistics)
        return statistics

    def _write_yolo(self, dataset: Dataset, attribute: str, vocabulary: Vocabulary) -> dict[str, int]:
        """Lay out one detector's data; returns how many images each split has.

        The lists name the images by a path of their own for each detector, because ultralytics looks for labels
        where the path says labels/ instead of images/.
        """
        folder = self.root / "yolo" / attribute
        folder.mkdir(parents=True, exist_ok=True)
        images = folder / "images"
        if not images.is_symlink():
            images.symlink_to(Path("..", "..", "images"), target_is_directory=True)
        counts = dataset.counts("train", attribute) + dataset.counts("val", attribute)
        classes = vocabulary.in_order(attribute, counts)
        sizes = {}
        for split in SPLITS:
            labels = folder / "labels" / split
            labels.mkdir(parents=True, exist_ok=True)
            found = detector_images(dataset, split, DetectorOptions(attribute), classes)
            for image in found:
                (labels / f"{image.path.stem}.txt").write_text(image.label_lines)
            names = "".join(f"./images/{split}/{image.path.name}\n" for image in found)
            write_text(folder / f"{split}.txt", names)
            sizes[split] = len(found)
        names = "".join(f"  {index}: {name}\n" for index, name in enumerate(classes))
        write_text(folder / "data.yaml", f"path: {folder.resolve()}\ntrain: train.txt\nval: val.txt\nnames:\n{names}")
        return sizes


@cache
def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _crop(pixels: Image.Image, garment: Garment) -> bytes:
    """The garment with the margin that classifiers know, as JPEG."""
    left, top, right, bottom = crop_region(pixels.width, pixels.height, garment.box)
    scale = min(1.0, CROP_SIDE / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    crop = pixels.resize(size, Image.Resampling.BILINEAR, (left, top, right, bottom), reducing_gap=2.0)
    buffer = BytesIO()
    crop.save(buffer, "JPEG", quality=CROP_QUALITY)
    return buffer.getvalue()


def _label_rows(records: Iterable[Record], further: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for record in records:
        if record.reason:
            continue
        start = (record.image, record.split, record.sender)
        for garment in record.garments:
            labels = (garment.labels.get(attribute, "") for attribute in ATTRIBUTES)
            box = (f"{edge:.5f}" for edge in garment.box)
            others = (garment.labels.get(attribute, "") for attribute in further)
            yield *start, *labels, *box, str(int(garment.box_ok)), *others
        if not record.garments:
            yield *start, *("" for _ in (*ATTRIBUTES, *COORDINATES)), "", *("" for _ in further)


def _statistics(records: Sequence[Record], dataset: Dataset, vocabulary: Vocabulary) -> dict[str, Any]:
    reasons = Counter(record.reason for record in records if record.reason)
    left_out = Counter(f"{attribute}: {code}" for record in records for attribute, code in record.left_out)
    splits = Counter(record.split for record in records if not record.reason)
    classes = {}
    for attribute in vocabulary.attributes:
        counts = {split: dataset.counts(split, attribute) for split in SPLITS}
        names = vocabulary.in_order(attribute, {name for found in counts.values() for name in found})
        classes[attribute] = {name: {split: counts[split][name] for split in SPLITS} for name in names}
    return {
        "files": len(records),
        "converted": sum(splits.values()),
        "rejected": sum(reasons.values()),
        "reasons": dict(sorted(reasons.items())),
        "images": {split: splits[split] for split in SPLITS},
        "garments": sum(len(record.garments) for record in records),
        "clipped_boxes": sum(record.clipped for record in records),
        "labels_left_out": dict(sorted(left_out.items())),
        "classes": classes,
        "fingerprint": dataset.fingerprint,
    }


def describe(statistics: dict[str, Any]) -> str:
    """The statistics for people, as Markdown: what was converted, what was not and why, and each class."""
    lines = [
        f"{statistics['files']} files: {statistics['converted']} converted with {statistics['garments']} garments "
        f"({statistics['images']['train']} images to train, {statistics['images']['val']} to measure), "
        f"{statistics['rejected']} rejected; {statistics['clipped_boxes']} boxes cut off at the border.",
        "",
    ]
    tables = (("rejected because", "files", "reasons"), ("label left out", "garments", "labels_left_out"))
    for title, unit, counts in tables:
        if statistics[counts]:
            lines += [f"| {title} | {unit} |", "|---|---:|"]
            lines += [f"| {name} | {count} |" for name, count in statistics[counts].items()] + [""]
    for attribute, classes in statistics["classes"].items():
        lines += [f"| {attribute} | train | val |", "|---|---:|---:|"]
        lines += [f"| {name} | {counts['train']} | {counts['val']} |" for name, counts in classes.items()] + [""]
    return "\n".join(lines).rstrip()
