"""Networks that say what a test tells them to, whatever the image, and engines of them."""

import numpy as np

from tests.support.drawn_images import photo
from tests.support.tiny_networks import TOP_LEVELS
from vision.engine import Engine, Manifest, ModelSpec

SIZE = 100
SQUARE = photo(size=(SIZE, SIZE), kind="PNG")


class Boxes:
    """A detector that sees the same in every image: (x1, y1, x2, y2 in pixels, a score for each class)."""

    def __init__(self, *seen):
        self.raw = np.array(
            [((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, *scores) for x1, y1, x2, y2, *scores in seen], np.float32
        ).T

    def infer(self, batch):
        return np.stack([self.raw] * len(batch))


class Says:
    """A classifier that gives every crop these probabilities."""

    def __init__(self, *probabilities):
        self.logits = np.log(np.array(probabilities, np.float32))
        self.batches = []

    def infer(self, batch):
        self.batches.append(len(batch))
        return np.stack([self.logits] * len(batch))


def finder(classes=TOP_LEVELS, **use):
    return ModelSpec("garment", "garment-x", "detect", tuple(classes), SIZE, {}, threshold=0.3, **use)


def classifier(role, classes, **use):
    return ModelSpec(role, f"{role}-x", "classify", tuple(classes), SIZE, {}, calibrated=True, **use)


def engine_of(*models):
    """An engine of (spec, network)s."""
    specs = {spec.role: spec for spec, _ in models}
    return Engine(Manifest("x", specs, "x"), {spec.role: network for spec, network in models})
