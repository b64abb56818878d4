"""What the detector thinks of boxes that people drew: it found them or not, but it has seen what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from .attributes import LEAST_OVERLAP, Subject, detected_value
from .detector import Detections, Detector
from .matching import overlaps
from .results import Box, Given
from .taxonomy import CATEGORY, Taxonomy
from .windows import Region, window_around

_SAME = 0.5
"""A detector's box shows the same garment as a given one if they overlap by this much (IoU)."""


def given_subjects(
    images: Sequence[Image.Image], given: Sequence[Given], finder: Detector, taxonomy: Taxonomy
) -> list[Subject]:
    """The given boxes of a batch as garments found with certainty, by image and in their order.

    The detector looks at each image once, or at the part around the box where the image is long. If it finds the same
    garment, what it takes that to be counts as it does for its own; a top-level category that a person gave counts
    instead.
    """
    regions = [
        [window_around(asked.box, *image.size) for asked in known.boxes]
        for image, known in zip(images, given, strict=True)
    ]
    wanted = list(dict.fromkeys((index, region) for index, mine in enumerate(regions) for region in mine))
    if not wanted:
        return []
    found = finder.find([_part(images[index], region) for index, region in wanted])
    views = dict(zip(wanted, found, strict=True))
    subjects = []
    for index, (image, known) in enumerate(zip(images, given, strict=True)):
        for asked, region in zip(known.boxes, regions[index], strict=True):
            seen = views[index, region]
            shared = _overlaps(asked.box, region, image, seen)
            best = int(shared.argmax()) if len(shared) else None
            subject = Subject(index, asked.box, 1.0)
            subject.outfit = len(known.boxes) > 1 or bool((shared < _SAME).any())
            if asked.top_category is not None:
                subject.top_levels = {asked.top_category: 1.0}
            elif best is not None and shared[best] >= _SAME:
                subject.top_levels = finder.top_levels(seen.class_scores[best])
            if finder.spec.role == CATEGORY:
                known_as = best is not None and shared[best] >= LEAST_OVERLAP
                value = detected_value(seen, best, finder.spec, taxonomy) if known_as and best is not None else None
                subject.attributes[CATEGORY] = value
            subjects.append(subject)
    return subjects


def _part(image: Image.Image, region: Region) -> Image.Image:
    return image if region == (0, 0, *image.size) else image.crop(region)


def _overlaps(box: Box, region: Region, image: Image.Image, seen: Detections) -> np.ndarray:
    """The overlap (IoU) of a box of an image with each box that the detector found in a region of it."""
    left, top, right, bottom = region
    size = np.array([image.width, image.height] * 2, np.float32)
    inner = np.array([right - left, bottom - top] * 2, np.float32)
    pixels = np.array([box], np.float32) * size - np.array([left, top] * 2, np.float32)
    shared: np.ndarray = overlaps(pixels, seen.boxes * inner)[0]
    return shared
