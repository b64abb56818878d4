"""Augmentation of whole batches of crops as tensors: one resampling, then colours.

A canvas is a square cut with a wider margin than a network sees (CANVAS_MARGIN). For each sample a jittered box is
drawn inside it, as if a detector had found the garment a little off, everything outside that box becomes grey
padding, and rotation, scale, shift and mirror are applied, all in a single `grid_sample`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from vision.engine.preprocess import PADDING_GREY

CANVAS_MARGIN = 0.16
MOST_CUT = 0.3
GREY = PADDING_GREY / 255.0


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strengths. `scale`: smallest visible share of a side; colours as +- factors; probabilities for the rest."""

    box_jitter: float = 0.08
    rotation_degrees: float = 12.0
    scale: tuple[float, float] = (0.72, 1.08)
    shift: float = 0.06
    mirror: float = 0.5
    brightness: float = 0.25
    contrast: float = 0.25
    saturation: float = 0.3
    tint: float = 0.06
    erasing: float = 0.25
    mixup: float = 0.2
    cut: float = 0.0
    """How often each side of the box is cut off, by up to `MOST_CUT` of its extent: detectors miss parts."""


AUGMENTATIONS = {
    "strong": Augmentation(),
    # Where a sleeve or a hem ends stays in the image: hardly anything is cut off or covered.
    "outline": Augmentation(scale=(0.9, 1.15), shift=0.03, erasing=0.0, mixup=0.1),
    # Fabric shows in fine shades, so its colours are disturbed less, and zooming in helps to see weave and knit.
    # For flat garments and worn ones together, with boxes as detectors find them on people.
    "worn": Augmentation(box_jitter=0.06, scale=(0.85, 1.1), shift=0.03, brightness=0.2, mixup=0.4, cut=0.04),
    "texture": Augmentation(scale=(0.55, 1.05), brightness=0.2, contrast=0.15, saturation=0.15, tint=0.03, mixup=0.1),
}


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> torch.Tensor:
    """`count` numbers drawn evenly from low..high."""
    return torch.rand(count, generator=generator) * (high - low) + low


def warp(
    canvases: torch.Tensor,
    windows: torch.Tensor,
    shape: tuple[int, int],
    strength: Augmentation,
    generator: torch.Generator,
) -> torch.Tensor:
    """Cut, turn, scale and mirror canvases (n, 3, s, s) of bytes into images (n, 3, *shape) in 0..1.

    `windows` (n, 4): what the network shall see of each canvas, in units of half a canvas from its centre.
    """
    height, width = shape
    count = len(canvases)
    low = windows[:, :2] + _noise(generator, count, strength.box_jitter)
    high = windows[:, 2:] + _noise(generator, count, strength.box_jitter)
    if strength.cut:
        extent = windows[:, 2:] - windows[:, :2]
        low, high = low + _cuts(generator, extent, strength.cut), high - _cuts(generator, extent, strength.cut)
    centre, half = (low + high) / 2, ((high - low) / 2).clamp(min=0.05)

    angle = uniform(generator, count, -1, 1) * math.radians(strength.rotation_degrees)
    zoom = uniform(generator, count, *strength.scale) * torch.maximum(half[:, 1], half[:, 0] * height / width)
    across = torch.where(torch.rand(count, generator=generator) < strength.mirror, -1.0, 1.0) * width / height
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    shift = centre + _noise(generator, count, strength.shift) * zoom[:, None]
    affine = torch.stack(
        (
            torch.stack((cosine * across, -sine, shift[:, 0]), dim=1),
            torch.stack((sine * across, cosine, shift[:, 1]), dim=1),
        ),
        dim=1,
    )
    grid = functional.affine_grid(affine, [count, 3, height, width], align_corners=False)
    images = canvases.float().div_(255.0).sub_(GREY)
    warped = functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    inside = ((grid - centre[:, None, None, :]).abs() <= half[:, None, None, :]).all(dim=-1)
    return warped.mul_(inside[:, None]).add_(GREY)


def _noise(generator: torch.Generator, count: int, spread: float) -> torch.Tensor:
    return (torch.rand(count, 2, generator=generator) * 2 - 1) * spread


def _cuts(generator: torch.Generator, extent: torch.Tensor, share: float) -> torch.Tensor:
    """How much is cut off on one side (n, 2), mostly nothing."""
    chosen = torch.rand(extent.shape, generator=generator) < share
    return chosen * torch.rand(extent.shape, generator=generator) * MOST_CUT * extent


def recolour(images: torch.Tensor, strength: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Change contrast, brightness, saturation and tint of images (n, 3, h, w) in 0..1, each on its own.

    All four are linear in the colours, so they are one 3x3 matrix and one offset an image.
    """
    count = len(images)
    contrast, brightness, saturation = (
        uniform(generator, count, 1 - spread, 1 + spread).view(count, 1, 1)
        for spread in (strength.contrast, strength.brightness, strength.saturation)
    )
    tint = uniform(generator, count * 3, 1 - strength.tint, 1 + strength.tint).view(count, 3, 1)
    to_grey = torch.full((3, 3), 1 / 3)
    matrix = tint * (saturation * torch.eye(3) + (1 - saturation) * to_grey) * contrast
    offset = tint * (brightness - contrast) * images.mean(dim=(1, 2, 3)).view(count, 1, 1)
    changed = torch.baddbmm(offset, matrix, images.flatten(2)).clamp_(0.0, 1.0)
    return changed.view_as(images)


def erase(images: torch.Tensor, strength: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Grey out one random rectangle of some of the images, in place."""
    rows, columns = images.shape[2:]
    for image in images:
        if torch.rand(1, generator=generator).item() >= strength.erasing:
            continue
        shares = uniform(generator, 2, 0.1, 0.4).tolist()
        height, width = int(shares[0] * rows), int(shares[1] * columns)
        top = int(torch.randint(rows - height + 1, (1,), generator=generator))
        left = int(torch.randint(columns - width + 1, (1,), generator=generator))
        image[:, top : top + height, left : left + width] = GREY
    return images


def mix(
    images: torch.Tensor, targets: dict[str, torch.Tensor], strength: Augmentation, generator: torch.Generator
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Mixup (Zhang et al. 2018): blend each image and its targets with another one of the batch."""
    if strength.mixup <= 0 or len(images) < 2:
        return images, targets
    # The greater of two complementary shares, so that an image stays mostly itself.
    seed = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        drawn = torch.distributions.Beta(strength.mixup, strength.mixup).sample((len(images),))
    share = torch.maximum(drawn, 1 - drawn)
    other = torch.randperm(len(images), generator=generator)
    mixed = torch.lerp(images[other], images, share.view(-1, 1, 1, 1))
    blend = share.view(-1, 1)
    return mixed, {name: target * blend + target[other] * (1 - blend) for name, target in targets.items()}


def augment(
    canvases: torch.Tensor,
    windows: torch.Tensor,
    shape: tuple[int, int],
    strength: Augmentation,
    generator: torch.Generator,
) -> torch.Tensor:
    """All changes to the pixels that keep the labels; arguments as in `warp`."""
    images = recolour(warp(canvases, windows, shape, strength, generator), strength, generator)
    return erase(images, strength, generator)
