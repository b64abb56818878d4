"""The original's three detectors in small: real YOLOv8 detectors with exactly its class lists, made without training.

They see coloured badges on drawn garments: one for each of category, material and sleeve length, whose colour says
the class. Every activation is the identity and every weight is set by hand, so what they find is known beforehand.
"""

import io
import math
from pathlib import Path

from PIL import Image, ImageDraw

from vision.engine.compat import prepare_ultralytics

# fmt: off
CATEGORIES = [
    "JumpSuit", "Blouse", "Tshirt", "KnitWear", "Shirt", "Cardigan", "Hoodie", "Jeans", "Pants", "Skirt", "Dress",
    "JoggerPants", "Coat", "Jacket", "Jumper", "PaddedJacket", "Vest",
]
MATERIALS = [
    "padding", "Mustang", "suede", "corduroy", "Sequin/Glitter", "Denim", "jersey", "tweed", "velvet", "vinyl/PVC",
    "wool/cashmere", "hair knit", "knit", "lace", "linen", "messi", "fleece", "neoprene", "silk", "spandex",
    "jacquard", "leather", "chiffon", "woven",
]
# fmt: on
SLEEVES = ["Sleeveless shirt", "Short sleeve", "Cap", "Three-quarter sleeve", "Long sleeve"]

FILES = {"category": "category_best.pt", "material": "material_best.pt", "sleeve_length": "length_best.pt"}
CLASSES = {"category": CATEGORIES, "material": MATERIALS, "sleeve_length": SLEEVES}
FIRST = {"category": 0, "material": 17, "sleeve_length": 41}  # no colour means two things
BADGES = {"category": 0, "material": -1, "sleeve_length": 1}  # rows of the grid, from the garment's middle

SIZE = 160  # of the networks' input
CELL = 16  # their stride
SCALE = 2  # images are larger than the input by this
HALF = (2, 3)  # a garment's width and height, from its middle, in cells


def build(folder: Path) -> dict[str, Path]:
    """The three checkpoints as ultralytics saves them, by role."""
    paths = {role: folder / name for role, name in FILES.items()}
    for role, path in paths.items():
        path.write_bytes(_checkpoint(CLASSES[role], FIRST[role], BADGES[role]))
    return paths


def draw(*garments) -> bytes:
    """An image of garments as (column, row of the middle cell, category, material, sleeve length or None)."""
    cell = CELL * SCALE
    image = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), (128, 128, 128))
    pen = ImageDraw.Draw(image)
    for column, row, *_values in garments:
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        pen.rectangle((x - HALF[0] * cell, y - HALF[1] * cell, x + HALF[0] * cell, y + HALF[1] * cell), fill="#868686")
    for column, row, *values in garments:
        for (role, offset), value in zip(BADGES.items(), values, strict=True):
            if value is not None:
                left, top = column * cell, (row + offset) * cell
                colour = tuple(
                    round(127.5 + 115 * part) for part in _direction(FIRST[role] + CLASSES[role].index(value))
                )
                pen.rectangle((left, top, left + cell - 1, top + cell - 1), fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def _direction(index: int) -> tuple[float, float, float]:
    """One of 46 directions from grey into the colours, spread evenly (Fibonacci's spiral on a sphere)."""
    height = 1 - (2 * index + 1) / 46
    radius, angle = math.sqrt(1 - height * height), index * math.pi * (3 - math.sqrt(5))
    return radius * math.cos(angle), radius * math.sin(angle), height


def _checkpoint(classes: list[str], first: int, badge: int) -> bytes:
    prepare_ultralytics()
    import torch
    from torch import nn
    from ultralytics.nn.modules import Conv
    from ultralytics.nn.tasks import DetectionModel

    halving = [-1, 1, "Conv", [8, 3, 2]]
    layout = {"nc": len(classes), "backbone": [halving] * 4, "head": [[[3], 1, "Detect", ["nc"]]]}
    model = DetectionModel(layout, verbose=False).eval()
    model.names, model.args = dict(enumerate(classes)), {"imgsz": SIZE}
    for module in model.modules():
        if isinstance(module, Conv):
            module.act = nn.Identity()
            module.bn.reset_running_stats()
    with torch.no_grad():
        for layer in model.model[:4]:  # each the mean of two by two, colour by colour
            layer.conv.weight.zero_()
            for channel in range(3):
                layer.conv.weight[channel, channel, 1:, 1:] = 0.25
        detect = model.model[-1]
        for branch in (detect.cv2[0], detect.cv3[0]):
            for conv in [module for module in branch.modules() if isinstance(module, nn.Conv2d)][:-1]:
                _pass_on(conv)
        boxes, scores = detect.cv2[0][-1], detect.cv3[0][-1]
        boxes.weight.zero_()
        boxes.bias.fill_(-100.0)
        for side, cells in enumerate((HALF[0], HALF[1] + badge, HALF[0], HALF[1] - badge)):
            boxes.bias[side * detect.reg_max + cells] = 100.0
        scores.weight.zero_()
        for index in range(len(classes)):
            # The cosine between a cell's colour and the class's, which is 0.45 away from grey, above 0.93.
            direction = torch.tensor(_direction(first + index))
            scores.weight[index, :3, 0, 0] = 60 * direction / 0.45
            scores.bias[index] = -60 * 0.93 - 60 * float(direction.sum()) * 0.5 / 0.45
    buffer = io.BytesIO()
    torch.save({"model": model.half(), "train_args": {"imgsz": SIZE}}, buffer)
    return buffer.getvalue()


def _pass_on(conv) -> None:
    """Let a convolution hand its first three channels on as they are."""
    conv.weight.data.zero_()
    middle = conv.kernel_size[0] // 2
    for channel in range(3):
        conv.weight.data[channel, channel if conv.groups == 1 else 0, middle, middle] = 1.0
