"""What the outage proof's clients sent, and what they were told of it: the book that the site is compared with."""

from __future__ import annotations

import hashlib
import io
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageDraw

IMAGES = Path(__file__).resolve().parent.parent / "demo" / "images"
SIDE = 360  # px: small, so that two cores are enough


class Told(Enum):
    """What a client knows of an image in the end."""

    STORED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "answer lost, not sent again"
    CUT = "broken off by the client"


@dataclass(frozen=True)
class Photo:
    """A file as a client has it."""

    name: str
    data: bytes
    is_good: bool = True

    @cached_property
    def sha256(self) -> str:
        """The digest by which the database knows it."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(eq=False)
class Sent:
    """One thing that a client wanted: a product from photos, or photos for a product that is there."""

    channel: str  # api, portal
    photos: Sequence[Photo]
    creates: bool
    sku: str = ""
    product: str = ""  # its public id, once it is known
    attempts: int = 0
    lost: int = 0  # of its attempts, those whose answer never came, or was that the site cannot tell
    told: dict[str, Told] = field(default_factory=dict)  # by SHA-256

    def tell(self, told: Told, *photos: Photo) -> None:
        """Note what the client knows of these photos; of all without any."""
        self.told |= {photo.sha256: told for photo in photos or self.photos}


class Photos:
    """Photos like no other, made of those of the demo shop."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._number = 0
        self._originals: list[Image.Image] = []
        for path in sorted(IMAGES.glob("*.jpg")):
            with Image.open(path) as image:
                image.draft("RGB", (SIDE, SIDE))
                image.thumbnail((SIDE, SIDE))
                self._originals.append(image.convert("RGB"))

    def take(self, count: int, *, bad: int = 0) -> list[Photo]:
        """Return so many new photos, and files among them that are none."""
        return [self._draw() for _number in range(count)] + [self._scribble() for _number in range(bad)]

    def _next(self) -> tuple[int, random.Random]:
        with self._lock:
            self._number += 1
            return self._number, random.Random(self._chance.random())

    def _draw(self) -> Photo:
        number, chance = self._next()
        image = chance.choice(self._originals).copy()
        pen = ImageDraw.Draw(image)
        for bit in range(20):  # the number, as a row of dots that JPEG keeps apart
            pen.rectangle((bit * 8, 0, bit * 8 + 7, 7), fill=(255, 255, 255) if number >> bit & 1 else (0, 0, 0))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
        return Photo(f"photo-{number:05}.jpg", buffer.getvalue())

    def _scribble(self) -> Photo:
        number, chance = self._next()
        return Photo(f"scribble-{number:05}.jpg", f"{number}, not a photo ".encode() + chance.randbytes(500), False)


class Book:
    """Everything that was sent. Safe to use from several threads."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.photos = Photos(seed)
        self.sent: list[Sent] = []
        self.cuts: list[str] = []  # how each connection that was cut ended: FIN or RST
        self.waiting = 0  # images that workers have not done yet, as seen last
        self._lock = threading.Lock()

    def note(self, sent: Sent) -> Sent:
        """Add something before it is sent."""
        with self._lock:
            self.sent.append(sent)
        return sent

    def note_cut(self, how: str) -> None:
        """Count a connection that a client has cut."""
        with self._lock:
            self.cuts.append(how)

    def known_products(self, channel: str) -> list[Sent]:
        """What has created a product through that channel, as far as it was acknowledged."""
        with self._lock:
            return [sent for sent in self.sent if sent.creates and sent.product and sent.channel == channel]
