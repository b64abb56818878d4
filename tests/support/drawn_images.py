"""Images that tests draw."""

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw


def photo(color="firebrick", size=(400, 300), kind="JPEG", mode="RGB", **save):
    """Draw a shirt-like shape on a plain ground and return the encoded bytes."""
    width, height = size
    image = Image.new("RGB", size, "gainsboro")
    draw = ImageDraw.Draw(image)
    draw.rectangle((width * 0.3, height * 0.2, width * 0.7, height * 0.9), fill=color)
    draw.polygon([(width * 0.3, height * 0.2), (width * 0.1, height * 0.5), (width * 0.3, height * 0.5)], fill=color)
    draw.polygon([(width * 0.7, height * 0.2), (width * 0.9, height * 0.5), (width * 0.7, height * 0.5)], fill=color)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind, **save)
    return buffer.getvalue()


def upload(name="front.jpg", data=None, **drawing):
    """Wrap bytes, or a drawn image, as an uploaded file."""
    return SimpleUploadedFile(name, photo(**drawing) if data is None else data)


def png_bomb(side=30_000):
    """Return a PNG that claims `side` by `side` pixels in a few bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1000))), chunk(b"IEND", b""))
    )
