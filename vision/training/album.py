"""From a data set to the album that canvases are composed of: reduced files, cut-outs, and gaps that were filled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision.engine.compat import prepare_ultralytics
from vision.engine.detector import Detector
from vision.engine.manifest import GARMENT, ModelSpec
from vision.engine.runtime import Tensor
from vision.training.canvases import Album
from vision.training.cutouts import Cutout, cut_out
from vision.training.dataset import Dataset, LabelledImage, by_file, true_boxes
from vision.training.files import write_json
from vision.training.gaps import LEAST_SCORE, fill_gaps
from vision.training.pieces import Piece, targets_of
from vision.training.run import Report

SHARPNESS = 1.5
"""Files are reduced to so many times the network's side, as canvases show parts of them enlarged."""
AS_GARMENTS = 20
"""Of so many flat garments there is one image of something else among them on mosaics and side by side."""
GAPS = "gaps.json"


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An image whose rows name not all of its garments, and its reduced file."""

    rows: Sequence[LabelledImage]
    path: Path


def incomplete_images(dataset: Dataset) -> list[list[LabelledImage]]:
    """The rows of each training image of people in which a garment has no good box."""
    files = by_file(dataset.select("train"))
    return [rows for rows in files if rows[0].worn and not rows[0].complete]


def make_album(pieces: Sequence[Piece], classes: Sequence[str], cutouts: list[Cutout]) -> Album:
    """An album of complete images."""
    worn = [piece for piece in pieces if piece.worn]
    flat = [piece for piece in pieces if not piece.worn and len(piece.targets)]
    others = [piece for piece in pieces if not piece.worn and not len(piece.targets)]
    return Album(classes, worn, flat + others[: len(flat) // AS_GARMENTS], others, cutouts)


def cut_garments(dataset: Dataset, classes: Sequence[str], count: int, seed: int, threads: int) -> list[Cutout]:
    """Cut-outs of at most `count` flat garments of the training images, drawn evenly from those with a good box."""
    single = [
        (rows[0], boxes[0][0])
        for rows in by_file(dataset.select("train"))
        if len(rows) == 1 and not rows[0].worn and (boxes := true_boxes(rows, GARMENT, classes, dataset.taxonomy))
    ]
    chosen = np.random.default_rng(seed).permutation(len(single))[:count]
    with ThreadPoolExecutor(threads) as pool:  # OpenCV and Pillow release the interpreter's lock
        cut = list(pool.map(lambda number: cut_out(*single[number]), chosen.tolist()))
    return [cutout for cutout in cut if cutout is not None]


class _HalfTrained:
    """The averaged network of a running training, as detectors call it."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._device = next(module.parameters()).device

    def infer(self, batch: Tensor) -> Tensor:
        """Decoded boxes and scores (n, 4 + classes, anchors)."""
        import torch

        self._module.eval()
        with torch.no_grad():
            output: Tensor = self._module(torch.from_numpy(batch).to(self._device))[0].float().cpu().numpy()
        return output


class GapFilling:
    """Adds the incomplete images to an album as soon as the network can say what is missing in them."""

    def __init__(
        self, dataset: Dataset, classes: Sequence[str], size: int, run: Path, files: Sequence[Incomplete]
    ) -> None:
        self._taxonomy, self._classes, self._size = dataset.taxonomy, classes, size
        self._files, self._kept = files, run / GAPS

    def add(self, album: Album, module: Any, report: Report) -> None:
        """Fill the gaps with this network, or as the run has done before it was interrupted."""
        prepare_ultralytics()
        if not self._kept.exists():
            spec = ModelSpec(GARMENT, GARMENT, "detect", tuple(self._classes), self._size, {}, threshold=LEAST_SCORE)
            detector = Detector(spec, _HalfTrained(module), self._taxonomy)
            boxes = fill_gaps(detector, [file.rows for file in self._files], self._taxonomy)
            named = {file.path.name: found for file, found in zip(self._files, boxes, strict=True) if found}
            write_json(self._kept, named)
        filled = json.loads(self._kept.read_text(encoding="utf-8"))
        album.worn += [
            Piece(file.path, targets_of(filled[file.path.name]), worn=True)
            for file in self._files
            if file.path.name in filled
        ]
        report(f"filled the gaps of {len(filled)} of {len(self._files)} incomplete images")
