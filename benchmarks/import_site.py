"""The import proof's files, and the requests by which a person sends them: a form of a gigabyte from the disk."""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import json
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bulk_site import Browser
from benchmarks.outage_http import HOST, Answer

HEADS = ("SKU", "상품명", "카테고리", "소재", "사진")
CATEGORIES = ("코트", "Tshirt", "자켓", "Shirt")
_BLOCK = 2**18
_SECONDS = 900


@dataclass
class Shop:
    """A merchant's spreadsheet and photos, in a folder."""

    folder: Path
    products: int
    photos: int  # of each
    checksums: dict[str, set[str]] = field(default_factory=dict)  # of the good photos, by SKU
    broken: list[str] = field(default_factory=list)

    def make(self, size: tuple[int, int]) -> None:
        """Draw the photos. The ones in the middle are cut off in the middle."""
        self.folder.mkdir()
        numbers = range(self.products * self.photos)
        with ProcessPoolExecutor() as pool:
            drawn = pool.map(_draw, [(str(self.folder / self.name(n)), size, n) for n in numbers], chunksize=50)
            for number, checksum in zip(numbers, drawn, strict=True):
                self.checksums.setdefault(self.sku(number // self.photos), set()).add(checksum)
        for number in (len(numbers) // 2, len(numbers) // 2 + self.photos):
            self._break(number)

    def _break(self, number: int) -> None:
        path = self.folder / self.name(number)
        data = path.read_bytes()
        self.checksums[self.sku(number // self.photos)].discard(hashlib.sha256(data).hexdigest())
        path.write_bytes(data[: len(data) // 2])
        self.broken.append(self.name(number))

    def sku(self, product: int) -> str:
        """The SKU of a product, by its number."""
        return f"IMP-{product:05}"

    def name(self, number: int) -> str:
        """The file of a photo, by its number."""
        return f"{self.sku(number // self.photos)}_{number % self.photos + 1}.jpg"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The lines of the table; two of them are wrong."""
        for product in range(self.products):
            names = "|".join(self.name(product * self.photos + n) for n in range(self.photos))
            yield self.sku(product), f"상품 {product}", CATEGORIES[product % 4], "cotton", names
        yield "", "no SKU", "", "", ""
        yield self.sku(0), "twice", "", "", ""

    def xlsx(self) -> bytes:
        """The table as XLSX."""
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (HEADS, *self.rows()):
            sheet.append(row)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()

    def csv(self) -> bytes:
        """The table as Korean Excel saves it."""
        text = io.StringIO()
        csv.writer(text).writerows([HEADS, *self.rows()])
        return text.getvalue().encode("cp949")

    def zip(self, path: Path) -> None:
        """Table and photos in one ZIP file."""
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("products.xlsx", self.xlsx())
            for photo in sorted(self.folder.iterdir()):
                archive.write(photo, f"photos/{photo.name}")


def _draw(wanted: tuple[str, tuple[int, int], int]) -> str:
    """Draw a photo that no other is like; returns its checksum."""
    from PIL import Image

    path, size, number = wanted
    noise = Image.frombytes("RGB", (24, 32), os.urandom(24 * 32 * 3)).resize(size, Image.Resampling.BICUBIC)
    noise.putpixel((0, 0), (number % 256, number // 256 % 256, 7))
    noise.save(path, "JPEG", quality=88)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def send_files(browser: Browser, address: str, files: list[tuple[str, Path]], **fields: str) -> Answer:
    """Send files as a browser does: from the disk, block after block."""
    boundary = os.urandom(16).hex()
    heads = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts = [
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode(),
            path,
        )
        for name, path in files
    ]
    end = f"--{boundary}--\r\n".encode()
    length = sum(map(len, heads)) + sum(len(head) + path.stat().st_size + 2 for head, path in parts) + len(end)

    def body() -> Iterator[bytes]:
        yield from heads
        for head, path in parts:
            yield head
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
            yield b"\r\n"
        yield end

    headers = {
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(length),
        "Cookie": f"sessionid={browser.session}; csrftoken={browser.token}",
        "X-CSRFToken": browser.token,
    }
    connection = http.client.HTTPConnection(HOST, browser.wire.port, timeout=_SECONDS)
    try:
        connection.request("POST", address, body(), headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def send_in_parts(browser: Browser, address: str, files: list[tuple[str, Path]], at_once: int) -> None:
    """Send many files some at a time, as the page's script does. Raises RuntimeError where one is refused."""
    for first in range(0, len(files), at_once):
        some = files[first : first + at_once]
        answer = send_files(browser, address, some, paths=json.dumps([name for name, _path in some]))
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def wrong_products(shop: Shop, merchant: Any) -> tuple[int, int]:
    """How many products have not exactly the photos that they should, and how many photos have no files."""
    from django.core.files.storage import default_storage

    from catalog.models import Product, ProductImage

    found: dict[str, list[str]] = {}
    missing = 0
    for image in ProductImage.objects.filter(product__merchant=merchant).select_related("product"):
        found.setdefault(str(image.product.sku), []).append(image.sha256)
        missing += not all(default_storage.exists(name) for name in image.files.values())
    wrong = sum(sorted(found.get(sku, [])) != sorted(good) for sku, good in shop.checksums.items())
    return wrong + abs(Product.objects.filter(merchant=merchant).count() - shop.products), missing
