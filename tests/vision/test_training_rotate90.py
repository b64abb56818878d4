"""Garments photographed sideways: a detector's training images are turned together with their boxes."""

import torch

from vision.training.detector import rotate90


def image_with_box():
    """Two black squares of 40 px, the second with a white garment at its left edge near the top."""
    images = torch.zeros(2, 3, 40, 40)
    images[1, :, 4:12, 0:20] = 1.0
    return images, torch.tensor([[0.25, 0.2, 0.5, 0.2]]), torch.tensor([1.0])


def test_a_box_stays_around_its_garment():
    torch.manual_seed(3)
    places = set()
    for _ in range(20):
        images, boxes, owners = image_with_box()
        rotate90(images, boxes, owners, share=0.7)
        x, y, width, height = (boxes[0] * 40).round().int().tolist()
        inside = images[1, :, y - height // 2 : y + height // 2, x - width // 2 : x + width // 2]
        assert inside.numel() == 3 * 8 * 20
        assert inside.eq(1).all()
        places.add((x, y))
    assert len(places) == 3  # upright, and lying on either side


def test_a_share_of_nothing_turns_nothing():
    images, boxes, owners = image_with_box()

    rotate90(images, boxes, owners, share=0.0)

    before, box, _ = image_with_box()
    assert images.equal(before)
    assert boxes.equal(box)
