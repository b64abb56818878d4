"""Names in archives that are no names of files."""

import io
import struct

from catalog.imports.archives import Archive
from tests.support.import_files import zip_file


def _unnamed(data):
    """The archive with its first file's name of one letter turned into a field of another kind."""
    changed = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        struct.pack_into("<HH", changed, changed.index(mark) + place, 0, 1)
    return bytes(changed)


def test_a_file_without_a_name_is_left_out_like_a_folder():
    data = _unnamed(zip_file({"x": b"1", "A-1.jpg": b"2", "folder/": b""}))
    assert [entry.path for entry in Archive(io.BytesIO(data), "a.zip").entries] == ["A-1.jpg"]
