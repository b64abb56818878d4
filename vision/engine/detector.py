"""A detector: images in, boxes with class and score out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .manifest import GARMENT, OVERLAP, OVERLAP_ACROSS, ModelSpec
from .matching import Boxes, suppress
from .mirrored import agreed, beside, plain
from .preprocess import Letterbox, letterbox, nearest_shape, to_batch
from .runtime import Network, Tensor, batches
from .taxonomy import Taxonomy
from .windows import Found, Region, cut_by, join, windows

MOST_DETECTIONS = 100


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one image, by falling score.

    Boxes (n, 4) as fractions, scores and classes (n), and the scores of all classes (n, classes).
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.intp]
    class_scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _View:
    """A part of image number `image` of a batch, or the whole of it (`number` 0), and the shape to see it in."""

    image: int
    number: int
    region: Region
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Look:
    """A network's output (4 + classes, anchors) for a view; `both`: that for the mirror image beside it."""

    raw: Tensor
    both: bool


class Detector:
    """A detection network with the image preparation and the thresholds that belong to it."""

    def __init__(self, spec: ModelSpec, network: Network, taxonomy: Taxonomy) -> None:
        self.spec = spec
        self.network = network
        self._top_categories = top_categories(spec, taxonomy)
        self._groups = _group(spec, taxonomy)

    def find(self, images: Sequence[Image.Image]) -> list[Detections]:
        """The boxes in each image, as many views to a batch as `LARGEST_BATCH`; see `select` for what counts as one.

        Long images are looked at in windows as well, see `windows`.
        """
        found: list[list[Found]] = [[] for _ in images]
        views = list(_views(images, self.spec.shapes))
        for numbers in batches([view.shape for view in views]):
            batch = [views[number] for number in numbers]
            canvases = [letterbox(images[view.image], view.shape, view.region) for view in batch]
            output = self._infer(to_batch([canvas for canvas, _ in canvases]))
            for view, (_, geometry), look in zip(batch, canvases, output, strict=True):
                found[view.image] += self._found(view, geometry, look, images[view.image])
        return [self._detections(mine, image) for mine, image in zip(found, images, strict=True)]

    def _infer(self, batch: Tensor) -> list[_Look]:
        """The network's output for each canvas, with that for its mirror image where it has to look twice."""
        straight = self.network.infer(batch)
        looks = [_Look(raw, both=False) for raw in straight]
        doubtful = [index for index, raw in enumerate(straight) if self.spec.mirrored and not plain(raw)]
        if doubtful:
            mirror = self.network.infer(np.ascontiguousarray(batch[doubtful][..., ::-1]))
            for index, turned in zip(doubtful, mirror, strict=True):
                looks[index] = _Look(beside(straight[index], turned, batch.shape[-1]), both=True)
        return looks

    def _found(self, view: _View, geometry: Letterbox, look: _Look, image: Image.Image) -> Iterator[Found]:
        """What one view shows, in pixels of its image."""
        left, top, right, bottom = view.region
        boxes, scores, classes, class_scores = select(
            look.raw, self.spec.threshold, self._groups, within=self.spec.overlap, across=self.spec.overlap_across
        )
        if look.both and len(boxes):
            class_scores = agreed(boxes, class_scores, look.raw)
            classes = class_scores.argmax(axis=1)
        extent = np.array([right - left, bottom - top] * 2, np.float32)
        edges = geometry.to_fractions(boxes, right - left, bottom - top) * extent
        edges += np.array([left, top] * 2, np.float32)
        for corners, score, kind, every in zip(edges, scores, classes, class_scores, strict=True):
            x1, y1, x2, y2 = corners.tolist()
            box = (x1, y1, x2, y2)
            cut = cut_by(box, view.region, *image.size) if view.number else (False, False)
            yield Found(view.number, box, float(score), int(kind), every, int(self._groups[kind]), cut)

    def _detections(self, found: Sequence[Found], image: Image.Image) -> Detections:
        joined = join(found, *image.size) if any(one.view for one in found) else found
        kept = joined[:MOST_DETECTIONS]
        size = np.array([image.width, image.height] * 2, np.float32)
        return Detections(
            np.array([one.box for one in kept], np.float32).reshape(-1, 4) / size,
            np.array([one.score for one in kept], np.float32),
            np.array([one.kind for one in kept], np.intp),
            np.array([one.scores for one in kept], np.float32).reshape(-1, len(self.spec.classes)),
        )

    def top_levels(self, class_scores: NDArray[np.float32]) -> dict[str, float]:
        """How probable each top-level category is for a box with these scores of the classes.

        Empty where the detector only finds garments. Classes of the same top-level category count as the best of them.
        """
        if not self._top_categories:
            return {}
        best: dict[str, float] = {}
        for name, score in zip(self._top_categories, class_scores, strict=True):
            best[name] = max(best.get(name, 0.0), float(score))
        powers = np.maximum(np.array(list(best.values())), 1e-9) ** (1 / self.spec.temperature)
        return dict(zip(best, (powers / powers.sum()).tolist(), strict=True))


def _views(images: Sequence[Image.Image], shapes: Sequence[tuple[int, int]]) -> Iterator[_View]:
    for index, image in enumerate(images):
        regions = [(0, 0, image.width, image.height), *windows(image.width, image.height)]
        for number, (left, top, right, bottom) in enumerate(regions):
            yield _View(index, number, (left, top, right, bottom), nearest_shape(shapes, right - left, bottom - top))


def top_categories(spec: ModelSpec, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The top-level category of each class of a detector of garments; empty if a class stands for none."""
    known = [taxonomy.top_category_of(name) for name in spec.classes] if spec.role == GARMENT else []
    return tuple(name for name in known if name is not None) if all(known) else ()


def _group(spec: ModelSpec, taxonomy: Taxonomy) -> NDArray[np.intp]:
    """For each class the number of what it belongs to: its top-level category, or the value itself if it has none.

    A shirt and a blouse in one place are one garment seen as two; a shirt and a coat are worn over each other.
    """
    codes = [taxonomy.code_of(spec.role, name) for name in spec.classes]
    kinds = top_categories(spec, taxonomy) or [taxonomy.parent_of(spec.role, code) or code for code in codes]
    return np.array([list(kinds).index(kind) for kind in kinds], np.intp)


def select(
    raw: Tensor,
    threshold: float,
    groups: NDArray[np.intp],
    *,
    within: float = OVERLAP,
    across: float = OVERLAP_ACROSS,
) -> tuple[Boxes, NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
    """From a network's (4 + classes, anchors) to boxes (corners in pixels), scores, classes and the scores of all.

    By falling score, boxes at or above `threshold` after non-maximum suppression, at most `MOST_DETECTIONS`: beyond
    `within` (IoU) among classes of one group (`groups` says which, for each class), beyond `across` among all.
    """
    scores = raw[4:].max(axis=0)
    candidates = np.flatnonzero(scores >= threshold)
    if len(candidates) > 10 * MOST_DETECTIONS:
        candidates = candidates[np.argpartition(-scores[candidates], 10 * MOST_DETECTIONS)[: 10 * MOST_DETECTIONS]]
    centre, extent = raw[:2, candidates].T, raw[2:4, candidates].T
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    classes = raw[4:, candidates].argmax(axis=0)
    kept = suppress(boxes, scores[candidates], groups[classes], within, across)[:MOST_DETECTIONS]
    return boxes[kept], scores[candidates[kept]], classes[kept], raw[4:, candidates[kept]].T
