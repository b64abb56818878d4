"""Large images are made smaller band by band; nobody can tell from the result."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from vision.engine.decode import decode

SIZE = (1507, 2203)  # no whole number of bands, no whole number of blocks


def _encoded(mode):
    rng = random.Random(4)
    grain = Image.frombytes("RGBA", (37, 53), rng.randbytes(37 * 53 * 4)).resize(SIZE, Image.Resampling.BICUBIC)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grain.convert("L"), np.uint16) * 257)
    else:
        image = grain.convert("P" if mode == "P" else mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF" if mode == "CMYK" else "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "I;16", "CMYK"])
def test_bands_give_what_the_whole_gives(mode):
    data = _encoded(mode)
    whole = decode(data)
    reduced = decode(data, detail=500)
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == SIZE
    assert reduced.image.size == (503, 735)
    assert np.array_equal(np.asarray(reduced.image), np.asarray(whole.image.reduce(3)))
