"""More than 400 bad images, the same every time: each has to be stored, or refused by a code.

python -m tests.support.bad_images FOLDER     # writes them, for trying things by hand
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from tests.support import bad_image_bytes as b
from tests.support import bad_image_groups as groups
from tests.support.bad_image_names import NAMES

TAKEN = "taken"
_LENGTHS = (1, 8, 13, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, -1)
_FLIPS = ((1, 40), (3, 40), (8, 200), (30, 400), (1, None), (5, None), (50, None), (500, None))


@dataclass(frozen=True)
class BadImage:
    """A file: what it is called, which group it belongs to, and what must become of it.

    `expected` is TAKEN or the code that it is refused by; where it is empty, either will do. `large` are those that
    take seconds to make or to look at.
    """

    name: str
    group: str
    make: Callable[[], bytes]
    expected: str = ""
    large: bool = False
    raw_name: bytes = b""

    @property
    def sent_name(self) -> bytes:
        """The name as it goes over the wire."""
        return self.raw_name or self.name.encode()


def corpus() -> Iterator[BadImage]:
    """All of them."""
    for name, (ending, _make) in b.BASES.items():
        for length in _LENGTHS:
            yield BadImage(f"cut-{name}-{length}{ending}", "cut off", partial(_cut, name, length))
    for name, (ending, _make) in b.BASES.items():
        for seed, (count, within) in enumerate(_FLIPS):
            yield BadImage(f"flip-{name}-{seed}{ending}", "bits", partial(_flipped, name, count, seed, within))
    for group, members in groups.GROUPS.items():
        for name, (make, expected) in members.items():
            yield BadImage(name, group, make, expected, large=group in groups.LARGE)
    for number, raw in enumerate(NAMES):
        yield BadImage(f"name-{number}.jpg", "names", partial(_own_photo, number), TAKEN, raw_name=raw)


def thinned(each: int = 5) -> list[BadImage]:
    """A few of each group, spread over it, without the large ones: what a test looks at in seconds."""
    found: list[BadImage] = []
    for _group, members in groupby((bad for bad in corpus() if not bad.large), key=lambda bad: bad.group):
        some = list(members)
        found += some[:: -(-len(some) // each)]
    return found


def form(files: Sequence[tuple[bytes, bytes]], field: str = "images", **fields: str) -> tuple[bytes, str]:
    """Encode files with names of any bytes as a form; returns its body and content type."""
    mark = b"bad-images-0d1f6c"
    parts = [
        b'Content-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value.encode()
        for name, value in fields.items()
    ]
    parts += [
        b'Content-Disposition: form-data; name="' + field.encode() + b'"; filename="' + name + b'"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + data
        for name, data in files
    ]
    body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"
    return body, f"multipart/form-data; boundary={mark.decode()}"


def _cut(name: str, length: float) -> bytes:
    return b.cut(b.base(name), length)


def _flipped(name: str, count: int, seed: int, within: int | None) -> bytes:
    return b.flipped(b.base(name), count, seed, within)


def _own_photo(number: int) -> bytes:
    """A good photo that no other one is like."""
    return b.jpeg_with(b.segment(0xFE, b"photo %d" % number))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for bad in corpus():
        (folder / bad.name).write_bytes(bad.make())
