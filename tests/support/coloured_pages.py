"""Long pages of coloured rectangles, and a network that sees each rectangle exactly: what it finds is known."""

import io

import numpy as np
from PIL import Image, ImageDraw

from vision.engine import Engine, Manifest, ModelSpec

SIZE = 128
COLOURS = {"Top": (255, 0, 0), "Bottom": (0, 255, 0), "Outer": (0, 0, 255), "Onepiece": (255, 0, 255)}
LEAST_ROWS = 4  # of the input; what is thinner is too small to be seen


def draw(size, *garments, turned=False):
    """A PNG of (top-level category, x1, y1, x2, y2) on white; `turned` lays the page on its side."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for kind, x1, y1, x2, y2 in garments:
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), fill=COLOURS[kind])
    if turned:
        image = image.transpose(Image.Transpose.TRANSPOSE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class Seer:
    """Sees each stretch of a colour along an axis (1: from top to bottom) as one garment of its class.

    `cut_is` is what it takes those for that touch an edge of its input.
    """

    def __init__(self, *, axis=1, cut_is=None):
        self.batches = []
        self._axis = axis
        self._cut_is = cut_is

    def infer(self, batch):
        self.batches.append(len(batch))
        found = [list(self._look(image)) for image in batch]
        most = max(1, *map(len, found))
        raw = np.zeros((len(batch), 4 + len(COLOURS), most), np.float32)
        for index, boxes in enumerate(found):
            for anchor, (x1, y1, x2, y2, kind) in enumerate(boxes):
                raw[index, :4, anchor] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
                raw[index, 4 + list(COLOURS).index(kind), anchor] = 0.9 - 0.001 * anchor
        return raw

    def _look(self, image):
        for kind, colour in COLOURS.items():
            mask = (np.abs(image - np.array(colour, np.float32)[:, None, None] / 255) < 0.25).all(axis=0)
            lines = mask.any(axis=self._axis)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], lines.astype(int), [0]])))
            for start, end in edges.reshape(-1, 2):
                if end - start >= LEAST_ROWS:
                    across = np.flatnonzero(mask.take(range(start, end), 1 - self._axis).any(axis=1 - self._axis))
                    low, high = across[0], across[-1] + 1
                    box = (low, start, high, end) if self._axis == 1 else (start, low, end, high)
                    is_cut = self._cut_is and (start == 0 or end == SIZE)
                    yield (*box, self._cut_is if is_cut else kind)


def engine_of(network):
    """An engine whose detector of four top-level categories is this network."""
    spec = ModelSpec("garment", "garment-x", "detect", tuple(COLOURS), SIZE, {}, threshold=0.3)
    return Engine(Manifest("x", {"garment": spec}, "x"), {"garment": network})
