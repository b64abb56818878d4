"""Reads the folders that a training learns from as one data set: flat garments, and outfits that people wear."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from vision.engine.manifest import NOT_VISIBLE
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.evaluation.outfits import ROUGH, WornGarment, read_outfits
from vision.training.dataset import ATTRIBUTES, SPLITS, Dataset, LabelError, LabelledImage, read_dataset

OUTFITS = "garments.csv"


def read_folders(data: Path, worn: Path | None = None) -> Dataset:
    """The images of `data` (see `read_dataset`) and of `worn`, a folder with garments.csv (see `read_outfits`).

    Raises LabelError for a table that cannot be read.
    """
    flat = read_dataset(data)
    if worn is None:
        return flat
    table = worn / OUTFITS
    if not table.is_file():
        raise LabelError(f"{table} does not exist.")
    images = _outfit_images(table, flat.taxonomy)
    fingerprint = hashlib.sha256(flat.fingerprint.encode() + table.read_bytes()).hexdigest()
    names = (flat.name, worn.resolve().name)
    return replace(flat, images=(*flat.images, *images), fingerprint=fingerprint, joined=names)


def _outfit_images(table: Path, taxonomy: Taxonomy) -> list[LabelledImage]:
    """A row for each worn garment. Raises LabelError for an image that does not exist or is in both splits."""
    images: list[LabelledImage] = []
    splits: dict[Path, str] = {}
    for split in SPLITS:
        for outfit in read_outfits(table, split):
            if not outfit.path.is_file():
                raise LabelError(f"{table}: the image {outfit.path.name!r} does not exist.")
            if splits.setdefault(outfit.path, split) != split:
                raise LabelError(f"{table}: the image {outfit.path.name} is in both splits.")
            images += [
                LabelledImage(
                    outfit.path,
                    split,
                    "",
                    _labels(garment, taxonomy),
                    garment.box,
                    ROUGH not in garment.flag,
                    worn=True,
                    complete=outfit.complete,
                    flag=garment.flag,
                )
                for garment in outfit.garments
            ]
    return images


def _labels(garment: WornGarment, taxonomy: Taxonomy) -> dict[str, str]:
    """What a person left open of an attribute that the garment has cannot be seen."""
    labels = dict(garment.labels)
    top_level = taxonomy.parent_of(CATEGORY, labels[CATEGORY])
    for attribute in ATTRIBUTES:
        if top_level and not labels[attribute] and taxonomy.applies(attribute, top_level):
            labels[attribute] = NOT_VISIBLE
    return labels
